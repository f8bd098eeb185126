"""What the player of a timbre did, for voices that are played live."""
