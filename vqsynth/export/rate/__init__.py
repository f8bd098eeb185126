"""Instruments at the rates of hosts."""
