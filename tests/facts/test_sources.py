"""What is cited says where it stands and when it was read there, or that it is from memory."""

import csv
import re
import tomllib
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

FACTS = Path(__file__).parent.parent.parent / "facts"
SOURCES = tomllib.loads((FACTS / "sources.toml").read_text())
# the days of the first entries and of today: what was read, was read between them
FIRST, TODAY = date(2018, 1, 1), date.today()
FROM_MEMORY = re.compile(r"\[M\]|from memory")


def rows(name):
    return list(csv.DictReader((FACTS / name).read_text().splitlines()))


def facts_of(table, where=""):
    """Every table with a source, however deep, and where it stands."""
    if isinstance(table, list):
        for number, inner in enumerate(table, start=1):
            yield from facts_of(inner, f"{where}.{number}")
    elif isinstance(table, dict):
        if "source" in table:
            yield where, table
        for key, inner in table.items():
            yield from facts_of(inner, f"{where}.{key}" if where else key)


def complaints(fact, sources):
    """What is wrong with where a fact says that it stands."""
    text, ref = fact.get("source", ""), fact.get("ref")
    if ref and ref not in sources:
        return [f"no source is called {ref}"]
    source = sources.get(ref, {})
    url, day = (fact.get(key) or source.get(key) for key in ("url", "retrieved"))
    wrong = [*of_address(url), *of_day(day)]
    if day and not url:
        wrong.append("read, but not said where")
    # a network among several stands for how an open question is answered: a guess unless it says
    kind = fact.get("kind", "assumed" if "weight" in fact else "cited")
    cited = kind == "cited" and not text.startswith(("derived: ", "assumed: "))
    memory = fact.get("tag") == "M" or FROM_MEMORY.search(text)
    if cited and not day and not memory:
        wrong.append("neither read on a day nor from memory")
    if kind == "measured" and not (fact.get("command") and fact.get("versions")):
        wrong.append("measured, but not said by which command of which versions")
    if "quoted elsewhere" in text and not re.search(r"quoted\b.* in ", source.get("read", "")):
        wrong.append("quoted elsewhere, but not said where")
    return wrong


def of_address(url):
    if not url:
        return []
    parts = urlsplit(url)
    good = parts.scheme == "https" and "." in parts.netloc and not re.search(r"\s", url)
    return [] if good else [f"{url} is no address"]


def of_day(day):
    if not day:
        return []
    day = day if isinstance(day, date) else date.fromisoformat(day)
    return [] if FIRST <= day <= TODAY else [f"{day} is no day on which it was read"]


HERE = {
    "paper": {"url": "https://example.org/x", "retrieved": date(2020, 1, 1)},
    "notes": {
        "url": "https://example.org/x", "retrieved": date(2020, 1, 1), "read": "as quoted in Y",
    },
    "unread": {"url": "https://example.org/x"},
}  # fmt: skip


@pytest.mark.parametrize(
    "fact",
    [
        {"source": "a paper", "ref": "paper"},
        {"source": "a page", "url": "https://example.org", "retrieved": date(2020, 1, 1)},
        {"source": "a paper", "tag": "M"},
        {"source": "a paper [M]"},
        {"source": "a paper, from memory", "ref": "unread"},
        {"source": "a guess", "kind": "assumed"},
        {"source": "a game", "kind": "measured", "command": "make it", "versions": "torch 2"},
        {"source": "two readings", "model": "resnet18", "weight": 0.5},
        {"source": "derived: 2 x 3"},
        {"source": "a table, as quoted elsewhere", "ref": "notes"},
    ],
)
def test_what_is_dated_or_from_memory_is_no_fault(fact):
    assert complaints(fact, HERE) == []


@pytest.mark.parametrize(
    ("fact", "complaint"),
    [
        ({"source": "a paper"}, "neither read on a day nor from memory"),
        ({"source": "a paper", "tag": "E"}, "neither read on a day nor from memory"),
        ({"source": "a paper", "ref": "unread"}, "neither read on a day nor from memory"),
        ({"source": "a paper", "ref": "papre"}, "no source is called papre"),
        ({"source": "a page", "retrieved": date(2020, 1, 1)}, "read, but not said where"),
        ({"source": "a game", "kind": "measured", "command": "make it"}, "of which versions"),
        ({"source": "a table, as quoted elsewhere", "ref": "paper"}, "but not said where"),
        ({"source": "a page", "url": "http://example.org", "tag": "M"}, "is no address"),
        ({"source": "a page", "url": "https://example.org/a b", "tag": "M"}, "is no address"),
        ({"source": "x", "url": "https://example.org", "retrieved": date(2017, 12, 31)}, "no day"),
        ({"source": "x", "url": "https://example.org", "retrieved": date(9999, 1, 1)}, "no day"),
    ],
)
def test_what_is_neither_is_refused(fact, complaint):
    assert complaint in "; ".join(complaints(fact, HERE))


@pytest.mark.parametrize("key", SOURCES)
def test_a_source_has_an_address_and_says_what_was_read_on_its_day(key):
    source = SOURCES[key]
    assert set(source) <= {"cite", "url", "retrieved", "read"}
    assert source["cite"]
    assert [*of_address(source["url"]), *of_day(source.get("retrieved"))] == []
    assert "retrieved" not in source or source["read"]


@pytest.mark.parametrize(
    "table",
    [
        "dawnbench.csv",
        "devices.csv",
        "ai_and_compute.csv",
        "published_trainings.csv",
        "published_decoding.csv",
    ],
)
def test_every_row_says_where_and_when_it_was_read(table):
    wrong = {str(next(iter(row.values()))): complaints(row, SOURCES) for row in rows(table)}
    assert {name: what for name, what in wrong.items() if what} == {}


def test_an_entrys_address_is_its_own_at_a_commit():
    for row in rows("dawnbench.csv"):
        name, _, commit = row["entry"].partition("-e5d00a5")
        commit = "e5d00a5" if row["entry"].endswith("-e5d00a5") else "fb27b82"
        address = rf".*/dawn-bench-entries/blob/{commit}[0-9a-f]{{33}}/ImageNet/train/{name}\.json"
        assert re.fullmatch(address, row["url"])


RUNS = sorted((FACTS / "runs").glob("*.toml"))


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_every_fact_of_a_run_says_where_and_when_it_was_read(path):
    tables = tomllib.loads(path.read_text())
    facts = list(facts_of(tables))
    assert facts
    sources = SOURCES | tables.get("sources", {})
    wrong = {where: complaints(fact, sources) for where, fact in facts}
    assert {where: what for where, what in wrong.items() if what} == {}


def test_what_tuning_gave_says_where_and_when_it_was_read():
    facts = list(facts_of(tomllib.loads((FACTS / "alphago_strength.toml").read_text())))
    assert len(facts) == 4
    assert {where: what for where, fact in facts if (what := complaints(fact, SOURCES))} == {}


def test_a_discussions_claims_say_where_and_when_it_was_read():
    tables = tomllib.loads((FACTS / "claims.toml").read_text())
    if "defaults" not in tables:
        pytest.skip("its claims have no addresses yet")
    facts = list(facts_of(tables))
    assert {where for where, _ in facts} >= {"defaults.D1", "defaults.D2"}
    wrong = {where: complaints(fact, SOURCES) for where, fact in facts}
    assert {where: what for where, what in wrong.items() if what} == {}
