"""Every picture: plain arrays in, PNG files out."""
