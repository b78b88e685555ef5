"""How fast the tap is, beside the floor under each figure: see README.md."""
