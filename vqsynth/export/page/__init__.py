"""One HTML file that plays a timbre in a browser, offline: page, network, and the runtime that computes it."""
