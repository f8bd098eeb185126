"""Trained timbres on disk: verified when loaded, with their descriptor table and index."""
