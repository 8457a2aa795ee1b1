"""The report's chapter on the field of systems: is one order normal?"""

from typing import Any

import pandas as pd

from flopledger.field.field_result import Systems
from flopledger.field.places import BOTTOM_UP, Off
from flopledger.reports import systems as tables
from flopledger.reports.cells import markdown_text, to_markdown
from flopledger.storage.facts import facts_folder, read_toml

TITLE = "Is one order normal?"
RUN = "alphazero-go-preprint"  # the version that the discussion means
ONE = 1.0  # order


def answer(field: Systems) -> str:
    """One sentence: how far two systems differ anyway."""
    trend = field.trend
    return (
        f"Yes: two systems of one date and one size differ by {trend.pair_sd:.1f} orders of "
        f"magnitude of training compute per parameter (one standard deviation), and "
        f"{trend.share_apart(ONE):.0%} of all pairs by one order or more."
    )


def paragraphs(field: Systems) -> list[str]:
    """What is behind it, as a reader of the discussion would ask."""
    trend = field.trend
    steps, whole = off_trend(field, "training"), off_trend(field, "all")
    other = next(one for one in field.trends if one.accounting == "all")
    early = next(one for one in field.variants if one.name == "published 2012 to 2019")
    late = next(one for one in field.variants if one.name == "published from 2020")
    alexnet, games = trend.residual("AlexNet"), trend.of_domain("Games")
    assert alexnet is not None
    assert trend.within is not None  # there are many domains
    assert trend.across is not None
    return [
        f"Epoch AI lists {len(trend.systems)} notable systems since 2012 with both parameters and "
        f"training compute. Their compute per parameter rises by {trend.orders_a_year:.2f} orders "
        "a year and hardly depends on their size. What is left when that is taken away is how much "
        f"systems vary: {trend.sd:.2f} orders ({trend.sd_interval[0]:.2f} to "
        f"{trend.sd_interval[1]:.2f}). Two of one domain differ by {trend.within:.2f}, two of "
        f"different ones by {trend.across:.2f}: most of it is no matter of the task. So the last "
        "order between AlexNet and AlphaZero needs no cause of its own.",
        "The whole gap is another matter, and it depends on what is counted. Epoch's table counts "
        f"gradient steps alone; so counted, AlphaZero lies {steps.orders:.2f} orders above the "
        f"trend, {steps.sds:.1f} standard deviations, and AlexNet {alexnet:+.2f} orders by "
        "Epoch's own figure: the gap that is left is an ordinary one. With the search "
        "that made its games it lies "
        f"{whole.orders:.2f} orders above the trend of figures that count such compute, too "
        f"({len(other.systems)} systems, Epoch's table of 2025): {whole.sds:.1f} standard "
        f"deviations, and no ordinary one. Games as a whole lie {games.mean():.2f} orders above "
        f"the trend ({len(games)} systems, gradient steps).",
        f"It was more before: {early.sd:.2f} orders up to 2019, {late.sd:.2f} since. AlexNet is "
        f"not overtrained: {trend.share_below(alexnet):.0%} of the systems lie lower for their "
        "date and size, and VGG-16 and ResNet-152 lie higher.",
    ]


def horizon(field: Systems) -> str:
    """What the horizon predicts over these systems, and how far that can be trusted."""
    told = [
        f"{one.value:.2f} ({min(one.interval[0], one.robust[0]):.2f} to "
        f"{max(one.interval[1], one.robust[1]):.2f}) over {one.systems} systems, {one.name}"
        for one in field.slopes
    ]
    few = field.slopes[0].long if field.slopes else 0
    return (
        "Does a longer horizon go with more? In orders of compute per parameter above the trend "
        f"for each order of steps per outcome: {'; '.join(told)}. That is less than one for one, "
        f"and rests on {few} systems of more than one step an outcome, all of them games that "
        "differ in more than their horizon."
    )


def changes(field: Systems) -> list[str]:
    """What would change the answer, a line each; what was tried says what it did."""
    spreads = [one.pair_sd for one in field.variants]
    sd = {one.name: one.sd for one in field.variants}
    return [
        f"a spread of two systems below one order: none of the {len(spreads)} choices of systems "
        f"and terms in the table below has one ({min(spreads):.2f} to {max(spreads):.2f})",
        "figures that are less rough: part of the spread is error of the estimates; but those that "
        f"Epoch AI calls Confident vary by {sd['Confident alone']:.2f} orders, the others by "
        f"{sd['not Confident']:.2f}",
        "systems that nobody found notable, or whose makers told nothing: they are in neither "
        "table",
        "a mixture of experts counts all its parameters here, and computes with a few of them",
    ]


def run_table(field: Systems) -> pd.DataFrame:
    """The runs off the primary trend by every total, those of another accounting named."""
    return tables.published_places(field.places, field.trend)


def sources(field: Systems) -> pd.DataFrame:
    """Whose figures they are."""
    known = read_toml(facts_folder("sources.toml"))
    names = [trend.name for trend in field.trends if trend.name in known]
    return pd.DataFrame(
        [
            {
                "trend": trend.name,
                "systems": len(trend.systems),
                "counted": tables.counted(trend),
                "source": known[trend.name]["cite"],
                "url": known[trend.name]["url"],
                "retrieved": known[trend.name]["retrieved"].isoformat(),
            }
            for trend in field.trends
            if trend.name in names
        ]
    )


def chapter(field: Systems) -> dict[str, Any]:
    """What page.html shows."""
    return {
        "title": TITLE,
        "answer": answer(field),
        "paragraphs": paragraphs(field),
        "horizon": horizon(field),
        "changes": changes(field),
        "trend": _sentence(tables.told(field.trend)),
        "sources": sources(field),
        "variants": tables.variant_table(field),
        "domains": tables.domain_table(field),
        "places": tables.place_table(field),
        "published": run_table(field),
        "slopes": tables.slope_table(field.slopes),
    }


def markdown(field: Systems) -> list[str]:
    """The chapter for report.md."""
    told = chapter(field)
    lines = [told["answer"], *told["paragraphs"], told["horizon"]]
    shown = [to_markdown(told[name]) for name in ("variants", "domains", "places", "slopes")]
    return [
        f"# {TITLE}\n",
        *(f"{markdown_text(line)}\n" for line in lines),
        "What would change the answer:\n",
        "".join(f"- {markdown_text(line)}\n" for line in told["changes"]),
        *shown,
        *(f"{markdown_text(line)}\n" for line in field.sources),
    ]


def off_trend(field: Systems, accounting: str | None, run: str = RUN) -> Off:
    """How far a run lies off the trend of that accounting, bottom up.

    Args:
        field: the systems, their trends, and where the runs lie.
        accounting: of the run's total; None of one that made no data, for which the first trend is
            taken.
        run: its name; the discussion's, if left out.
    """
    for place in field.places:
        if (place.run, place.accounting, place.source) == (run, accounting, BOTTOM_UP):
            return next(off for off in place.off if not off.crossed)
    raise LookupError(f"{run} has no total of {accounting}")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"
