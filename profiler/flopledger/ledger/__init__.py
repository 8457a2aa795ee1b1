"""Training runs as facts, and their compute or hours as products of factors."""
