"""The file of rows: what is read back, what is refused, and a line torn off."""

import json

import pytest
from flopledger.sweeping.rows import Point, Row, failed
from flopledger.sweeping.rows_file import BadRows, Header, append, begin

HEADER = Header(inputs=("1,3,N,N",), kwargs=(), counter="auto", versions={"torch": "2.13"})


def row(size, **more):
    return Row(model="a", sizes={"N": size}, flops=2 * size, notes=("a note",), **more)


def test_rows_come_back_and_failed_ones_are_not_finished(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert begin(path, HEADER, resume=False) == ({}, "")
    point = Point(model="a", sizes={"N": 3}, inputs=("1,3,3,3",))
    for line in (row(1), row(2, uncounted=("aten::x (1 calls)",)), failed(point, "too\nbad")):
        append(path, line)
    rows, torn = begin(path, HEADER, resume=True)
    assert rows == {line.key: line for line in (row(1), row(2, uncounted=("aten::x (1 calls)",)))}
    assert torn == ""
    assert json.loads(path.read_text().splitlines()[-1])["error"] == "too"
    append(path, row(3))
    assert len(begin(path, HEADER, resume=True)[0]) == 3


def test_a_failure_gives_way_to_a_later_row_and_the_other_way_round(tmp_path):
    path = tmp_path / "rows.jsonl"
    begin(path, HEADER, resume=False)
    append(path, Row(model="a", sizes={"N": 1}, error="not yet"))
    append(path, row(1))
    assert list(begin(path, HEADER, resume=True)[0].values()) == [row(1)]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_is_dropped(tmp_path, cut):
    path = tmp_path / "rows.jsonl"
    begin(path, HEADER, resume=False)
    append(path, row(1))
    append(path, row(2))
    path.write_bytes(path.read_bytes()[:-cut])
    rows, torn = begin(path, HEADER, resume=True)
    assert [kept.sizes["N"] for kept in rows.values()] == [1]
    assert torn == f"{path}: its last line was torn and is dropped"
    append(path, row(2))
    assert len(begin(path, HEADER, resume=True)[0]) == 2


def test_other_files_are_refused_and_left_as_they_are(tmp_path):
    path = tmp_path / "rows.jsonl"
    begin(path, HEADER, resume=False)
    append(path, row(1))
    before = path.read_bytes()
    with pytest.raises(BadRows, match="--resume goes on"):
        begin(path, HEADER, resume=False)
    other = Header(inputs=("1,3,N,N",), kwargs=("depth=2",), counter="auto", versions={})
    with pytest.raises(BadRows, match=r"made with kwargs \[\], not \['depth=2'\]"):
        begin(path, other, resume=True)
    assert path.read_bytes() == before
    path.write_text("a diary\n")
    with pytest.raises(BadRows, match="no file of flopledger sweep"):
        begin(path, HEADER, resume=True)
    path.write_bytes(before + b"{}\n")
    with pytest.raises(BadRows, match="line 3 is no row"):
        begin(path, HEADER, resume=True)


def test_a_figure_of_another_type_is_named_by_its_line(tmp_path):
    path = tmp_path / "rows.jsonl"
    begin(path, HEADER, resume=False)
    append(path, row(1))
    path.write_text(path.read_text().replace('"flops": 2', '"flops": "two"'))
    with pytest.raises(BadRows, match="line 2 is no row; take it out"):
        begin(path, HEADER, resume=True)
