"""Journals: whole lines come back, half a line goes, and what was asked for otherwise is named."""

from dataclasses import asdict, dataclass

import pytest
from flopledger.storage.journal import (
    append,
    begin,
    contradiction,
    is_begun,
    record,
    whole_lines,
)

HEAD = {"of": "tests"}


@dataclass(frozen=True, kw_only=True)
class Lap:
    """Some record."""

    name: str
    laps: int
    seconds: float
    pairs: tuple[tuple[float, float], ...] = ()


def test_a_record_comes_back_as_it_was_written(tmp_path):
    path, lap = tmp_path / "some.jsonl", Lap(name="a", laps=2, seconds=1.0, pairs=((1, 2.5),))
    append(path, asdict(lap))
    assert record(Lap, whole_lines(path)[0]) == lap


@pytest.mark.parametrize(
    "line",
    [
        "laps",
        "[]",
        '{"name": "a", "laps": 2}',
        '{"name": "a", "laps": 2, "seconds": 1, "more": 1}',
        '{"name": "a", "laps": "2", "seconds": 1}',
        '{"name": "a", "laps": 2, "seconds": null}',
        '{"name": "a", "laps": 2, "seconds": 1, "pairs": [[1, 2, 3]]}',
    ],
)
def test_a_line_that_is_no_such_record_is_refused(line):
    with pytest.raises((ValueError, TypeError)):
        record(Lap, line)


def test_lines_come_back_in_order(tmp_path):
    path = tmp_path / "some.jsonl"
    assert not is_begun(path)
    assert begin(path, HEAD, len) == (1, "")
    append(path, {"n": 1})
    append(path, {"n": 2})
    assert whole_lines(path) == ['{"of": "tests"}', '{"n": 1}', '{"n": 2}']
    assert begin(path, {"of": "others"}, len) == (3, "")  # the head that is there stays


@pytest.mark.parametrize("torn", [b"{", b'{"n": 3', b"\xff\xfe"])
def test_half_a_line_is_cut_off_by_its_bytes(tmp_path, torn):
    path = tmp_path / "some.jsonl"
    begin(path, HEAD, len)
    append(path, {"n": 1})
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert begin(path, HEAD, len) == (2, f"{path}: its last line was torn and is dropped")
    assert path.read_bytes() == whole


def test_a_file_that_is_refused_stays_as_it_is(tmp_path):
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"mine\nand")

    def refuse(lines):
        raise ValueError(lines[0])

    with pytest.raises(ValueError, match="mine"):
        begin(path, HEAD, refuse)
    assert path.read_bytes() == b"mine\nand"


def test_the_first_contradiction_is_named(tmp_path):
    before, now = {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 5, "c": 6}
    assert contradiction(tmp_path, before, before) is None
    assert contradiction(tmp_path, before, now) == (
        f"{tmp_path} was made with b 2, not 5; ask for the same, or name another file"
    )
    assert contradiction(tmp_path, {}, {"d": 4}, "go") == (
        f"{tmp_path} was made with d None, not 4; ask for the same, or go"
    )
