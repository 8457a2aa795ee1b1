"""Self-play as AlphaZero does it: games, input planes, moves, search, and what they cost."""
