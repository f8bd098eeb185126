"""What the user came for: targets to codes, codes to sound; renders, sweeps, transfer."""
