"""The modules of fvcore.nn that count, without the package around them.

To import that compiles losses and imports what prints tables: 4 MiB, a twentieth of a second. These
are the same files under another name, so that a program's own fvcore is not touched either.
"""

from importlib import import_module
from typing import Any

import fvcore

__path__ = [f"{folder}/nn" for folder in fvcore.__path__]

jit_analysis: Any = import_module(f"{__name__}.jit_analysis")
FlopCountAnalysis: Any = import_module(f"{__name__}.flop_count").FlopCountAnalysis
