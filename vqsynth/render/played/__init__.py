"""Playing a timbre's units: runs of real playing along a target curve."""
