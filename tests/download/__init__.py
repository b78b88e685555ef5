"""The download core, from a reference to a stored file."""
