"""What to ask Twilio for, in which order, and where to stop. Knows nothing of Singer."""
