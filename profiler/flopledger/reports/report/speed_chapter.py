"""The report's chapter on the second discussion: hardware or software."""

from datetime import date
from typing import Any

import pandas as pd

from flopledger.clock.published_peaks import peak_of
from flopledger.ledger.chain import Chain
from flopledger.ledger.dawnbench_hours import contradiction, utilisation
from flopledger.reports import claims, compare_chain
from flopledger.reports.cells import to_markdown
from flopledger.reports.profile_exports import linked_markdown
from flopledger.reports.report.report_data import Findings
from flopledger.reports.units import short

TITLE = "Hardware or software?"


def sections(findings: Findings) -> list[dict[str, Any]]:
    """What the page shows of each chain."""
    return [
        {
            "name": name,
            "answer": answer(findings, chain),
            "legend": legend(findings, chain),
            "orders": compare_chain.orders_table(chain),
            "values": compare_chain.values_table(chain),
        }
        for name, chain in findings.chains.items()
    ]


def answer(findings: Findings, chain: Chain) -> str:
    """One sentence: how much faster, and where it comes from, the largest part first."""
    entry = findings.entries[chain.runs[-1]]
    parts = sorted(
        ((name, orders) for name, orders in chain.orders.items() if abs(orders) >= 0.005),
        key=lambda part: -abs(part[1]),
    )
    listed = ", ".join(f"{orders:+.2f} from {name}" for name, orders in parts)
    return (
        f"{entry.chips.value:.0f} {entry.chip} chips, {chain.totals[0]:.2f} h to "
        f"{chain.totals[-1]:.2f} h: {10**-chain.total_orders:.2f} times as fast. Of these "
        f"{chain.total_orders:.2f} orders of magnitude of hours come {listed}."
    )


def legend(findings: Findings, chain: Chain) -> list[str]:
    """A line an entry: its letter, its hours, and what is to be known of it."""
    lines = []
    for letter, name in zip(compare_chain.letters(chain), chain.runs, strict=True):
        entry = findings.entries[name]
        about = (
            f"{entry.published_on}, {entry.framework}, {entry.precision or 'precision not known'}"
        )
        note = f"; {entry.note}" if entry.note else ""
        lines.append(f"{letter}: {name}, {about}{note}")
    return lines


def contradictions(findings: Findings) -> list[str]:
    """A line on each entry that used more than its chips can do."""
    return [line for line in map(contradiction, findings.hours.values()) if line]


def entries_table(findings: Findings) -> pd.DataFrame:
    """Every entry, and the use that it made of its chips."""
    rows = []
    for name, entry in findings.entries.items():
        ledger = findings.hours.get(name)
        used = utilisation(ledger) if ledger else None
        schedule = "; ".join(f"{stage.epochs:g} at {stage.pixels}" for stage in entry.stages)
        rows.append(
            {
                "entry": name,
                "date": entry.published_on.isoformat(),
                "model": entry.model,
                "chips": f"{entry.chips.value:.0f} {entry.chip}",
                "precision": entry.precision or "not known",
                "batch": ", ".join(map(str, entry.batches)) or "not known",
                "epochs": short(entry.epochs.value),
                "schedule": schedule,
                "hours": short(ledger.total if ledger else None),
                "use of the peak": f"{used:.1%}" if used else "not known",
                "source": entry.source,
                "url": entry.url or "",
                "retrieved": _day(entry.retrieved),
                "note": entry.note,
            }
        )
    return pd.DataFrame(rows)


def peaks_table(findings: Findings) -> pd.DataFrame:
    """What the entries' and the runs' chips do at most, at float32 and at their precisions."""
    used = [(entry.chip, entry.precision) for entry in findings.entries.values()]
    used += [
        (run.hardware.chip, run.hardware.precision)
        for run in findings.runs.values()
        if run.hardware is not None
    ]
    asked = dict.fromkeys(
        (chip, precision) for chip, own in used for precision in ("float32", own) if precision
    )
    peaks = {(chip, precision): peak_of(chip, precision) for chip, precision in asked}
    return pd.DataFrame(
        [
            {
                "chip": chip,
                "precision": precision,
                "TFLOP/s": f"{peak.flops_per_second / 1e12:.4g}",
                "source": peak.source,
                "url": peak.url or "",
                "retrieved": _day(peak.retrieved) if peak.url else "",
            }
            for (chip, precision), peak in peaks.items()
            if peak.flops_per_second
        ]
    )


def _day(retrieved: date | None) -> str:
    return retrieved.isoformat() if retrieved else "from memory"


def markdown(findings: Findings) -> list[str]:
    """The chapter for report.md."""
    parts = [f"# {TITLE}\n"]
    for section in sections(findings):
        parts += [
            f"{section['answer']}\n",
            "".join(f"- {line}\n" for line in section["legend"]),
            to_markdown(section["orders"]),
            to_markdown(section["values"]),
        ]
    verdicts = findings.verdicts_of("D2")
    return [*parts, *(f"{line}\n" for line in contradictions(findings)),
            claims.markdown(verdicts), linked_markdown(entries_table(findings)),
            linked_markdown(peaks_table(findings))]  # fmt: skip
