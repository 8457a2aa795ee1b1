"""A token's cost: the passes of a language model with its own cache, and what they add up to."""
