"""Where a PyTorch network spends arithmetic and where it keeps its parameters."""

import lazy_loader

# __init__.pyi lists the public names; what needs torch or pandas is imported when it is first
# asked for, so that --help is quick
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
