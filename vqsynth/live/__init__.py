"""The live engine: models played by messages, block by block; OSC, MIDI and sound devices around it."""
