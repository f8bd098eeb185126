"""How soon the playground answers."""
