"""The main job: `flopledger profile`, for a clone. python scripts/profile.py alexnet."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

try:
    from flopledger.cli.main import main
except ModuleNotFoundError as error:
    sys.exit(f"profile.py: {error.name} is not installed; run make install, then .venv/bin/python")

if __name__ == "__main__":
    main(["profile", *sys.argv[1:]])
