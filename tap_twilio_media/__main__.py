"""The command `tap-twilio-media`."""

from __future__ import annotations

from tap_twilio_media.process import started


def main() -> None:
    """Run the tap's command line."""
    with started():
        from tap_twilio_media.endings import told_in_one_line  # noqa: PLC0415
        from tap_twilio_media.tap import TapTwilioMedia  # noqa: PLC0415
    with told_in_one_line(TapTwilioMedia.logger):
        TapTwilioMedia.cli()


if __name__ == "__main__":
    main()
