"""A chain of runs, each step split into factors, as table, Markdown, CSV or JSON; as a picture."""

from collections.abc import Callable
from itertools import pairwise
from string import ascii_uppercase

import pandas as pd

from flopledger.ledger.chain import Chain
from flopledger.ledger.dawnbench_hours import HOURS
from flopledger.ledger.quantity import weakest
from flopledger.options import Picture
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.compare import sources
from flopledger.reports.notebook import as_html, page
from flopledger.reports.pictures import Caption, orders_in_words, times
from flopledger.reports.units import short


def table(chain: Chain) -> str:
    """The heading, each run's letter, and the factors' values and orders."""
    frames = [values_table(chain), orders_table(chain)]
    lines = map(wrapped, [heading(chain), *legend(chain)])
    return "\n".join([*lines, "", *map(plain_table, frames)])


def csv(chain: Chain) -> str:
    """The factors' orders at each step, exact: one row a factor."""
    return to_csv(orders_frame(chain))


def markdown(chain: Chain) -> str:
    """The same as the table, as GitHub's tables under a heading."""
    frames = [values_table(chain), orders_table(chain)]
    runs = [f"- {markdown_text(line)}" for line in legend(chain)]
    return "\n".join(
        [f"## {markdown_text(heading(chain))}\n", *runs, "", *map(to_markdown, frames)]
    )


def html(chain: Chain) -> str:
    """The orders for a notebook, a row a factor, the runs' letters below."""
    *factors, total = orders_table(chain).to_dict("records")
    return as_html(heading(chain), pd.DataFrame(factors), legend(chain), total)


def heading(chain: Chain) -> str:
    """One sentence: from where to where, and what all steps make."""
    orders = chain.total_orders
    ratio = f"{10**-orders:.4g} times as fast" if chain.quantity == HOURS else f"x {10**orders:.4g}"
    return (
        f"{chain.quantity}: from {short(chain.totals[0])} to {short(chain.totals[-1])}, {ratio}, "
        f"{orders:+.3f} orders of magnitude"
    )


def legend(chain: Chain) -> list[str]:
    """Each run's letter, name and total."""
    listed = zip(letters(chain), chain.runs, chain.totals, strict=True)
    return [f"{letter}  {run}: {short(total)} {_unit(chain)}" for letter, run, total in listed]


def letters(chain: Chain) -> list[str]:
    """What stands for each run in a table: A, B, C; numbers where letters do not suffice."""
    return _letters(len(chain.runs))


def column_titles(runs: int) -> list[str]:
    """What the columns of the tables of so many runs are called."""
    names = _letters(runs)
    steps = [f"{start} to {end}" for start, end in pairwise(names)]
    return [
        "factor",
        *names,
        "kind",
        "orders of magnitude",
        *steps,
        "all",
        "times as fast",
        "ratio",
    ]


def _letters(runs: int) -> list[str]:
    if runs <= len(ascii_uppercase):
        return list(ascii_uppercase[:runs])
    return [str(number) for number in range(1, runs + 1)]


def values_table(chain: Chain) -> pd.DataFrame:
    """One row a factor: its value in each run, and what it rests on."""
    rows = []
    for index, name in enumerate(chain.orders):
        shares = [step.factors[index] for step in chain.steps]
        values = [shares[0].a, *(share.b for share in shares)]
        cells = dict(zip(letters(chain), map(short, values), strict=True))
        rows.append({"factor": name, **cells, "kind": weakest(*(share.kind for share in shares))})
    cells = dict(zip(letters(chain), map(short, chain.totals), strict=True))
    return pd.DataFrame([*rows, {"factor": chain.quantity, **cells, "kind": ""}])


def orders_table(chain: Chain) -> pd.DataFrame:
    """One row a factor: the orders that it adds at each step and over all, as people read them."""
    frame = orders_frame(chain)
    if chain.quantity == HOURS:  # people think of speed
        times = ("times as fast", (10 ** -frame["all"]).map("{:.3f}".format))
    else:
        times = ("ratio", (10 ** frame["all"]).map("{:.4g}".format))
    for name in frame.columns[1:]:
        frame[name] = [f"{value + 0.0:+.3f}" for value in frame[name].round(3)]
    frame = frame.rename(columns={"factor": "orders of magnitude"})
    if len(chain.steps) == 1:
        frame = frame.drop(columns="all")
    return frame.assign(**{times[0]: times[1]})


def orders_frame(chain: Chain) -> pd.DataFrame:
    """The same as numbers, and the sum of the factors as its last row."""
    columns = {
        f"{start} to {end}": [share.orders for share in step.factors] + [step.orders]
        for start, end, step in zip(letters(chain), letters(chain)[1:], chain.steps, strict=False)
    }
    return pd.DataFrame(
        {
            "factor": [*chain.orders, chain.quantity],
            **columns,
            "all": [*chain.orders.values(), chain.total_orders],
        }
    )


def _unit(chain: Chain) -> str:
    return "h" if chain.quantity == HOURS else "FLOP per parameter"


def caption(chain: Chain) -> Caption:
    """What a waterfall of the chain says of itself: its ends, and what each letter is."""
    first, last = chain.runs[0], chain.runs[-1]
    orders = chain.total_orders
    if chain.quantity == HOURS:
        fast = "fast" if orders < 0 else "slow"
        title = (
            f"{last} trained in {short(chain.totals[-1])} h, {times(10 ** abs(orders))} times as "
            f"{fast} as {first} in {short(chain.totals[0])} h"
        )
    else:
        more = "more" if orders > 0 else "fewer"
        title = f"{last} took {orders_in_words(orders)} {more} {chain.quantity} than {first}"
    most = max(chain.orders, key=lambda factor: chain.orders[factor] * orders)
    title = f"{title}; the largest part, {chain.orders[most]:+.2f}: {most}"
    if not orders:
        title = f"{last} took as many {chain.quantity} as {first}"
    return Caption(
        title=title,
        subtitle=(
            *legend(chain),
            "Each bar is what one factor adds (+) or takes away (-) at a step, in orders of "
            f"magnitude (log10 of a ratio) of {chain.quantity}; what changes nothing is left out.",
        ),
        sources=sources(chain.steps),
    )


def picture(chain: Chain, form: Picture) -> str | bytes:
    """The waterfall; as "html" a page of it and of the factors."""
    from flopledger.reports.pictures import picture as drawn
    from flopledger.reports.waterfalls import chain_waterfall

    spec = chain_waterfall(chain, letters(chain)).to_dict()
    if form == "html":
        svg = drawn(spec, caption(chain), "svg")
        return page(", ".join(chain.runs), f"<figure>{svg!s}</figure>{html(chain)}")
    return drawn(spec, caption(chain), form)


# the formats of compare.py, for a chain
FORMATS: dict[str, Callable[[Chain], str | bytes]] = {
    "table": table,
    "json": Chain.to_json,
    "csv": csv,
    "markdown": markdown,
    "html": lambda chain: picture(chain, "html"),
    "svg": lambda chain: picture(chain, "svg"),
    "png": lambda chain: picture(chain, "png"),
}
