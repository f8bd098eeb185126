"""The addresses of the API, each a few lines: read what is asked, call one function, answer."""
