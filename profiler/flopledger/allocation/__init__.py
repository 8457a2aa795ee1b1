"""Bytes: what inference and a training step hold, worked out and measured."""
