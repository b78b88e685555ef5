"""A simulated Twilio of exact sizes in a process of its own; `benchmarks.twilio` is its client."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import gc
import json
import random
import sys
from typing import Any

from tests.simulator import Behaviour, Simulator, World, rows

DAYS = 380
KEPT_ROWS = 250_000
"""So many rows the simulator keeps as JSON; a larger world is written as it is read."""
TURNS = (1, 3, 7, 29, 160)
"""Messages of conversations, in turn: 40 on average, and one in five is longer than a page."""


def main() -> None:
    """Grow, serve, and answer each line of stdin with the requests since the one before."""
    options = json.loads(sys.argv[1])
    latency, bandwidth = options.pop("latency", 0.0), options.pop("bandwidth", None)
    world = World(seed=3)
    world.behaviour = Behaviour(max_concurrent=options.pop("ceiling", None))
    grow(world, **options)
    gc.freeze()  # what is there stays: no collection has to look at it while we serve
    with Simulator(world, latency, bandwidth=bandwidth) as simulator:
        say(simulator.config() | {"media_url": simulator.media_url})
        for _ in sys.stdin:
            requests = simulator.requests
            simulator.reset()
            taken = {
                "requests": [(request.host, request.target) for request in requests],
                "endpoints": collections.Counter(request.endpoint for request in requests),
                "refused": sum(request.status == 429 for request in requests),  # noqa: PLR2004
            }
            say(taken)


def grow(  # noqa: PLR0913 - the sizes
    world: World,
    *,
    messages: int = 0,
    mms: int = 0,
    days: float = DAYS,
    file_bytes: int = 0,
    conversations: int = 0,
    files: int = 0,
) -> None:
    """Spread what there is over the days up to now, by chance but the same every time."""
    chance = random.Random(3)  # noqa: S311
    for number in range(messages):
        party, incoming = f"+1555{chance.randrange(10_000_000):07d}", number % 3 == 0
        message = world.add_message(
            date_sent=world.now - dt.timedelta((number + chance.random()) / messages * days),
            num_media=share(mms, messages, number),
            body=f"Order {chance.randrange(10**8)} has shipped. Answer HELP for help, STOP to end.",
            from_=party if incoming else "+15005550006",
            to="+15005550006" if incoming else party,
            direction="inbound" if incoming else "outbound-api",
            status="received" if incoming else "delivered",
        )
        for file in message.media:
            file.size = file_bytes or file.size
        if messages <= KEPT_ROWS:  # who reads first should not be the one who waits for it
            world.row_json(message.sid, functools.partial(rows.message, message))
    world.message_order(world.account_sid)
    service, said = world.add_service(default=True), 0
    for number in range(conversations):
        age, turns = dt.timedelta((number + 1) / conversations * days), TURNS[number % len(TURNS)]
        conversation = world.add_conversation(service.sid, date_created=world.now - age)
        for turn in range(turns):
            date = world.now - age * (1 - turn / turns)
            media = share(files, conversations * 40, said)
            world.add_conversation_message(conversation.sid, date_created=date, media=media)
            said += 1


def share(what: int, among: int, number: int) -> int:
    """Return how many fall to one of those among whom they are spread evenly."""
    return (number + 1) * what // among - number * what // among


def say(what: dict[str, Any]) -> None:
    """Put one line of JSON out."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
