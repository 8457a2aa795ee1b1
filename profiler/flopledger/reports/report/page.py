"""The report as one self-contained page, and its charts as files."""

from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, StrictUndefined

from flopledger.counting.cached import remembered
from flopledger.ledger.comparison import Comparison
from flopledger.reports import claims, compare, train
from flopledger.reports.report import speed_chapter
from flopledger.reports.report.figures import SIDE_BY_SIDE, Figure
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short


def render(findings: Findings, figures: Sequence[Figure]) -> str:
    """The page: HTML with everything it needs inside, and nothing to fetch.

    Args:
        findings: what it tells.
        figures: its charts.
    """
    template = files("flopledger.reports.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["html_table"] = _html_table
    return environment.from_string(template).render(
        versions=[
            {
                "name": name,
                "title": findings.runs[name].title,
                "answer": answer(findings, comparison),
                "factors": compare.factor_table(comparison),
                "hovers": _hovers(comparison),
                "sources": _factor_sources(comparison),
                "published": compare.published_table(comparison),
                "uncertainty": compare.uncertainty(comparison),
            }
            for name, comparison in findings.comparisons.items()
        ],
        shares=share_table(findings),
        zoo=zoo_table(findings),
        claims=_claims(findings, 1),
        trainings=[
            (name, train.agreement_table(agreement), train.verdict(agreement))
            for name, agreement in findings.trainings.items()
        ],
        watched=compare.factor_table(findings.watched),
        watched_ratio=compare.heading(findings.watched),
        speed=speed_chapter.sections(findings),
        speed_title=speed_chapter.TITLE,
        speed_claims=_claims(findings, 2),
        contradictions=speed_chapter.contradictions(findings),
        entries=speed_chapter.entries_table(findings),
        totals=totals_table(findings),
        systems=systems_table(findings),
        facts=facts_table(findings),
        figures=figures,
        specs={figure.name: {**figure.spec, "width": "container"} for figure in figures},
        bundle=remembered(f"vega-{version('vl-convert-python')}.js", _bundle),
    )


def _claims(findings: Findings, discussion: int) -> list[dict[Any, Any]]:
    verdicts = [verdict for verdict in findings.verdicts if verdict.claim.discussion == discussion]
    return claims.frame(verdicts).to_dict("records")


def _bundle() -> str:
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle


def answer(findings: Findings, comparison: Comparison) -> str:
    """One sentence: how much more, and where it comes from, the largest part first."""
    c = comparison
    parts = sorted(c.factors, key=lambda share: -abs(share.orders))
    listed = ", ".join(f"{share.orders:+.2f} from {share.factor}" for share in parts)
    ratio = float(f"{c.ratio:.2g}")
    return (
        f"{findings.runs[c.b].title}: {ratio:,.0f} times the training compute per parameter of "
        f"{findings.runs[c.a].title}. Of these {c.orders:.2f} orders of magnitude (90%: "
        f"{c.interval[0]:.2f} to {c.interval[1]:.2f}) come {listed}."
    )


def share_table(findings: Findings) -> pd.DataFrame:
    """The stacked bars' numbers, by kind of layer."""
    rows = []
    for _, profile in findings.counted:
        if profile.model in SIDE_BY_SIDE:
            frame = profile.by_kind()
            for row in frame.to_dict("records"):
                if row["params"] or row["flops"]:
                    rows.append(
                        {
                            "network": profile.model,
                            "kind": row["kind"],
                            "layers": row["layers"],
                            "parameters": short(row["params"]),
                            "share of parameters": f"{row['params'] / frame['params'].sum():.1%}",
                            "FLOPs": short(row["flops"]),
                            "share of FLOPs": f"{row['flops'] / frame['flops'].sum():.1%}",
                            "FLOPs per parameter": short(row["flops_per_param"]),
                        }
                    )
    return pd.DataFrame(rows)


def zoo_table(findings: Findings) -> pd.DataFrame:
    """The zoo's totals."""
    return pd.DataFrame(
        [
            {
                "network": profile.model,
                "year": spec.year or "",
                "parameters": short(profile.total("params")),
                "MACs": short(profile.total("macs")),
                "FLOPs": short(profile.total("flops")),
                "FLOPs per parameter": short(profile.total("flops_per_param")),
                "backward / forward": short(
                    None if profile.backward is None else profile.backward.ratio_to_forward
                ),
                "paper": spec.paper,
            }
            for spec, profile in findings.counted
        ]
    )


def totals_table(findings: Findings) -> pd.DataFrame:
    """Each run's compute from the bottom up, beside every published total."""
    rows = []
    for name, ledger in findings.ledgers.items():
        assert ledger.params is not None  # it is a ledger of compute
        published = ledger.published or (("none known", None),)
        for source, per_param in published:
            rows.append(
                {
                    "run": name,
                    "parameters": short(ledger.params),
                    "FLOP, bottom up": f"{ledger.total_flops:.3g}",
                    "FLOP per parameter": short(ledger.total),
                    "published FLOP": f"{per_param * ledger.params:.3g}" if per_param else "-",
                    "ours / published": f"{ledger.total / per_param:.2f}" if per_param else "-",
                    "source": source,
                }
            )
    return pd.DataFrame(rows)


def systems_table(findings: Findings) -> pd.DataFrame:
    """The published systems of the chart over time."""
    return pd.DataFrame(
        [
            {
                "system": s.name,
                "published": s.published_on.isoformat(),
                "FLOP": f"{s.flops:.3g}",
                "parameters": short(s.params),
                "FLOP per parameter": short(s.flops / s.params if s.params else None),
                "source": s.source,
            }
            for s in sorted(findings.systems, key=lambda s: s.published_on)
        ]
    )


def facts_table(findings: Findings) -> pd.DataFrame:
    """Every fact of every run, with its interval and its source."""
    rows: dict[tuple[object, ...], dict[str, str]] = {}
    for run in findings.runs.values():
        for phase in run.phases:
            for key, fact in phase.facts.items():
                where = f"{run.name}, {phase.name}" if len(run.phases) > 1 else run.name
                between = f"{short(fact.low)} to {short(fact.high)}" if fact.low else "-"
                rows[where, key] = {
                    "run": where,
                    "fact": key,
                    "value": short(fact.value),
                    "90% interval": between,
                    "unit": fact.unit,
                    "kind": fact.kind,
                    "source": fact.source,
                }
    return pd.DataFrame(list(rows.values()))


def _hovers(comparison: Comparison) -> list[list[str]]:
    """The source behind each cell of the factors' table: its two runs' columns, then nothing."""
    rows = [["", share.source_a, share.source_b, *[""] * 4] for share in comparison.factors]
    return [*rows, ["", *["the product of the factors"] * 2, *[""] * 4]]


def _factor_sources(comparison: Comparison) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "factor": share.factor,
                f"source, {comparison.a}": share.source_a,
                f"source, {comparison.b}": share.source_b,
            }
            for share in comparison.factors
        ]
    )


def _html_table(frame: pd.DataFrame, caption: str) -> str:
    from markupsafe import Markup

    # pandas escapes the cells; the caption is the template's own text
    table = frame.to_html(index=False, border=0, na_rep="", justify="left")
    return Markup(table.replace("<thead>", f"<caption>{caption}</caption><thead>", 1))
