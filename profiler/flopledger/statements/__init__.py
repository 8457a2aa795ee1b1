"""What somebody said, the expression that decides it, and the verdict that follows."""
