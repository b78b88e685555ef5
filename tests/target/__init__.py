"""Tests of target-twilio-media."""
