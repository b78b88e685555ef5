"""A pipeline into PostgreSQL loses nothing and doubles nothing, wherever it is broken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kills.__main__ import MOMENTS, by_meltano
from tests.kills.matrix import SETTINGS, Matrix, seeded
from tests.kills.pipelines import ByShell
from tests.kills.warehouse import Warehouse
from tests.kills.ways import ONE_OF_EACH, WAYS, WAYS_WITHOUT_RUNNER
from tests.meltano import Meltano
from tests.postgres import Postgres
from tests.running import INCREMENTAL
from tests.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with Simulator(seeded()) as simulator:
        yield simulator


@pytest.fixture
def shell(served: Simulator, postgres: Postgres, tmp_path: Path) -> ByShell:
    """A pipeline of a tap and a target alone, which starts in half the time."""
    Meltano(tmp_path / "meltano", {}).install()
    quick = {"max_concurrency": 8}
    return ByShell(tmp_path, served.config() | SETTINGS | quick, postgres)


def test_a_pipeline_of_a_shell(shell: ByShell, postgres: Postgres, served: Simulator) -> None:
    matrix = Matrix(shell, postgres, served, seed=5)
    matrix.run(ONE_OF_EACH, len(ONE_OF_EACH))
    assert {way: tally.resumed for way, tally in matrix.tallies.items()} == dict.fromkeys(
        ONE_OF_EACH, 1
    )


@pytest.mark.long
def test_a_pipeline_of_a_shell_more_often(
    shell: ByShell, postgres: Postgres, served: Simulator
) -> None:
    matrix = Matrix(shell, postgres, served, seed=3)
    matrix.run(WAYS_WITHOUT_RUNNER, 40)
    assert any(tally.kept for tally in matrix.tallies.values())


@pytest.mark.long
def test_a_whole_run_of_meltano(tmp_path: Path) -> None:
    matrix = by_meltano(tmp_path, MOMENTS, seed=1)
    assert matrix.tallies.keys() == set(WAYS)
    assert sum(tally.resumed for tally in matrix.tallies.values()) == MOMENTS
    assert any(tally.kept for tally in matrix.tallies.values())


def test_what_is_lost_doubled_or_promised_in_vain_is_seen(
    shell: ByShell, postgres: Postgres, served: Simulator
) -> None:
    """The comparison itself, on tables that are spoiled by hand."""
    with shell.started("spoiled") as leader:
        assert leader.wait(60) == 0
    warehouse = Warehouse(postgres, served, "spoiled")
    state = shell.states("spoiled")[-1]
    assert not warehouse.difference()
    assert not warehouse.broken_promises(state)

    postgres.query("alter table spoiled.conversations drop constraint conversations_pkey")
    postgres.query("insert into spoiled.conversations select * from spoiled.conversations limit 1")
    assert len(warehouse.difference().doubled) == 1
    postgres.query("update spoiled.accounts set sid = 'AC1'")
    assert warehouse.difference().foreign == {("accounts", "AC1")}
    postgres.query("update spoiled.conversation_services set friendly_name = 'other'")
    lost = warehouse.difference().lost
    assert {stream for stream, _ in lost} == {"accounts", "conversation_services"}

    for stream in INCREMENTAL:
        sent = "date_sent" if stream == "messages" else "date_created"
        chosen = f"select min(sid) from spoiled.{stream} where {sent} is not null"
        (row,) = postgres.query(
            f"delete from spoiled.{stream} where sid = ({chosen}) returning sid"
        )
        assert (stream, *row) in warehouse.difference().lost
        assert (stream, *row) in warehouse.broken_promises(state)
