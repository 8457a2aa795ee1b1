"""Bytes that a pass moves between memory and arithmetic, layer by layer."""
