"""A network in one call: its counts, its memory and its time, side by side."""
