"""A comparison of two runs as table, Markdown, CSV or JSON; and as a picture."""

from collections.abc import Callable, Sequence

import pandas as pd

from flopledger.ledger.comparison import Comparison, Share
from flopledger.ledger.dawnbench_hours import HOURS
from flopledger.ledger.ledger import PublishedTotal, RestsOn
from flopledger.options import Picture
from flopledger.reports.cells import markdown_text, to_csv, to_markdown
from flopledger.reports.columns import plain_table, wrapped
from flopledger.reports.notebook import as_html, page
from flopledger.reports.pictures import Caption, cited, orders_in_words
from flopledger.reports.units import short

_FIRST_TO_GO = "kind", "ratio", "90% interval"  # what a narrow screen can do without


def table(comparison: Comparison) -> str:
    """The heading, the factors, what is uncertain, and the published totals."""
    factors, published = factor_table(comparison), published_table(comparison)
    parts = [wrapped(heading(comparison)), plain_table(factors, _FIRST_TO_GO)]
    parts += map(wrapped, filter(None, [samples(comparison), uncertainty(comparison)]))
    parts += ["", plain_table(published)] if len(published) else []
    return "\n".join(part.rstrip() for part in parts) + "\n"


def csv(comparison: Comparison) -> str:
    """The factors, exact: one row each."""
    return to_csv(comparison.by_factor())


def markdown(comparison: Comparison) -> str:
    """The same as the table, as GitHub's tables under a heading."""
    factors, published = factor_table(comparison), published_table(comparison)
    parts = [f"## {markdown_text(heading(comparison))}\n", to_markdown(factors)]
    parts += [
        f"{markdown_text(line)}\n"
        for line in (samples(comparison), uncertainty(comparison))
        if line
    ]
    parts += [to_markdown(published)] if len(published) else []
    return "\n".join(parts)


def html(comparison: Comparison) -> str:
    """The factors for a notebook, with the total they add up to, and what is uncertain."""
    *factors, total = factor_table(comparison).to_dict("records")
    lines = [line for line in (samples(comparison), uncertainty(comparison)) if line]
    return as_html(heading(comparison), pd.DataFrame(factors), lines, total)


def with_sources(comparison: Comparison) -> str:
    """The same, and a line a fact: whose it is, where it stands, and when that was read."""
    lines = [f"- {fact.run}, {fact.fact} {_linked(fact)}\n" for fact in comparison.rests_on]
    return markdown(comparison) + ("\n" + "".join(lines) if lines else "")


def _linked(fact: RestsOn) -> str:
    source = markdown_text(f"({fact.kind}): {fact.source}")
    return (
        f"{source}, <{fact.url}> (read {fact.retrieved})" if fact.url and fact.retrieved else source
    )


def heading(comparison: Comparison) -> str:
    """One sentence: the ratio and its interval."""
    c = comparison
    steps = " in gradient steps alone" if c.accounting == "training" else ""
    return (
        f"{c.quantity}{steps}: {c.a} {short(c.a_total)}, {c.b} {short(c.b_total)}; "
        f"from {c.a} to {c.b} {c.orders:+.2f} orders of magnitude "
        f"(90%: {c.interval[0]:+.2f} to {c.interval[1]:+.2f})"
    )


def uncertainty(comparison: Comparison) -> str:
    """One sentence: what the interval comes from."""
    if comparison.dominant_uncertainty is None:
        return "nothing uncertain separates the two"
    return (
        f"most of the uncertainty lies in {comparison.dominant_uncertainty}; "
        f"the least certain fact is {comparison.dominant_fact}"
    )


def factor_table(comparison: Comparison) -> pd.DataFrame:
    """One row a factor, and the total they add up to, as people read them."""
    c = comparison
    rows = [_row(c, share) for share in c.factors]
    rows.append(
        {
            "factor": c.quantity,
            c.a: short(c.a_total),
            c.b: short(c.b_total),
            "ratio": short(c.ratio),
            "orders": f"{c.orders:+.3f}",
            "90% interval": f"{c.interval[0]:+.2f} to {c.interval[1]:+.2f}",
            "kind": "",
        }
    )
    frame = pd.DataFrame(rows)
    return frame if c.a != c.b else frame.T.groupby(level=0, sort=False).first().T


