"""The discrete model: features, encoder, vector quantiser, decoder, and its training."""
