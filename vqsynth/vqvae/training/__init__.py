"""Training of the discrete model."""
