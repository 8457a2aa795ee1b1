"""The report's chapter on the horizon: what a longer one costs, by experiment."""

from math import log10
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from flopledger.experiments.estimates import Estimate, orders_between, repeat_interval
from flopledger.experiments.growth import Growth
from flopledger.experiments.horizon_result import Horizon
from flopledger.reports import horizon
from flopledger.reports.cells import to_markdown
from flopledger.reports.marks import hover
from flopledger.reports.report import games_of_horizon
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short

TITLE = "Does compute grow with the horizon?"
SUPERVISED, FIRST = "supervised", "h = 1"
PROPORTIONAL = "in proportion to h"
# blue and orange are told apart by those who do not tell red from green, and so are the dashes
COLOURS = ("#4c78a8", "#e8810c", "#8a8a8a")
DASHES = ([1, 0], [7, 4], [2, 3])
CHANGES = (
    "A baseline that knows how hard each image is (a critic): it would take out noise that the "
    "other images' rewards bring, and with it part of b.",
    "A task whose steps depend on one another: here an episode's images have nothing to do with "
    "each other, so that a longer horizon is more noise and nothing else.",
    "Other settings: each arm has the best of the small grid that is named in docs/horizon.md.",
    "Longer horizons than were tried, or another network: what holds from 1 to 128 on digits is no "
    "law of games.",
)


def answer(result: Horizon) -> str:
    """One sentence: by how much the samples grow over the horizons that were tried."""
    growth = result.growth
    if growth is None:
        return "Not decided here: too few horizons reached the target."
    first, last = growth.horizons[0], growth.horizons[-1]
    exponent = growth.power.parameters["d"]
    orders = log10(growth.line.at(last) / growth.line.at(first))
    proportional = log10(last / first)
    if exponent.low <= 0:
        return (
            f"On handwritten digits it does not, as far as {len(result.rows)} trials tell: from "
            f"{first:g} to {last:g} images that share a reward, samples change by {orders:+.2f} "
            "orders of magnitude."
        )
    return (
        f"On handwritten digits it does: where {last:g} images share one reward, learning takes "
        f"{10**orders:.0f} times the samples that it takes with a reward for each image, by "
        f"{growth.line.name} fitted to all trials. These are {orders:+.2f} orders of "
        f"magnitude; growth {PROPORTIONAL} would be {proportional:+.2f}."
    )


def paragraphs(result: Horizon) -> list[str]:
    """What was done, what a label is worth, and what a longer horizon costs."""
    by_arm = {estimate.arm: estimate for estimate in result.estimates}
    told = [
        "One small network learned to name handwritten digits, and nothing differed but what told "
        "it how well it did: the right label of each image; a reward for each image, 1 if a drawn "
        "answer was right; or one reward that h images share. Every pass was metered, until "
        f"{result.target:.0%} of the images kept for the test were named rightly."
    ]
    told += [_on_labels(result, by_arm)] if {SUPERVISED, FIRST} <= by_arm.keys() else []
    told += [_on_growth(result.growth)] if result.growth is not None else []
    censored = sum(e.trials - e.reached for e in result.estimates)
    told += [
        f"Of {sum(e.trials for e in result.estimates)} trials that measured, {censored} had not "
        f"reached it after {short(result.budget)} samples; they count as more than that."
    ]
    return told


def _on_labels(result: Horizon, by_arm: dict[str, Estimate]) -> str:
    samples = orders_between(result.rows, SUPERVISED, FIRST, "samples")
    flops = orders_between(result.rows, SUPERVISED, FIRST, "flops")
    if samples is None or flops is None:
        return "What labels save is not decided here: an arm never reached the target."
    value, low, high = samples
    return (
        f"With labels it took {short(by_arm[SUPERVISED].samples)} images, with a reward for each "
        f"image {short(by_arm[FIRST].samples)}: {value:+.2f} orders (90%: {low:+.2f} to "
        f"{high:+.2f}) for an objective that cannot be differentiated, at a horizon of one step, "
        f"and {flops[0]:+.2f} orders of FLOP, for answers have to be drawn before they can be "
        "learned from."
    )


def _on_growth(growth: Growth) -> str:
    a, b = (growth.line.parameters[letter] for letter in "ab")
    d = growth.power.parameters["d"]
    better = growth.better
    verdict = (
        "Which of the two it is remains undecided"
        if better is None
        else f"The trials prefer {better.name}"
    )
    bend = a.value / b.value
    begins = (
        f"a horizon below some {bend:.0f} steps costs little, and far above it samples grow as h "
        "does"
        if bend >= 2
        else "a is so small that samples grow nearly as h does from the beginning"
    )
    return (
        f"Shared rewards point the same way on average; only their noise grows. Samples = a + b h "
        f"gives a = {short(a.value)} ({short(a.low)} to {short(a.high)}) and b = {short(b.value)} "
        f"({short(b.low)} to {short(b.high)}): {begins}. Samples = c h^d gives d = "
        f"{d.value:.2f} ({d.low:.2f} to {d.high:.2f}). {verdict}: a + b h is the likelier one in "
        f"{growth.line_better:.0%} of resamples, with an AIC of {growth.line.aic:.0f} against "
        f"{growth.power.aic:.0f}."
    )


