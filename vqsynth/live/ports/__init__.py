"""What the engine is joined to: OSC, MIDI, sound devices."""
