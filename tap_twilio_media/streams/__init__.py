"""The seven streams: what is read, as Singer records."""
