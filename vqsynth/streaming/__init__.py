"""The one streaming mechanism, and the causal layers that use it."""
