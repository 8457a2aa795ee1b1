r"""Text that a terminal or a picture takes as text: what would steer one is shown."""

import re
from functools import lru_cache

# controls, surrogates, and what turns the direction of writing or is no character at all
_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufffe\uffff]"
)
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")


@lru_cache(maxsize=4096)
def visible(text: str) -> str:
    r"""The text on one line, each character that would steer a terminal written as its escape.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return _STEERING.sub(lambda match: _escape(match[0]), text)


def visible_lines(text: str, colour: bool = False) -> str:
    """The same of a text of several lines, whose line ends and tabs are its own.

    Args:
        text: the text.
        colour: whether its colours (ANSI codes of `rich`) are its own as well.
    """
    parts = _COLOUR.split(text) if colour else [text]
    shown = [
        part if index % 2 else re.sub(_STEERING, _unless_layout, part)
        for index, part in enumerate(parts)
    ]
    return "".join(shown)


def _unless_layout(match: "re.Match[str]") -> str:
    return match[0] if match[0] in "\n\t" else _escape(match[0])


def _escape(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode("ascii")
