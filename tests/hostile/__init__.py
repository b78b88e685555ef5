"""Twilio as an enemy: whatever it answers, other rows arrive and no credential leaves."""
