"""The networks of the continuous model."""
