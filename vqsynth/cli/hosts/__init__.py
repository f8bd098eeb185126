"""Commands that take models into other programs."""
