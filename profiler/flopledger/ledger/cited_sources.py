"""Sources: where cited facts stand, and the day they were read there again."""

from datetime import date
from functools import cache
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from flopledger.storage.facts import Table, Url, check_dated, checked, facts_folder, read_toml


class Source(Table):
    """Where facts stand.

    Attributes:
        cite: author, year, title.
        url: DOI, arXiv, a repository at a commit, or the page.
        retrieved: the day it was read again; None where it is from memory.
        read: what of it was read; empty for all that is cited.
    """

    cite: Annotated[str, StringConstraints(max_length=1000)]
    url: Url | None = None
    retrieved: Annotated[date, Field(strict=True)] | None = None
    read: Annotated[str, StringConstraints(max_length=4000)] = ""

    @model_validator(mode="after")
    def _dated(self) -> Self:
        check_dated(self.url, self.retrieved)
        return self


@cache
def central_sources() -> dict[str, Source]:
    """The sources of facts/sources.toml, by their keys."""
    path = facts_folder("sources.toml")
    tables = read_toml(path)
    return {key: checked(Source, table, path, key) for key, table in tables.items()}
