"""The playground's server: the commands' functions for a page in a browser, behind a lock. No signal code is here."""
