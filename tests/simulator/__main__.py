"""Serve a seeded world in a process of its own: `python -m tests.simulator --port 0 --seed 7`."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
import threading

from tests.simulator import Behaviour, Simulator, seeded_world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="first of four ports; 0: any")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--now", type=dt.datetime.fromisoformat, help="2026-01-31T12:00:00+00:00")
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--conversations", type=int, default=12)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that an answer takes")
    parser.add_argument("--max-concurrent", type=int, help="more requests at once get a 429")
    parser.add_argument("--retry-after", type=float, help="seconds named by those 429")
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT; one line of JSON on standard output says where."""
    arguments = _arguments()
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    world = seeded_world(arguments.seed, arguments.now, arguments.messages, arguments.conversations)
    world.behaviour = Behaviour(
        max_concurrent=arguments.max_concurrent, retry_after=arguments.retry_after
    )
    with Simulator(world, arguments.latency, arguments.port) as simulator:
        key = {"api_key_sid": world.api_key_sid, "api_key_secret": world.api_key_secret}
        about = {**simulator.config(), **key, "media_url": simulator.media_url}
        sys.stdout.write(json.dumps(about) + "\n")
        sys.stdout.flush()
        end.wait()


if __name__ == "__main__":
    main()
