"""A timbre folder on disk: load, save, verify; descriptor table; FAISS index."""
