"""Which name was meant: the hint in an error about one that is not known."""

import difflib
from collections.abc import Iterable

ALIKE = 0.6  # difflib's ratio from which two names count as one mistyped
MOST = 12  # names that one line lists


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """A question with up to three names that are like the word.

    Args:
        word: what was given.
        known: what would have been right.
        otherwise: what is said if none is like it; if left out, all that are known, or of many
            the nearest few.

    >>> did_you_mean("vlaue", ["value", "low", "high"])
    'did you mean value?'
    >>> did_you_mean("colour", ["value", "low"])
    'there are value, low'
    """
    listed = list(known)
    near = difflib.get_close_matches(word, listed, n=3, cutoff=ALIKE)
    if near:
        *most, last = near
        return f"did you mean {', '.join(most)}{' or ' * bool(most)}{last}?"
    if otherwise is not None:
        return otherwise
    if len(listed) <= MOST:
        return f"there are {', '.join(listed)}"
    nearest = difflib.get_close_matches(word, listed, n=3, cutoff=0)
    return f"of {len(listed)} names the nearest are {', '.join(nearest)}"
