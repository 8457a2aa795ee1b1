"""python -m flopledger: the command line."""

import sys

# the folder that it is run in: a profile.py there must not hide the standard library's
sys.path.append(sys.path.pop(0))

from flopledger.cli.main import main

main()
