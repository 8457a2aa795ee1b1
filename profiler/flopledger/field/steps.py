"""How many decisions share one outcome, of the systems where that is defined."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache

from pydantic import PositiveFloat

from flopledger.field.published_systems import PublishedSystem
from flopledger.storage.facts import Table, Text, Url, facts_folder, read_rows

# the loss of a language model is computed from each token, that of a network on pictures from each
# picture: docs/conventions.md
BY_DOMAIN = {
    "Language": "a token is an outcome: docs/conventions.md",
    "Vision": "a picture is an outcome: docs/conventions.md",
    "Image generation": "a picture is an outcome: docs/conventions.md",
}


class _Row(Table):
    name: str
    steps: PositiveFloat
    source: Text
    url: Url | None = None
    retrieved: date | None = None


@cache
def _named() -> dict[str, _Row]:
    """The systems of facts/steps_per_outcome.csv.

    Raises:
        BadFacts: the file cannot be used.
    """
    rows = read_rows(facts_folder("steps_per_outcome.csv"), _Row, name="name")
    return {row.name: row for row in rows}


def with_steps(systems: Iterable[PublishedSystem]) -> tuple[PublishedSystem, ...]:
    """The systems with their steps per outcome, of those where these are known.

    A system of several domains, as one that sees and speaks, has several kinds of outcomes and
    stays without, unless facts/steps_per_outcome.csv names it.
    """
    return tuple(map(_with_steps, systems))


def _with_steps(system: PublishedSystem) -> PublishedSystem:
    if row := _named().get(system.name):
        return replace(system, steps_per_outcome=row.steps, steps_source=row.source)
    if system.domain in BY_DOMAIN:
        return replace(system, steps_per_outcome=1.0, steps_source=BY_DOMAIN[system.domain])
    return system
