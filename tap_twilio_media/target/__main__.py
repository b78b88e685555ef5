"""The command `target-twilio-media`."""

from __future__ import annotations

from tap_twilio_media.process import started


def main() -> None:
    """Run the target's command line."""
    with started():
        from tap_twilio_media.endings import told_in_one_line  # noqa: PLC0415
        from tap_twilio_media.target.target import TargetTwilioMedia  # noqa: PLC0415
    with told_in_one_line(TargetTwilioMedia.logger, "who keeps the state"):
        TargetTwilioMedia.cli()


if __name__ == "__main__":
    main()