def _row(comparison: Comparison, share: Share) -> dict[str, str]:
    return {
        "factor": share.factor,
        comparison.a: short(share.a),
        comparison.b: short(share.b),
        "ratio": short(share.ratio),
        "orders": f"{share.orders:+.3f}",
        "90% interval": f"{share.low:+.2f} to {share.high:+.2f}",
        "kind": share.kind,
    }


def samples(comparison: Comparison) -> str:
    """One sentence on the samples learned from, the three factors that count them as one."""
    if comparison.samples is None:
        return ""
    share = comparison.samples
    return (
        f"samples learned from (per position x positions x outcomes): {short(share.a)} and "
        f"{short(share.b)}, {share.orders:+.3f} orders"
    )


def cited_total(total: PublishedTotal) -> str:
    """Who printed a total, and from which day it is."""
    return f"{total.source}, {total.as_of}" if total.as_of else total.source


def published_table(comparison: Comparison) -> pd.DataFrame:
    """One row a pair of published totals, and how far it lies from the bottom-up ratio."""
    return pd.DataFrame(
        [
            {
                "published totals": f"{comparison.a}: {cited_total(pair.a)}; "
                f"{comparison.b}: {cited_total(pair.b)}",
                comparison.a: short(pair.a.value),
                comparison.b: short(pair.b.value),
                "orders": f"{pair.orders:+.2f}",
                "beyond ours": f"{pair.orders - comparison.orders:+.2f}",
            }
            for pair in comparison.published
        ]
    )


def finding(comparison: Comparison, a: str, b: str) -> str:
    """One sentence: how much more the second run took, and the factor that most of it comes from.

    Args:
        comparison: of the two.
        a: what the first is called here.
        b: what the second is.
    """
    c = comparison
    what = c.quantity + (" in gradient steps alone" if c.accounting == "training" else "")
    if abs(c.orders) < 0.005:
        return f"{b} took as many {what} as {a}"
    more = "more" if c.orders > 0 else "fewer"
    most = max(c.factors, key=lambda share: share.orders * c.orders)
    return (
        f"{b} took {orders_in_words(c.orders)} {more} {what} than {a}; the largest part, "
        f"{most.orders:+.1f}: {most.factor}"
    )


def caption(comparison: Comparison, a: str, b: str) -> Caption:
    """What a waterfall of the comparison says of itself; the arguments are those of `finding`."""
    c = comparison
    low, high = c.interval
    return Caption(
        title=finding(c, a, b),
        subtitle=(
            f"{c.quantity}: {a} {short(c.a_total)}, {b} {short(c.b_total)}.",
            "Each bar is what one factor adds (+) or takes away (-) in orders of magnitude, log10 "
            f"of its ratio; lines are 90% intervals, of all together {low:+.2f} to {high:+.2f}.",
        ),
        sources=sources((c,)),
    )


def sources(comparisons: Sequence[Comparison]) -> str:
    """Whose facts they rest on, once each, and how many are assumed."""
    if all(c.quantity == HOURS for c in comparisons):
        return "DAWNBench's entries and their code, facts/dawnbench.csv"
    facts = {(f.run, f.fact): f for c in comparisons for f in c.rests_on}.values()
    own = cited(f.source for f in facts if f.kind in ("cited", "measured"))
    assumed = sum(fact.kind == "assumed" for fact in facts)
    return "; ".join(filter(None, [own, f"{assumed} assumed" if assumed else ""])) or "none"


def picture(comparison: Comparison, form: Picture) -> str | bytes:
    """The waterfall; as "html" a page of it and of the factors."""
    from flopledger.reports.pictures import picture as drawn
    from flopledger.reports.waterfalls import waterfall

    c = comparison
    spec = waterfall(c).to_dict()
    if form == "html":
        svg = drawn(spec, caption(c, c.a, c.b), "svg")
        return page(f"{c.a} and {c.b}", f"<figure>{svg!s}</figure>{html(c)}")
    return drawn(spec, caption(c, c.a, c.b), form)


# what columns may be called, beside the runs': --columns is held to it before any work is done
COLUMNS = ("factor", "ratio", "orders", "90% interval", "kind", "published totals", "beyond ours")

# what flopledger compare --format offers; compare_chain.py has the same for several runs
FORMATS: dict[str, Callable[[Comparison], str | bytes]] = {
    "table": table,
    "json": Comparison.to_json,
    "csv": csv,
    "markdown": with_sources,
    "html": lambda comparison: picture(comparison, "html"),
    "svg": lambda comparison: picture(comparison, "svg"),
    "png": lambda comparison: picture(comparison, "png"),
}
