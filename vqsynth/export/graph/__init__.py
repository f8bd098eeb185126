"""Instruments as graphs without memory: ONNX."""
