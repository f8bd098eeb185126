"""Signal blocks: STFT, loudness, filter banks, excitations, subtractive synthesis."""
