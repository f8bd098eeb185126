"""Recordings: fetched, read, checked, varied, and followed piece by piece."""
