"""Tables for a screen: no number is ever shortened; columns are left out whole, and named."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from difflib import get_close_matches
from textwrap import fill
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flopledger.errors import WrongOption
from flopledger.storage.visible import visible

if TYPE_CHECKING:
    import pandas as pd

_GAP = 2  # blanks between columns
_ALL = "all"  # what --columns says for every column, however wide


@dataclass(kw_only=True)
class Screen:
    """Where tables will be read, and what of them is asked for.

    Attributes:
        width: characters in a line; None for a file or a pipe, which take any number.
        columns: titles of the columns to show, in this order, or "all"; empty for all that fit.
        bold: whether titles are bold, by ANSI codes.
        titles: those of every table shown so far.
    """

    width: int | None = None
    columns: Sequence[str] = ()
    bold: bool = False
    titles: list[str] = field(default_factory=list)

    def check_columns(self) -> None:
        """See that each column that was asked for stands in a table that was shown.

        Raises:
            WrongOption: one does not; the nearest title is named, or all are.
        """
        known = {_plain(title): title for title in self.titles}
        for name in self.columns:
            if name != _ALL and _plain(name) not in known:
                near = get_close_matches(_plain(name), known, 1)
                hint = f"did you mean {known[near[0]]!r}?" if near else f"there are {self._listed}"
                raise WrongOption(f"--columns: no column is called {name!r}; {hint}")

    @property
    def _listed(self) -> str:
        return ", ".join(dict.fromkeys(filter(None, self.titles)))


_SCREEN: ContextVar[Screen] = ContextVar("screen", default=Screen())  # noqa: B039 - never changed


@contextmanager
def on_screen(screen: Screen) -> Iterator[None]:
    """Tables made inside are made for that screen."""
    token = _SCREEN.set(screen)
    try:
        yield
    finally:
        _SCREEN.reset(token)


def wrapped(line: str) -> str:
    """A sentence, broken between words where the screen ends, further lines indented as it is."""
    width = _SCREEN.get().width
    if width is None or cell_len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def bold(line: str) -> str:
    """A heading, broken between words; bold on a screen that shows it."""
    text = wrapped(visible(line))
    return f"\x1b[1m{text}\x1b[0m" if _SCREEN.get().bold else text


def plain_table(
    frame: "pd.DataFrame",
    first_to_go: Sequence[str] = (),
    *,
    total: Mapping[str, str] | None = None,
    words: Sequence[str] = (),
) -> str:
    """The frame as a table of texts; what the screen has no room for is named below it.

    Args:
        frame: titles and cells; the first column names the rows and always stays.
        first_to_go: titles in the order in which they are left out; the others follow, the
            rightmost first. The first column's cells are folded where it alone is too wide.
        total: a last row's cells by title, if there is one.
        words: further columns of words, which begin at the left; numbers end at the right.
    """
    if not len(frame.columns):
        return ""
    screen = _SCREEN.get()
    titles = [visible(str(name)) for name in frame.columns]
    screen.titles += titles if screen.columns else []
    columns = {
        title: [visible(str(cell)) for cell in frame.iloc[:, place]]
        for place, title in enumerate(titles)
    }
    totals = {title: visible((total or {}).get(title, "")) for title in titles}
    widths = {
        title: max(map(cell_len, (title, totals[title], *cells)))
        for title, cells in columns.items()
    }
    shown = _chosen(titles, screen.columns) or _fitting(widths, screen.width, first_to_go)
    table = Table(
        box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_footer=total is not None,
        header_style="bold", footer_style="bold",
    )  # fmt: skip
    for title in shown:
        left = title == titles[0] or title in words
        table.add_column(
            Text(title), footer=Text(totals[title]), justify="left" if left else "right",
            no_wrap=title != titles[0], overflow="fold",
        )  # fmt: skip
    for cells in zip(*(columns[title] for title in shown), strict=True):
        table.add_row(*map(Text, cells))
    needed = sum(widths[title] + _GAP for title in shown)
    least = needed - widths[shown[0]] + min(widths[shown[0]], 8)
    width = needed if screen.width is None or screen.columns else max(least, screen.width)
    left_out = [title for title in titles if title not in shown]
    return _printed(table, width, screen.bold) + ("" if screen.columns else _note(left_out))


def _chosen(titles: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Those of the table's titles that were asked for, the rows' names before them."""
    if _ALL in asked:
        return list(titles)
    known = {_plain(title): title for title in titles}
    chosen = [known[_plain(name)] for name in asked if _plain(name) in known]
    return list(dict.fromkeys([titles[0], *chosen])) if chosen else []


def _fitting(widths: Mapping[str, int], width: int | None, first_to_go: Sequence[str]) -> list[str]:
    """The titles of what a line has room for."""
    shown = list(widths)
    order = [title for title in first_to_go if title in widths]
    order += [title for title in reversed(shown[1:]) if title not in order]
    while width is not None and sum(widths[t] + _GAP for t in shown) - _GAP > width:
        if len(shown) <= 2:  # a name and a figure: the name is folded
            break
        shown.remove(order.pop(0))
    return shown


def _note(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    width, names = _SCREEN.get().width, ", ".join(left_out)
    return wrapped(f"left out, for lines of {width}: {names}; --columns all has them") + "\n"


def _printed(table: Table, width: int, ansi: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=ansi, no_color=not ansi)
    console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _plain(title: str) -> str:
    """How titles are compared: other_flops is "other FLOPs", and so is Other-Flops."""
    return title.casefold().replace("_", " ").replace("-", " ").strip()
