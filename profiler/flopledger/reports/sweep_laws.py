"""The laws of a sweep's figures, in words and as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

from flopledger.reports.units import short
from flopledger.sweeping.laws import Law, fewest, fit
from flopledger.sweeping.rows import Row

# what is drawn and follows laws: the name, and its unit
QUANTITIES = {"FLOPs": "FLOP", "activations": "elements", "FLOPs per parameter": "FLOP"}

_SHOWN = 4  # sizes that a line names


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The law of one quantity of one network; None where there are too few sizes."""

    model: str
    quantity: str
    letter: str
    law: Law | None
    sizes: int
    fewest: int


def findings(rows: Sequence[Row], spans: Mapping[str, int]) -> list[Finding]:
    """The laws of rows in one letter; none of rows in several, or of networks without figures.

    Args:
        rows: of any networks.
        spans: the letters, and how many axes of an input have each.
    """
    if len(spans) != 1:
        return []
    ((letter, axes),) = spans.items()
    laws = []
    for model in dict.fromkeys(row.model for row in rows):
        counted = [row for row in rows if row.model == model and row.error is None]
        for quantity in QUANTITIES:
            figures = {row.sizes[letter]: figure(row, quantity) for row in counted}
            known = {size: value for size, value in figures.items() if value is not None}
            if known:
                laws.append(
                    Finding(
                        model=model,
                        quantity=quantity,
                        letter=letter,
                        law=fit(known, axes),
                        sizes=len(known),
                        fewest=fewest(axes),
                    )
                )
    return laws


def sentences(laws: Sequence[Finding]) -> list[str]:
    """A line a law: its polynomial, and where it holds."""
    lines = []
    for model in dict.fromkeys(finding.model for finding in laws):
        own = [finding for finding in laws if finding.model == model]
        few = [finding for finding in own if finding.law is None]
        if few:
            lines.append(
                f"{model}: no law, which takes {few[0].fewest} sizes or more that are counted, "
                f"and here are {few[0].sizes}"
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
            "exact": law.exact,
            "stands": law.stands,
            "holds_at": list(law.holds),
            "deviations": {str(size): by for size, by in law.deviations.items()},
            "worst_deviation": law.worst,
        }
    }


def figure(row: Row, quantity: str) -> int | Fraction | None:
    """One of QUANTITIES; None where it is not known."""
    if row.flops is None or row.samples is None:
        return None
    if quantity == "FLOPs":
        return row.flops
    if quantity == "activations":
        return row.activations
    return Fraction(row.flops, row.samples * row.trainable_params) if row.trainable_params else None


def _sentence(finding: Finding, law: Law) -> str:
    text = f"{finding.quantity} = {_polynomial(law, finding.letter)}"
    if law.exact:
        if law.everywhere:
            return f"{text}, exactly, at all {finding.sizes} sizes"
        return f"{text}, exactly, {_where(law, finding.letter)}; {_off(law, finding.letter)}"
    if law.everywhere:
        return f"{text}, within {_percent(law.worst)} at all {finding.sizes} sizes (least squares)"
    if not law.stands:
        text = f"{finding.quantity} follow no law that is tried; the nearest, {text}"
        return f"{text} (least squares), is {_off(law, finding.letter)}"
    return (
        f"{text}, within 1% at {len(law.holds)} of {finding.sizes} sizes (least squares); "
        f"{_off(law, finding.letter)}"
    )


def _polynomial(law: Law, letter: str) -> str:
    text = ""
    for power, c in law.coefficients.items():
        times = "" if power == 0 else f" {letter}" + (f"^{power}" if power > 1 else "")
        sign = "-" if c < 0 else ""
        text += (f" {sign or '+'} " if text else sign) + short(float(abs(c))) + times
    return text


def _where(law: Law, letter: str) -> str:
    """In words: a step, a range, or the sizes themselves."""
    holds, off = law.holds, law.deviations
    step = gcd(*(size - holds[0] for size in holds))
    rest = holds[0] % step if step else 0
    count = f"({len(holds)} of {len(holds) + len(off)} sizes)"
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
