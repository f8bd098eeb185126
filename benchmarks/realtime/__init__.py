"""What playing live costs, how late it is, and whether it holds."""
