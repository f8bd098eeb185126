"""Many renders at once."""
