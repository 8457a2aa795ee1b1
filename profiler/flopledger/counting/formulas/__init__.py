"""What operators cost: shapes in, integers out; a file a family."""
