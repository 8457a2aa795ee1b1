"""The live form of a count: what a program's modules really do, while it runs."""
