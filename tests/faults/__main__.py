"""Run the whole fault matrix and print it as Markdown: `python -m tests.faults [--cells]`.

Ends with exit code 1 if a promise is broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import datetime, timezone

from tests.faults.matrix import cells
from tests.faults.table import single, summed


def main() -> int:
    """Try all cells, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--cells", action="store_true", help="a line for each cell, too")
    options = parser.parse_args()
    started = time.monotonic()
    found = []
    for some in cells():
        found += some
        seconds = time.monotonic() - started
        print(f"{some[0].place}: done after {seconds:.0f} s", file=sys.stderr)  # noqa: T201
    broken = [cell for cell in found if cell.broken]
    when = datetime.now(timezone.utc).date()
    parts = [summed(found)]
    if options.cells:
        parts.append(single(found))
    if broken and not options.cells:
        parts.append(single(broken))
    parts.append(f"{len(found)} cells, {len(broken)} with a broken promise, {when}.")
    print("\n\n".join(parts))  # noqa: T201
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
