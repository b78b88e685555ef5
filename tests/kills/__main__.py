"""The kill matrix by hand: `python -m tests.kills [--moments N] [--seed N]` prints its table."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.kills.matrix import SETTINGS, Matrix, seeded, table
from tests.kills.pipelines import ByMeltano
from tests.kills.ways import WAYS
from tests.meltano import Meltano, tap_variables
from tests.postgres import Postgres
from tests.simulator import Simulator

MOMENTS = 200


def by_meltano(folder: Path, moments: int, seed: int) -> Matrix:
    """Run the whole matrix on `meltano run`, and print its table also when it fails."""
    with Postgres(folder / "postgres") as postgres, Simulator(seeded()) as sim:
        url = {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url}
        meltano = Meltano(folder / "meltano", tap_variables(sim.config() | SETTINGS) | url)
        meltano.install()
        matrix = Matrix(ByMeltano(meltano), postgres, sim, seed)
        started = time.monotonic()
        try:
            matrix.run(WAYS, moments)
        finally:
            print(table(matrix.tallies, WAYS))  # noqa: T201 - the table is what it is for
            print(f"\n{moments} moments, seed {seed}, {time.monotonic() - started:.0f} s")  # noqa: T201
    return matrix


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--moments", type=int, default=MOMENTS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        by_meltano(Path(folder), options.moments, options.seed)


if __name__ == "__main__":
    main()
