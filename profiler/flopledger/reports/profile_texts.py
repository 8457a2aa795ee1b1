"""What every format says of profiles: which table, its heading, its footnotes, the summary."""

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.reports.units import by_x, percent, short


def chosen(profile: Profile, by: str, depth: int | None) -> pd.DataFrame:
    """The profile's table by "layer" (to that depth), "operator" or "kind"."""
    if by == "layer":
        return profile.by_layer(depth)
    return profile.by_operator() if by == "operator" else profile.by_kind()


def summary(profiles: Sequence[Profile]) -> pd.DataFrame:
    """One row a model: its totals, and their ratios to the first model's."""
    frame = pd.DataFrame(
        [{"model": p.model, **asdict(p.totals), "check": confirmed(p)} for p in profiles]
    )
    if frame["active_params"].equals(frame["params"]):  # nobody routes
        frame = frame.drop(columns="active_params")
    if not frame["masked_macs"].any():
        frame = frame.drop(columns="masked_macs")
    frame["flops_per_param"] = frame["flops_per_param"].astype(float)
    for quantity in ("params", "flops", "flops_per_param"):
        frame[f"{quantity}_ratio"] = frame[quantity] / frame[quantity].iloc[0]
    return frame


def heading(profile: Profile) -> str:
    """The model, its inputs, and whether the second counter confirms the first."""
    inputs = ", ".join(f"{by_x(i.shape)} {i.dtype}" for i in profile.inputs)
    samples = f"{profile.samples} sample{'s' if profile.samples != 1 else ''}"
    return f"{profile.model}: {inputs} ({samples}), {confirmed(profile)}"


def confirmed(profile: Profile) -> str:
    """What the second counter says, in a few words."""
    check = profile.check
    if check.agrees:
        return f"counted by {profile.counter}, {check.counter} agrees"
    if check.macs is None:
        return f"counted by {profile.counter} alone"
    return f"counted by {profile.counter}, {check.counter} DISAGREES: {check.macs:,} MACs"


def footnotes(profile: Profile) -> list[str]:
    """Whatever the table itself cannot say: ratios, what is missing, shared or unused."""
    totals = profile.totals
    least = "" if profile.complete else "at least "
    lines = [
        f"{short(totals.params)} parameters, {least}{short(totals.macs)} MACs = "
        f"{least}{short(totals.flops)} FLOPs a pass, {least}{short(totals.flops_per_param)} "
        "FLOPs per parameter and sample"
    ]
    if totals.flops_per_param is None:
        lines.append("no trainable parameters: FLOPs per parameter are undefined")
    lines.append(_counting(profile))
    if profile.active_params is not None:
        lines.append(f"one token meets {short(profile.active_params)} of the parameters")
    if masked := totals.masked_macs:
        lines.append(
            f"masks throw away {short(masked)} of the MACs "
            f"({percent(masked, totals.macs)}), which a kernel may skip"
        )
    if back := profile.backward:
        again = f", {short(back.recomputed_macs)} of them the forward's, done again"
        lines.append(
            f"backward pass: {short(back.macs)} MACs{again if back.recomputed_macs else ''}, "
            f"{short(back.ratio_to_forward)} x the forward, measured (commonly assumed: 2 x)"
            f"{_backward_check(profile)}"
        )
        if back.rescored_macs:
            lines.append(
                f"fused attention computes its scores again: {short(back.rescored_macs)} MACs "
                "more, which are not among the backward pass's"
            )
    lines += profile.notes
    if profile.check.reason:
        lines.append(f"{profile.check.counter}: {profile.check.reason}")
    lines += [
        f"not counted: {row['operator']}, {row['calls']} call(s), at "
        + ", ".join(path or "(top)" for path in row["layers"])
        for row in profile.unsupported().to_dict("records")
    ]
    lines += [f"shared: {line}" for layer in profile.modules for line in layer.shared]
    if profile.unused:
        lines.append(f"parameters that no operator used: {', '.join(profile.unused)}")
    return lines


def _backward_check(profile: Profile) -> str:
    """What the backward pass's second counter says, behind a comma."""
    check = profile.backward_check
    if check is None:
        return ""
    if check.agrees:
        return f"; {check.counter}'s graph agrees"
    if check.macs is None:
        return f"; nothing checks it ({check.reason})"
    return f"; {check.counter}'s graph DISAGREES: {check.macs:,} MACs ({check.reason})"


def _counting(profile: Profile) -> str:
    """Which counter, why, and how much of the pass it knows."""
    why = f" ({profile.reason})" if profile.reason else ""
    covered, calls = profile.coverage, len(profile.calls) + len(profile.backward_calls or ())
    share = covered.arithmetic
    work = "an unknown share" if share is None else percent(share, 1)
    return (
        f"counted by {profile.counter}{why}; {percent(covered.calls, 1)} of {calls} calls "
        f"and {work} of the arithmetic have a formula"
    )
