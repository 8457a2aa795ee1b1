"""Profiles in the formats that pandas writes: csv, markdown, html and latex."""

from collections.abc import Sequence
from html import escape
from typing import Literal

import pandas as pd

from flopledger.profiles.tables import Profile
from flopledger.reports.cells import markdown_text, shown, to_csv, to_html, to_markdown
from flopledger.reports.profile_texts import chosen, footnotes, heading, summary
from flopledger.reports.units import by_x
from flopledger.storage.visible import visible

# what LaTeX takes for more than itself
_LATEX = {character: f"\\{character}" for character in "_%#&${}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip

Exported = Literal["csv", "markdown", "html", "latex"]


def render(profiles: Sequence[Profile], by: str, depth: int | None, form: Exported) -> str:
    """The chosen table of every profile, exact figures.

    CSV is one table with a leading model column; the other formats have one table a profile under
    a heading, and the summary where there are several.
    """
    tables = [_texts(chosen(profile, by, depth)) for profile in profiles]
    if form == "csv":
        named = [t.assign(model=p.model) for t, p in zip(tables, profiles, strict=True)]
        whole = pd.concat(named, ignore_index=True)
        return to_csv(whole[["model", *whole.columns.drop("model")]])
    parts = [
        part
        for profile, table in zip(profiles, tables, strict=True)
        for part in (headed(heading(profile), table, form), *_lines(footnotes(profile), form))
    ]
    if len(profiles) > 1:
        parts.append(headed("All of them, beside the first", summary(profiles), form))
    return "\n".join(parts)


def linked_markdown(frame: pd.DataFrame) -> str:
    """A GitHub table whose sources are links to their urls."""
    sources = [
        f"[{source}]({url})" if url else source
        for source, url in zip(frame["source"], frame["url"], strict=True)
    ]
    return to_markdown(frame.assign(source=sources).drop(columns="url"))


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    if "output_shape" in frame:
        frame = frame.assign(output_shape=frame["output_shape"].map(by_x))
    return frame


def headed(title: str, frame: pd.DataFrame, form: str) -> str:
    """A table under its title, as Markdown, HTML or LaTeX."""
    if form == "markdown":
        return f"## {markdown_text(title)}\n\n{to_markdown(frame)}"
    if form == "html":
        return f"<h2>{escape(visible(title))}</h2>\n{to_html(frame, na_rep='')}\n"
    plain = shown(frame, visible).rename(columns=lambda name: name.replace("_", " "))
    styler = plain.style.hide(axis="index").format(na_rep="", escape="latex", precision=4)
    return styler.to_latex(caption=_latex(title), hrules=True)


def _lines(lines: list[str], form: str) -> list[str]:
    if form == "markdown":
        return [f"- {markdown_text(line)}" for line in lines] + [""]
    if form == "html":
        return [f"<p>{escape(visible(line))}</p>" for line in lines]
    return [f"% {visible(line)}" for line in lines]


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in visible(text))
