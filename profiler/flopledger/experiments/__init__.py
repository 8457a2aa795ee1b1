"""Experiments: what is learned in several ways, each metered, over settings and seeds."""
