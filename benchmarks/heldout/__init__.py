"""How near reconstructions come to recordings that no training has seen, and whether any pitch slips."""
