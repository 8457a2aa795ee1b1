"""What others published and what we measured: facts with their sources, as data files."""
