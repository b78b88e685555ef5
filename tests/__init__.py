"""Tests of tap-twilio-media. They speak HTTP to the simulator, and SQL to a real PostgreSQL."""
