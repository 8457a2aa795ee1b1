"""Sources: where cited facts stand, and the day they were read there again."""

from datetime import date
from functools import cache

from flopledger.storage.facts import Table, Url, checked, facts_folder, read_toml


class Source(Table):
    """Where facts stand.

    Attributes:
        cite: author, year, title.
        url: DOI, arXiv, a repository at a commit, or the page.
        retrieved: the day it was read again; None where it is from memory.
        read: what of it was read; empty for all that is cited.
    """

    cite: str
    url: Url | None = None
    retrieved: date | None = None
    read: str = ""


@cache
def central_sources() -> dict[str, Source]:
    """The sources of facts/sources.toml, by their keys."""
    path = facts_folder("sources.toml")
    tables = read_toml(path)
    return {key: checked(Source, table, path, key) for key, table in tables.items()}
