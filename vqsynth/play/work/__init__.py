"""What is done for the page, by the functions that the commands call."""
