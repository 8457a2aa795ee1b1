"""A sweep as table, CSV, Markdown or JSON, with the laws of its figures; and as a picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Any

import pandas as pd

from profiler.laws import Law, fewest, fit
from profiler.reports.exports import to_markdown
from profiler.reports.terminal import plain_table
from profiler.reports.units import short
from profiler.sweeping.rows import Row

FORMATS = ("table", "json", "csv", "markdown")
PICTURES = ("svg", "png", "html")

# what is drawn and follows laws: the name, and its unit
QUANTITIES = {"FLOPs": "FLOP", "activations": "elements", "FLOPs per parameter": "FLOP"}

_FIGURES = ("samples", "params", "macs", "flops", "other_flops", "activations", "flops_per_param")
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
    found = []
    for model in dict.fromkeys(row.model for row in rows):
        counted = [row for row in rows if row.model == model and row.error is None]
        for quantity in QUANTITIES:
            figures = {row.sizes[letter]: _figure(row, quantity) for row in counted}
            known = {size: figure for size, figure in figures.items() if figure is not None}
            if known:
                found.append(
                    Finding(
                        model=model,
                        quantity=quantity,
                        letter=letter,
                        law=fit(known, axes),
                        sizes=len(known),
                        fewest=fewest(axes),
                    )
                )
    return found


def render(rows: Sequence[Row], spans: Mapping[str, int], form: str) -> str:
    """The rows in one of FORMATS; table and Markdown end with the laws, JSON has them beside."""
    found = findings(rows, spans)
    if form == "json":
        said = {
            "rows": [row.as_object() for row in rows],
            "laws": [law_as_object(one) for one in found],
        }
        return json.dumps(said, indent=2, allow_nan=False) + "\n"
    if form == "csv":
        return frame(rows).to_csv(index=False)
    lines = [*sentences(found), *notes(rows)]
    if form == "markdown":
        exact = frame(rows).astype(object)
        exact = exact.where(exact.notna(), "").map(lambda cell: str(cell).replace("|", r"\|"))
        return to_markdown(exact) + "".join(f"\n- {line}" for line in lines) + "\n"
    return _table(rows) + "".join(f"{line}\n" for line in lines)


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """One row a row: model, a column a letter, input, the figures, counter, agrees, error."""
    return pd.DataFrame(
        [
            {
                "model": row.model,
                **row.sizes,
                "input": row.input,
                **{name: getattr(row, name) for name in _FIGURES},
                "counter": row.counter,
                "agrees": row.agrees,
                "uncounted": "; ".join(row.uncounted),
                "error": row.error,
            }
            for row in rows
        ]
    ).convert_dtypes()


def sentences(found: Sequence[Finding]) -> list[str]:
    """A line a law: its polynomial, and where it holds."""
    lines = []
    for model in dict.fromkeys(one.model for one in found):
        own = [one for one in found if one.model == model]
        few = [one for one in own if one.law is None]
        if few:
            lines.append(
                f"{model}: no law, which takes {few[0].fewest} sizes or more that are counted, "
                f"and here are {few[0].sizes}"
            )
        lines += [f"{model}: {_sentence(one, one.law)}" for one in own if one.law is not None]
    return lines


def notes(rows: Sequence[Row]) -> list[str]:
    """What was assumed, and what is not counted, once a network."""
    lines = [
        f"{row.model}: {line}"
        for row in rows
        for line in (*row.notes, *(f"not counted: {one}" for one in row.uncounted))
    ]
    return list(dict.fromkeys(lines))


def law_as_object(one: Finding) -> dict[str, Any]:
    """A law as plain dicts, lists and numbers; "law" is None where there are too few sizes."""
    said: dict[str, Any] = {"model": one.model, "quantity": one.quantity, "letter": one.letter}
    if one.law is None:
        return said | {"law": None}
    law = one.law
    return said | {
        "law": {
            "coefficients": [
                {"power": power, "value": float(c), "unit": _unit(one, power)}
                for power, c in law.coefficients.items()
            ],
            "exact": law.exact,
            "holds_at": list(law.holds),
            "deviations": {str(size): by for size, by in law.deviations.items()},
            "worst_deviation": law.worst,
        }
    }


def picture(rows: Sequence[Row], spans: Mapping[str, int], form: str) -> str | bytes:
    """The chart of `reports.charts.sweep` in one of PICTURES.

    Raises:
        ValueError: no row has figures.
    """
    import vl_convert

    from profiler.reports.charts import sweep

    points = _points(rows)
    if points.empty:
        raise ValueError("no row has figures to draw")
    spec = sweep(points, _curves(findings(rows, spans), points)).to_dict()
    spec = {**spec, "background": "white"}
    if form == "html":
        page: str = vl_convert.vegalite_to_html(spec, bundle=True)
        return page
    svg: str = vl_convert.vegalite_to_svg(spec)
    return svg if form == "svg" else bytes(vl_convert.svg_to_png(svg, scale=2))


def _points(rows: Sequence[Row]) -> pd.DataFrame:
    """One row a quantity of a row: network (with every letter but the first), axis, size."""
    points = []
    for row in rows:
        (letter, size), *others = row.sizes.items()
        name = ", ".join([row.model, *(f"{other}={at}" for other, at in others)])
        for quantity in QUANTITIES:
            figure = _figure(row, quantity)
            if figure is not None:
                points.append(
                    {
                        "network": name,
                        "quantity": quantity,
                        "axis": letter,
                        "size": size,
                        "figure": float(figure),
                        "label": short(float(figure)),
                    }
                )
    return pd.DataFrame(points)


def _curves(found: Sequence[Finding], points: pd.DataFrame) -> pd.DataFrame:
    """Each law, drawn through the sizes that were swept."""
    rows = []
    for one in found:
        own = points[points["network"] == one.model]
        if one.law is None or not one.law.holds:
            continue
        low, high = int(own["size"].min()), int(own["size"].max())
        for size in sorted({low + (high - low) * i // 60 for i in range(61)}):
            figure = float(one.law.at(size))
            if figure > 0:
                rows.append(
                    {"network": one.model, "quantity": one.quantity, "size": size, "figure": figure}
                )
    return pd.DataFrame(rows, columns=["network", "quantity", "size", "figure"])


def _figure(row: Row, quantity: str) -> int | Fraction | None:
    if row.flops is None or row.samples is None:
        return None
    if quantity == "FLOPs":
        return row.flops
    if quantity == "activations":
        return row.activations
    return Fraction(row.flops, row.samples * row.trainable_params) if row.trainable_params else None


def _table(rows: Sequence[Row]) -> str:
    """A line a row; what went wrong stands where its figures would."""
    figures = [
        name
        for name in _FIGURES
        if name != "samples" or any(r.samples not in (None, 1) for r in rows)
    ]
    cells = pd.DataFrame(
        [
            {
                "model": row.model,
                **{letter: str(size) for letter, size in row.sizes.items()},
                **{_title(name): _cell(row, name) for name in figures},
                "check": _check(row),
            }
            for row in rows
        ]
    )
    head, *lines = plain_table(cells).splitlines()
    told = [
        f"{line}  {row.error}" if row.error is not None else line
        for line, row in zip(lines, rows, strict=True)
    ]
    return "\n".join([head, *told]) + "\n"


def _title(name: str) -> str:
    return {"macs": "MACs", "flops": "FLOPs", "other_flops": "other FLOPs",
            "flops_per_param": "FLOPs/param"}.get(name, name)  # fmt: skip


def _cell(row: Row, name: str) -> str:
    if row.error is not None:
        return ""
    least = ">=" if row.uncounted and name not in ("samples", "params", "activations") else ""
    return least + short(getattr(row, name))


def _check(row: Row) -> str:
    if row.error is not None:
        return ""
    return {True: "agrees", False: "DISAGREES", None: "alone"}[row.agrees]


def _sentence(one: Finding, law: Law) -> str:
    said = f"{one.quantity} = {_polynomial(law, one.letter)}"
    if law.exact:
        if law.everywhere:
            return f"{said}, exactly, at all {one.sizes} sizes"
        return f"{said}, exactly, {_where(law, one.letter)}; {_off(law, one.letter)}"
    if law.everywhere:
        return f"{said}, within {_percent(law.worst)} at all {one.sizes} sizes (least squares)"
    if 2 * len(law.holds) < one.sizes:
        said = f"{one.quantity} follow no law that is tried; the nearest, {said}"
        return f"{said} (least squares), is {_off(law, one.letter)}"
    return (
        f"{said}, within 1% at {len(law.holds)} of {one.sizes} sizes (least squares); "
        f"{_off(law, one.letter)}"
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
    said = f"off at {_listed(letter, off)}"
    if len(off) > _SHOWN:
        said += f", the most at {letter}={worst} ({_percent(law.deviations[worst], '+')})"
    return said


def _listed(letter: str, sizes: Sequence[Any]) -> str:
    more = f" and {len(sizes) - _SHOWN} more" if len(sizes) > _SHOWN else ""
    return f"{letter}=" + ", ".join(map(str, sizes[:_SHOWN])) + more


def _unit(one: Finding, power: int) -> str:
    per = f" / {one.letter}" + (f"^{power}" if power > 1 else "") if power else ""
    return QUANTITIES[one.quantity] + per


def _percent(share: float, sign: str = "") -> str:
    return f"{100 * share:{sign}.2g}%"
