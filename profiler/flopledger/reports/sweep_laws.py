"""The laws of a sweep's figures, in words and as plain data."""

from collections.abc import Sequence
from typing import Any

from flopledger.reports.units import short
from flopledger.sweeping.findings import QUANTITIES, Finding, findings
from flopledger.sweeping.laws import Law
from flopledger.sweeping.sweep_result import Sweep

_SHOWN = 4  # sizes that a line names


def laws_of(sweep: Sweep) -> list[Finding]:
    """The laws of a sweep's figures, held against its further rows."""
    return findings(sweep.rows, sweep.spans, sweep.further)


def sentences(laws: Sequence[Finding]) -> list[str]:
    """A line a law: its polynomial, and where it holds."""
    lines = []
    for model in dict.fromkeys(finding.model for finding in laws):
        own = [finding for finding in laws if finding.model == model]
        few = [finding for finding in own if finding.law is None]
        if few:
            lines.append(
                f"{model}: no law, which takes {few[0].fewest} sizes or more that are counted, "
                f"and here are {len(few[0].asked)}"
            )
        lines += [f"{model}: {_sentence(f, f.law)}" for f in own if f.law is not None]
    return lines


def law_as_object(finding: Finding) -> dict[str, Any]:
    """A law as plain dicts, lists and numbers; "law" is None where there are too few sizes."""
    names = {"model": finding.model, "quantity": finding.quantity, "letter": finding.letter}
    if finding.law is None:
        return names | {"law": None}
    law = finding.law
    return names | {
        "law": {
            "coefficients": [
                {"power": power, "value": float(c), "unit": _unit(finding, power)}
                for power, c in law.coefficients.items()
            ],
            **_windows(law, finding.letter),
            "exact": law.exact,
            "stands": law.stands,
            "holds_at": [size for size in law.holds if size in finding.asked],
            "deviations": {str(size): by for size, by in law.deviations.items()},
            "worst_deviation": law.worst,
        },
        "confirmed_at": [size for size in law.holds if size not in finding.asked],
    }


def _windows(law: Law, letter: str) -> dict[str, Any]:
    """The terms of whole windows, of a law that has any."""
    if law.window is None:
        return {}
    of, width = _of(law, letter), law.window.width
    return {
        "windows": [
            {"width": width, "of": of, "power": power, "value": float(c)}
            for power, c in law.padded.items()
        ]
    }


def _sentence(finding: Finding, law: Law) -> str:
    letter, sizes = finding.letter, len(finding.asked)
    holds = sum(size in law.holds for size in finding.asked)
    text = f"{finding.quantity} = {_polynomial(law, letter)}"
    if law.exact:
        if law.everywhere:
            return f"{text}, exactly, at all {sizes} sizes"
        where = _where(law, letter, f"({holds} of {sizes} sizes)")
        return f"{text}, exactly, {where}; {_off(law, letter)}"
    if law.everywhere:
        return f"{text}, within {_percent(law.worst)} at all {sizes} sizes (least squares)"
    if not law.stands:
        text = f"{finding.quantity} follow no law that is tried; the nearest, {text}"
        return f"{text} (least squares), is {_off(law, letter)}"
    return f"{text}, within 1% at {holds} of {sizes} sizes (least squares); {_off(law, letter)}"


def _polynomial(law: Law, letter: str) -> str:
    text = ""
    terms = [(c, letter, power) for power, c in law.coefficients.items()]
    constants = [term for term in terms if term[2] == 0]
    wide = [(c, "P", power) for power, c in law.padded.items()]
    for c, name, power in (*(term for term in terms if term[2]), *wide, *constants):
        times = "" if power == 0 else f" {name}" + (f"^{power}" if power > 1 else "")
        sign = "-" if c < 0 else ""
        text += (f" {sign or '+'} " if text else sign) + short(float(abs(c))) + times
    if law.window is not None and wide:
        width = law.window.width
        text += f" with P = {width} ceil({_of(law, letter)} / {width})"
    return text


def _of(law: Law, letter: str) -> str:
    """What fills the windows: the size, or its places in a row."""
    power = law.window.power if law.window is not None else 1
    return letter if power == 1 else f"{letter}^{power}"


def _where(law: Law, letter: str, count: str) -> str:
    """In words: a step, a range, or the sizes themselves."""
    holds, off = law.holds, law.deviations
    step = law.step
    rest = holds[0] % step
    if step > 1 and not any(size % step == rest for size in off):
        multiples = f"at multiples of {step}" if not rest else f"where {letter} mod {step} = {rest}"
        return f"{multiples} {count}"
    if min(off) > holds[-1]:
        return f"up to {letter}={holds[-1]} {count}"
    if max(off) < holds[0]:
        return f"from {letter}={holds[0]} on {count}"
    return f"at {_listed(letter, holds)} {count}"


def _off(law: Law, letter: str) -> str:
    off = [f"{size} ({_percent(by, '+')})" for size, by in law.deviations.items()]
    worst = max(law.deviations, key=lambda size: abs(law.deviations[size]))
    text = f"off at {_listed(letter, off)}"
    if len(off) > _SHOWN:
        text += f", the most at {letter}={worst} ({_percent(law.deviations[worst], '+')})"
    return text


def _listed(letter: str, sizes: Sequence[Any]) -> str:
    more = f" and {len(sizes) - _SHOWN} more" if len(sizes) > _SHOWN else ""
    return f"{letter}=" + ", ".join(map(str, sizes[:_SHOWN])) + more


def _unit(finding: Finding, power: int) -> str:
    per = f" / {finding.letter}" + (f"^{power}" if power > 1 else "") if power else ""
    return QUANTITIES[finding.quantity] + per


def _percent(share: float, sign: str = "") -> str:
    return f"{100 * share:{sign}.0f}%" if abs(share) >= 0.1 else f"{100 * share:{sign}.2g}%"
