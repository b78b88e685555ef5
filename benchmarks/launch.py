"""Run a command and write what it cost: `python -I -S launch.py REPORT SECONDS COMMAND...`.

The peak memory of a process counts that of its parent when it was started: this one is small.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

start = time.perf_counter()
pid = os.posix_spawn(sys.argv[3], sys.argv[3:], os.environ)
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(int(sys.argv[2]))
_, status, usage = os.wait4(pid, 0)
cost = {
    "wall": time.perf_counter() - start,
    "cpu": usage.ru_utime + usage.ru_stime,
    "peak": usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
    "code": os.waitstatus_to_exitcode(status),
}
with open(sys.argv[1], "w", encoding="utf-8") as report:  # noqa: PTH123 - it imports little
    json.dump(cost, report)
