"""Descriptor-driven sound synthesis with VQ-VAEs."""
