"""Where networks come from, and what goes into them."""