def on_repeat(result: Horizon, again: Horizon) -> str:
    """Whether new seeds say the same."""
    first = {estimate.arm: estimate for estimate in result.estimates}
    lines, inside = [], 0
    for new in again.estimates:
        old, reach = first[new.arm], repeat_interval(result.rows, new.arm)
        if new.samples is None or old.samples is None or reach is None:
            continue
        low, high = reach
        inside += low <= new.samples <= high
        lines.append(
            f"{new.arm} {log10(new.samples / old.samples):+.2f}, of {log10(low / old.samples):+.2f}"
            f" to {log10(high / old.samples):+.2f}"
        )
    told = (
        f"Repeated with new seeds, which also choose the settings anew, {inside} of {len(lines)} "
        "means lie where nine of ten repeats should: sqrt(2) times as wide as the intervals below, "
        f"for both means vary (orders off: {'; '.join(lines)})."
    )
    growth, before = again.growth, result.growth
    if growth is None or before is None:
        return told
    d = growth.power.parameters["d"]
    same = growth.better == before.better or (
        growth.better is not None
        and before.better is not None
        and growth.better.name == before.better.name
    )
    ends = "." if same else ": samples grow nearly as h does, but which form it is stays open."
    return (
        f"{told} d comes to {d.value:.2f} ({d.low:.2f} to {d.high:.2f}), and a + b h is the "
        f"likelier one in {growth.line_better:.0%} of resamples{ends}"
    )


def chart(result: Horizon) -> alt.LayerChart:
    """Samples to the target by horizon, both fits, growth in proportion, labels as a line."""
    scale = alt.Scale(type="log", nice=False, padding=14)
    horizons = [e.horizon for e in result.estimates if e.horizon]
    title = "images that share a reward, h"
    x = alt.X("h:Q", scale=scale, title=title, axis=alt.Axis(values=horizons, format="d"))
    ticks = [lead * 10.0**n for n in range(2, 8) for lead in (1, 3)]
    axis = alt.Axis(format="~s", values=ticks)
    y = alt.Y("samples:Q", scale=scale, title=f"samples to {result.target:.0%}", axis=axis)
    layers: list[Any] = _curves(result, x, y)
    measured = alt.Chart(_points(result))
    layers.append(
        measured.mark_rule(strokeWidth=1.5).encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"))
    )
    layers.append(
        measured.mark_point(filled=True, size=60, opacity=1, color=COLOURS[0]).encode(
            x=x, y=y, tooltip=hover("arm", "settings", "seeds", "in words:N", "90%", "FLOP")
        )
    )
    layers += _labels(result, y)
    layered: Any = alt.layer(*layers)
    sized: alt.LayerChart = layered.properties(width=640, height=340, background="transparent")
    return sized


def _points(result: Horizon) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": e.arm,
            "h": e.horizon,
            "samples": e.samples,
            "low": e.low,
            "high": e.high if e.high is not None else result.budget,
            "settings": e.settings,
            "seeds": f"{e.reached} of {e.trials} reached it",
            "in words": f"{short(e.samples)} samples",
            "90%": f"{short(e.low)} to {short(e.high)}",
            "FLOP": f"{short(e.flops_learning)} learning, {short(e.flops_making)} making data",
        }
        for e in result.estimates
        if e.horizon is not None and e.samples is not None
    )


def _curves(result: Horizon, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    growth = result.growth
    if growth is None:
        return []
    first, last = growth.horizons[0], growth.horizons[-1]
    at = np.geomspace(first, last, 40)
    begins = growth.line.at(first) / first
    curves = {
        growth.line.name: [growth.line.at(h) for h in at],
        growth.power.name: [growth.power.at(h) for h in at],
        PROPORTIONAL: [begins * h for h in at],
    }
    rows = [
        {"h": h, "samples": value, "curve": name}
        for name, values in curves.items()
        for h, value in zip(at, values, strict=True)
    ]
    names = list(curves)
    legend = alt.Legend(orient="top", title=None, symbolSize=500)
    return [
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=x, y=y,
            color=alt.Color("curve:N", scale=alt.Scale(domain=names, range=list(COLOURS)),
                            legend=legend),
            strokeDash=alt.StrokeDash("curve:N", scale=alt.Scale(domain=names, range=list(DASHES)),
                                      legend=legend),
        )
    ]  # fmt: skip


def _labels(result: Horizon, y: alt.Y) -> list[alt.Chart]:
    """The supervised arm: no horizon, so a line right across."""
    own = [e for e in result.estimates if e.arm == SUPERVISED and e.samples is not None]
    if not own:
        return []
    last = max(e.horizon or 1 for e in result.estimates)
    row = pd.DataFrame({"samples": [own[0].samples], "text": ["with labels"], "h": [last]})
    base = alt.Chart(row).encode(y=y)
    name = base.mark_text(align="right", baseline="bottom", dy=-4).encode(
        x=alt.X("h:Q"), text=alt.Text("text:N")
    )
    return [base.mark_rule(strokeWidth=1.5), name]


def section(findings: Findings) -> dict[str, Any]:
    """What the page shows of the digits."""
    result = findings.horizons["digits"]
    return {
        "title": TITLE,
        "answer": answer(result),
        "paragraphs": [*paragraphs(result), on_repeat(result, findings.repeated)],
        "games": games_of_horizon.paragraphs(findings.horizons),
        "arms": horizon.arms_table(result),
        "fits": horizon.growth_lines(result.growth),
        "changes": CHANGES,
    }


def markdown(findings: Findings) -> list[str]:
    """The chapter for report.md."""
    result = findings.horizons["digits"]
    return [
        f"## {TITLE}\n",
        f"{answer(result)}\n",
        *(f"{text}\n" for text in paragraphs(result)),
        f"{on_repeat(result, findings.repeated)}\n",
        to_markdown(horizon.arms_table(result)),
        *(f"{text}\n" for text in games_of_horizon.paragraphs(findings.horizons)),
        "".join(f"- {line}\n" for line in horizon.growth_lines(result.growth)),
        "What would change the answer:\n",
        "".join(f"- {line}\n" for line in CHANGES),
    ]
