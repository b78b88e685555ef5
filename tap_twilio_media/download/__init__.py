"""Files: from a reference to a stored file that is whole and accounted for. Knows no Singer."""
