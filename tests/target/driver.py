"""The target's command, quick: `python -m tests.target.driver` takes what the command takes.

Between two tries it hardly waits, it often tells how far it is, and every state is passed on at
once and not at most every few seconds: a short run says as much as a long one.
"""

from __future__ import annotations

from tap_twilio_media import progress
from tap_twilio_media.client import outcomes
from tap_twilio_media.target import states
from tap_twilio_media.target.__main__ import main

if __name__ == "__main__":
    outcomes.FIRST_WAIT = 0.002
    states.SECONDS_BETWEEN = 0.0
    progress.SECONDS_BETWEEN_LINES = 0.1
    main()
