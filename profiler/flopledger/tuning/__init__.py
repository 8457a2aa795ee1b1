"""The search's settings tuned at one budget a move, and what the tuning costs."""
