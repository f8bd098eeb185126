"""Instruments under four knobs, for plug-ins that hosts of music load: Neutone's format."""
