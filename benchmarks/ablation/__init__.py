"""What each step of the method adds."""
