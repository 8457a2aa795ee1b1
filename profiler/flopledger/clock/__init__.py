"""Seconds: of a pass and its layers, beside what a device can do."""
