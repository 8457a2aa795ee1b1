"""python -m profiler: the command line."""

from profiler.cli import main

main()
