"""The report of the whole zoo: report.md, and every table as CSV."""

from collections.abc import Sequence

import pandas as pd

from profiler.published import COLUMNS, held_against
from profiler.registry import ModelSpec
from profiler.reports import exports
from profiler.reports.frames import confirmed, summary
from profiler.reports.units import short
from profiler.tables import Profile


def render(counted: Sequence[tuple[ModelSpec, Profile]]) -> dict[str, str]:
    """The report's files: their names below its folder, and their texts.

    Args:
        counted: the models in the order they are to be shown, each with its count.
    """
    published = _published(counted)
    files = {
        f"tables/{profile.model}.csv": exports.render([profile], "layer", None, "csv")
        for _, profile in counted
    }
    if counted:
        totals = summary([profile for _, profile in counted])
        files["tables/summary.csv"] = totals.to_csv(index=False)
        files["tables/published.csv"] = published.to_csv(index=False)
        files["report.md"] = _markdown(counted, published)
    return files


def _published(counted: Sequence[tuple[ModelSpec, Profile]]) -> pd.DataFrame:
    frames = [held_against(spec, profile) for spec, profile in counted]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)


def _markdown(counted: Sequence[tuple[ModelSpec, Profile]], published: pd.DataFrame) -> str:
    agreeing = sum(profile.check.agrees is True for _, profile in counted)
    statuses = published["status"].value_counts()
    parts = [
        "# Where the FLOPs and the parameters are\n",
        f"{len(counted)} networks, one sample each; both counters agree to the last MAC on "
        f"{agreeing} of them. Of {len(published)} published figures, "
        + ", ".join(f"{statuses.get(s, 0)} are {s}" for s in ("reproduced", "explained"))
        + f" and {statuses.get('contradicted', 0)} contradicted.\n",
        "1 MAC = one multiply and one add = 2 FLOP; FLOPs are 2 x the MACs of convolutions, linear "
        "layers, matrix products, attention and recurrent cells; everything else is other FLOPs. "
        "Exact figures are in tables/.\n",
        "## The zoo\n",
        exports.to_markdown(pd.DataFrame([_row(spec, one) for spec, one in counted])),
        "## Published figures\n",
        exports.to_markdown(
            published.assign(
                published=published["published"].map(short),
                measured=published["measured"].map("{:,.0f}".format),
                ratio=published["ratio"].map("{:.4f}".format),
            )
        ),
        "## Where each network spends and keeps\n",
    ]
    for spec, one in counted:
        parts += [f"### {one.model}\n", _about(spec), exports.to_markdown(_kinds(one))]
    return "\n".join(parts)


def _row(spec: ModelSpec, profile: Profile) -> dict[str, object]:
    totals = profile.totals
    return {
        "model": profile.model,
        "year": spec.year or "",
        "params": short(totals["params"]),
        "MACs": short(totals["macs"]),
        "FLOPs": short(totals["flops"]),
        "other FLOPs": short(totals["other_flops"]),
        "FLOPs per parameter": short(totals["flops_per_param"]),
        "second counter": confirmed(profile),
    }


def _about(spec: ModelSpec) -> str:
    paper = f" {spec.paper}." if spec.paper else ""
    return f"{spec.description}{paper} Input: {'; '.join(spec.axes) or 'see its file'}.\n"


def _kinds(profile: Profile) -> pd.DataFrame:
    frame = profile.by_kind()
    params, flops = frame["params"].sum(), frame["flops"].sum()
    return pd.DataFrame(
        {
            "kind": frame["kind"],
            "layers": frame["layers"],
            "params": frame["params"].map(short),
            "% of params": (100 * frame["params"] / params).map("{:.1f}".format),
            "FLOPs": frame["flops"].map(short),
            "% of FLOPs": (100 * frame["flops"] / flops).map("{:.1f}".format),
            "other FLOPs": frame["other_flops"].map(short),
            "FLOPs per parameter": frame["flops_per_param"].map(short),
        }
    )
