"""The report: the page, report.md, every table as CSV and every chart as a picture."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import vl_convert

from flopledger.ledger.comparison import Comparison
from flopledger.profiles.tables import Profile
from flopledger.reports import (
    cells,
    claims,
    compare,
    compare_chain,
    horizon,
    profile_exports,
    systems,
    train,
)
from flopledger.reports.edition import edition
from flopledger.reports.pictures import titled
from flopledger.reports.profile_texts import confirmed, summary
from flopledger.reports.report import field_chapter, horizon_chapter, page, speed_chapter
from flopledger.reports.report.figures import Figure, drawn
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short
from flopledger.storage.files import write_whole
from flopledger.zoo.published import COLUMNS, held_against
from flopledger.zoo.registry import ModelSpec


def write(findings: Findings, folder: Path) -> Path:
    """Write index.html, report.md, tables/*.csv and figures/*.svg, *.png and *.csv, each whole.

    Returns:
        Where the page lies.

    Raises:
        OSError: the folder cannot be made or written.
    """
    figures = drawn(findings)
    contents: dict[str, str | bytes] = {**_tables(findings)}
    contents["report.md"] = _markdown(findings)
    made = edition()
    contents["index.html"] = page.render(findings, figures, made)
    for figure in figures:
        svg = vl_convert.vegalite_to_svg(titled(figure.spec, figure.caption, made))
        contents[f"figures/{figure.name}.csv"] = _data(figure)
        contents[f"figures/{figure.name}.svg"] = svg
        contents[f"figures/{figure.name}.png"] = vl_convert.svg_to_png(svg, scale=2)
    for name in ("tables", "figures"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_whole(folder / name, content)
    return folder / "index.html"


def _data(figure: Figure) -> str:
    """The rows behind the chart: its largest table, and the others with the same columns."""
    frames = [pd.DataFrame(rows) for rows in figure.spec["datasets"].values()]
    largest = max(frames, key=len)
    same = [frame for frame in frames if list(frame) == list(largest)]
    return cells.to_csv(pd.concat(same, ignore_index=True))


def _tables(findings: Findings) -> dict[str, str]:
    profiles = [profile for _, profile in findings.counted]
    frames = {
        "summary": summary(profiles),
        "published": _published(findings.counted),
        "runs": page.totals_table(findings),
        "facts": page.facts_table(findings),
        "claims": claims.frame(findings.verdicts),
        **{
            f"horizon-{task}": horizon.arms_table(result)
            for task, result in findings.horizons.items()
        },
        "dawnbench": speed_chapter.entries_table(findings),
        "systems": systems.frame(findings.field),
        "systems-trend": systems.variant_table(findings.field),
        "systems-domains": systems.by_domain(findings.field),
        "systems-runs": field_chapter.run_table(findings.field),
        "peaks": speed_chapter.peaks_table(findings),
    }
    return {
        **{f"tables/{name}.csv": cells.to_csv(frame) for name, frame in frames.items()},
        **{
            f"tables/{profile.model}.csv": profile_exports.render([profile], "layer", None, "csv")
            for profile in profiles
        },
        **{
            f"tables/compare-{split.a}-{split.b}-{split.accounting}.csv": compare.csv(split)
            for split in _splits(findings)
        },
        **{
            f"tables/training-{name}.csv": cells.to_csv(train.agreement_table(agreement))
            for name, agreement in findings.trainings.items()
        },
        **{
            f"tables/chain-{name}.csv": compare_chain.csv(chain)
            for name, chain in findings.chains.items()
        },
    }


def _splits(findings: Findings) -> list[Comparison]:
    return [split for splits in findings.comparisons.values() for split in splits.values()]


def _published(counted: Sequence[tuple[ModelSpec, Profile]]) -> pd.DataFrame:
    frames = [held_against(spec, profile) for spec, profile in counted]
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=COLUMNS)


def _markdown(findings: Findings) -> str:
    counted = findings.counted
    published = _published(counted)
    statuses = published["status"].value_counts()
    parts = [
        "# Where did the compute go?\n",
        *(f"{cells.markdown_text(page.answer(findings, split))}\n" for split in _splits(findings)),
        *(compare.markdown(split) for split in _splits(findings)),
        "## The claims\n",
        claims.markdown(findings.verdicts_of("D1")),
        "## The runs, from the bottom up\n",
        profile_exports.linked_markdown(page.totals_table(findings)),
        *horizon_chapter.markdown(findings),
        "## Two trainings, watched from beginning to end\n",
        *(
            f"{name}: {train.verdict(agreement)}.\n\n"
            + cells.to_markdown(train.agreement_table(agreement))
            for name, agreement in findings.trainings.items()
        ),
        compare.markdown(findings.watched),
        *field_chapter.markdown(findings.field),
        *speed_chapter.markdown(findings),
        "## Training compute as published\n",
        profile_exports.linked_markdown(page.systems_table(findings)),
        "## Every fact and its source\n",
        profile_exports.linked_markdown(page.facts_table(findings)),
        "# Where the FLOPs and the parameters are\n",
        f"{len(counted)} networks, one sample each; both counters agree to the last MAC on "
        f"{agreeing(counted)} of them. Of {len(published)} published figures, "
        + ", ".join(f"{statuses.get(s, 0)} are {s}" for s in ("reproduced", "explained"))
        + f" and {statuses.get('contradicted', 0)} contradicted.\n",
        "1 MAC = one multiply and one add = 2 FLOP; FLOPs are 2 x the MACs of convolutions, linear "
        "layers, matrix products, attention and recurrent cells; everything else is other FLOPs. "
        "Exact figures are in tables/.\n",
        "## The zoo\n",
        cells.to_markdown(pd.DataFrame([_row(spec, profile) for spec, profile in counted])),
        "## Published figures\n",
        cells.to_markdown(
            published.assign(
                published=published["published"].map(short),
                measured=published["measured"].map("{:,.0f}".format),
                ratio=published["ratio"].map("{:.4f}".format),
            )
        ),
        "## Where each network spends and keeps\n",
    ]
    for spec, profile in counted:
        parts += [
            f"### {cells.markdown_text(profile.model)}\n",
            cells.markdown_text(_about(spec).rstrip("\n")) + "\n",
            cells.to_markdown(_kinds(profile)),
        ]
    return "\n".join(parts)


def agreeing(counted: Sequence[tuple[ModelSpec, Profile]]) -> int:
    """Of how many networks both counters have the same MACs; a count that stands alone is none."""
    return sum(profile.check.agrees is True for _, profile in counted)


def _row(spec: ModelSpec, profile: Profile) -> dict[str, object]:
    totals = profile.totals
    return {
        "model": profile.model,
        "year": spec.year or "",
        "params": short(totals.params),
        "MACs": short(totals.macs),
        "FLOPs": short(totals.flops),
        "other FLOPs": short(totals.other_flops),
        "FLOPs per parameter": short(totals.flops_per_param),
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
