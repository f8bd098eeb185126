"""Units: what the recordings of a timbre did, frame by frame."""
