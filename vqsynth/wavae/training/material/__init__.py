"""What recordings are to a training: analysed, mixed, disguised, taken apart into partials and noise."""
