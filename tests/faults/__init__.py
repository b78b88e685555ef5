"""The fault matrix: every fault, at every rate, at every endpoint; see `__main__`."""
