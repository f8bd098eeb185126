"""What is asked for: targets, ranges, levels, resolved to a value a frame."""
