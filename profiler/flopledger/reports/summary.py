"""A network's summary as a table, and as a notebook shows it."""

import pandas as pd

from flopledger.overview.network_summary import Summary
from flopledger.reports.notebook import as_html
from flopledger.reports.profile_notebook import icicle
from flopledger.reports.profile_texts import confirmed, heading
from flopledger.reports.units import binary, percent, short


def table(summary: Summary) -> str:
    """A heading, a line a figure, and what is missing."""
    rows = figures(summary)
    width = max(map(len, rows))
    lines = [f"{name:{width}}  {value}" for name, value in rows.items()]
    return "".join(f"{line}\n" for line in (heading(summary.profile), *lines, *summary.notes))


def html(summary: Summary) -> str:
    """The same for a notebook, with the icicle."""
    rows = figures(summary)
    frame = pd.DataFrame({"": list(rows), summary.profile.model: list(rows.values())})
    return as_html(heading(summary.profile), frame, summary.notes) + icicle(summary.profile)


def figures(summary: Summary) -> dict[str, str]:
    """Each figure as people read it, by its name."""
    counted, held, taken = summary.profile, summary.memory, summary.timing
    totals, least = counted.totals, "" if counted.complete else "at least "
    rows = {
        "parameters": short(totals.params),
        "MACs a pass": f"{least}{short(totals.macs)}",
        "FLOPs a pass": f"{least}{short(totals.flops)} (2 x MACs)",
        "FLOPs per parameter": f"{least}{short(totals.flops_per_param)} a sample",
    }
    if back := counted.backward:
        rows["backward pass"] = f"{short(back.macs)} MACs, {short(back.ratio_to_forward)} x"
    if held is not None:
        rows["memory, inference"] = f"{binary(held.inference_peak_bytes)} at its peak"
        if held.training_peak_bytes is not None:
            peak = binary(held.training_peak_bytes)
            rows["memory, training"] = f"{peak} at a step's peak ({summary.optimiser})"
    if taken is not None:
        rows["time a pass"] = f"{taken.seconds * 1e3:.3g} ms on {taken.device}"
        rows["speed"] = f"{least}{short(taken.flops_per_second)}FLOP/s"
        rows["MFU"] = f"{least}{percent(taken.utilisation, 1)} of the measured peak"
    return {**rows, "check": confirmed(counted)}
