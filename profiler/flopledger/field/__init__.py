"""Everybody's systems: their compute per parameter, its trend, and how far each lies off it."""
