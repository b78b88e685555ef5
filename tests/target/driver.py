"""The target's command, quick: `python -m tests.target.driver` takes what the command takes.

Between two tries it waits for no time, and every state is passed on when it is due and not at
most every few seconds, so that a short run says as much as a long one.
"""

from __future__ import annotations

from tap_twilio_media.client import outcomes
from tap_twilio_media.target import states
from tap_twilio_media.target.__main__ import main

if __name__ == "__main__":
    outcomes.FIRST_WAIT = 0.002
    states.SECONDS_BETWEEN = 0.0
    main()
