"""Commands that play models live, and take them into other programs."""
