"""Blind listening tests: sounds made comparable, and the page that plays them without saying which is which."""
