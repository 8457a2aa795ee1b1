"""What moved between two counts of a network."""
