"""Downloads in a process of their own, to be killed, measured or starved.

`python -m tests.download.driver`: settings and records as one JSON object on standard input; one
line of JSON on standard output tells how it ended.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tap_twilio_media.client import outcomes
from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Credentials, Manners, Network
from tap_twilio_media.download.downloader import Downloader
from tap_twilio_media.download.references import Reference
from tap_twilio_media.download.settings import DownloadSettings
from tap_twilio_media.errors import TapError


def main() -> int:
    """Fetch all files; the exit code is 1 after an error that ends a run."""
    given: dict[str, Any] = json.load(sys.stdin)
    outcomes.FIRST_WAIT = 0.002
    if limit := given.get("largest_file"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    pairs = {sid: Credentials(*pair) for sid, pair in given["credentials"].items()}
    network = Network.of(given["threads"], threading.Event())
    references = [Reference.of(stream, record) for stream, record in given["records"]]
    result: dict[str, Any] = {}
    started = time.monotonic()
    try:
        downloader = Downloader(
            DownloadSettings(given["output_path"], media_hosts=("127.0.0.1",)),
            Hosts(*given["hosts"]),
            Manners("tap-twilio-media/test", 10.0, 60.0),
            network,
            lambda account_sid, _: pairs.get(account_sid),
        )
        with ThreadPoolExecutor(given["threads"]) as threads:
            result["statuses"] = [o.status for o in threads.map(downloader.fetch, references)]
        downloader.close()
        result["fetched"], result["held"] = downloader.counts.fetched, downloader.counts.held
    except TapError as error:
        result["error"] = str(error)
    result["seconds"] = time.monotonic() - started
    result["peak"] = peak()
    print(json.dumps(result), flush=True)  # noqa: T201 - this is what it is asked for
    return 1 if "error" in result else 0


def peak() -> int:
    """Return the most bytes that this process has had in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says on Linux includes whoever started the process
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
