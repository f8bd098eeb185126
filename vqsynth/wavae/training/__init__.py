"""Training of the continuous model."""
