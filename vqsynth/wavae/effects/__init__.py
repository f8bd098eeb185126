"""What is done with whole sounds: interpolation, transfer, feedback."""
