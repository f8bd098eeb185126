"""What the training of both models shares: prepared corpora, checkpoints."""
