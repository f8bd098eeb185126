"""Latent paths: files, axes, operators, mixtures."""
