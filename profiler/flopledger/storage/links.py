"""The library's models and facts: in a clone, links to the folders at its top."""

from pathlib import Path

from flopledger.errors import FlopledgerError

LINKS = ("models", "facts")

_LIBRARY = Path(__file__).parent.parent


class BrokenCheckout(FlopledgerError, ImportError):
    """Git has checked out a link as a file of text; the message says how to have the link."""


def check_links() -> None:
    """See that models and facts are there.

    Raises:
        BrokenCheckout: they are files, as git writes links where core.symlinks is false.
    """
    for name in LINKS:
        if (_LIBRARY / name).is_file():
            raise BrokenCheckout(
                f"{_LIBRARY / name} should be a link to the clone's {name}/, but git made this "
                "clone without symbolic links; clone it again with git clone -c core.symlinks=true "
                "(on Windows in developer mode)"
            )
