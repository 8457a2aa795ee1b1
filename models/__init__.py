"""The zoo: one architecture a file; profiler.registry finds the models here by itself."""
