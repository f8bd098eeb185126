"""Models as voices: sound and controls in, sound out, whatever the size of a block."""
