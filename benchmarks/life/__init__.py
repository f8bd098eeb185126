"""How much a sound moves, against what real playing does."""
