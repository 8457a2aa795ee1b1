"""The reader of facts: what is written is read, and one line names whatever is wrong."""

import csv
from io import StringIO

import pytest
from flopledger.storage.facts import (
    BadFacts,
    Table,
    Text,
    checked,
    facts_folder,
    read_rows,
    read_toml,
    short_name,
)
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pydantic import PositiveFloat

pytestmark = pytest.mark.filterwarnings("error")
on_files = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Chip(Table):
    name: Text
    tflops: PositiveFloat
    source: Text
    note: str = ""


KEYS = ("name", "tflops", "source", "note")
ROW = {"name": "K80", "tflops": "4.37", "source": "its data sheet", "note": "one GPU"}


def csv_text(rows, columns=KEYS, **form):
    text = StringIO(newline="")
    writer = csv.writer(text, **form)
    writer.writerows([columns, *rows])
    return text.getvalue()


@pytest.fixture
def written(tmp_path):
    def write(content, name="mine.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write


def complaint(read):
    with pytest.raises(BadFacts) as caught:
        read()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@st.composite
def typos(draw):
    """A key with two neighbouring letters exchanged, or one left out, doubled or replaced."""
    key = draw(st.sampled_from(KEYS))
    at = draw(st.integers(0, len(key) - 2))
    other = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    typo = draw(
        st.sampled_from(
            [
                key[:at] + key[at + 1] + key[at] + key[at + 2 :],
                key[:at] + key[at + 1 :],
                key[: at + 1] + key[at:],
                key[:at] + other + key[at + 1 :],
            ]
        )
    )
    assume(typo not in KEYS)
    return key, typo


@given(typos())
def test_a_mistyped_key_of_a_table_is_named(typed):
    key, typo = typed
    table = {typo if name == key else name: value for name, value in ROW.items()}
    line = complaint(lambda: checked(Chip, table, facts_folder("x.toml"), "chips"))
    assert line.startswith(f"facts/x.toml: [chips] {typo} is no key here; did you mean ")
    assert key in line.partition("did you mean")[2]


@on_files
@given(typos())
def test_a_mistyped_column_is_named(written, typed):
    key, typo = typed
    columns = [typo if name == key else name for name in KEYS]
    path = written(csv_text([ROW.values()], columns))
    line = complaint(lambda: read_rows(path, Chip))
    assert line.startswith(f"{path}: {typo!r} is no column here; did you mean ")
    assert key in line.partition("did you mean")[2]


def test_a_word_like_no_key_gets_all_keys():
    line = complaint(lambda: checked(Chip, ROW | {"xyz": 1}, facts_folder("x.toml")))
    assert line == "facts/x.toml: xyz is no key here; there are name, tflops, source, note"


@given(st.sampled_from(["absent", "", " ", "\t \n"]))
def test_a_table_without_a_source_is_refused(source):
    table = {key: value for key, value in ROW.items() if key != "source"}
    table |= {} if source == "absent" else {"source": source}
    line = complaint(lambda: checked(Chip, table, facts_folder("x.toml"), "chips"))
    assert line == "facts/x.toml: [chips] has no source; give the paper and section"


@on_files
@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_the_first_row_without_a_source_is_named(written, have):
    rows = [[f"chip {i}", 1, "x" if has else " ", ""] for i, has in enumerate(have)]
    path = written(csv_text(rows))
    if all(have):
        assert len(read_rows(path, Chip, name="name")) == len(rows)
    else:
        line = complaint(lambda: read_rows(path, Chip, name="name"))
        assert line == f"{path}: chip {have.index(False)}: source is empty; fill it in"


# what a cell may hold: anything but surrogates and control characters; edges are stripped
cells = (
    st.text(st.characters(blacklist_categories=["Cs", "Cc"], whitelist_characters="\n"), min_size=1)
    .map(str.strip)
    .filter(bool)
)


@on_files
@given(
    st.lists(st.tuples(cells, cells), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.permutations(KEYS),
)
@example([("a, b", 'he said "5"\nand left')], "\r\n", True, csv.QUOTE_MINIMAL, list(KEYS))
def test_whatever_is_written_is_read(written, rows, newline, mark, quoting, order):
    """A byte order mark, CRLF, quotes, commas and new lines in cells, columns in any order."""
    named = [dict(zip(KEYS, (name, "2.5", source, ""), strict=True)) for name, source in rows]
    text = csv_text(
        [[row[key] for key in order] for row in named],
        order,
        lineterminator=newline,
        quoting=quoting,
    )
    path = written(text.encode("utf-8-sig" if mark else "utf-8"))
    read = read_rows(path, Chip)
    assert [(row.name, row.tflops, row.source) for row in read] == [
        (name, 2.5, source) for name, source in rows
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig"])
def test_toml_with_a_mark_and_crlf(written, newline, mark):
    text = f'[chip]{newline}name = "K80"{newline}'
    assert read_toml(written(text.encode(mark), "x.toml")) == {"chip": {"name": "K80"}}


@on_files
@given(st.binary(max_size=200))
@example(b"")
@example(b"\x00\x01")
@example(b"\xff\xfe")
@example(b'name,tflops,source,note\n"K80,1,x,\n')
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(written, content):
    path = written(content)
    for read in (lambda: read_rows(path, Chip), lambda: read_toml(path)):
        try:
            read()
        except BadFacts as error:
            assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty; its first line names the columns"),
        (b"\xff\xfe", "line 1: not UTF-8; save it as UTF-8"),
        (b"name,tflops,source,note\nK80,1,K\xe9,\n", "line 2: not UTF-8; save it as UTF-8"),
        ("name,tflops,source\n", "column 'note' is missing; add it"),
        ("name,tflops,source,note,note\n", "two columns are called 'note'; remove one"),
        (csv_text([["K80", "4,37", "x", ""], ["K80", "1", "x", ""]]), "K80: tflops: Input should"),
        (csv_text([["K80", "1", "x", ""]] * 2), "two rows are called 'K80'; rename one"),
        ("name,tflops,source,note\nK80,1,a, b,\n", "K80: 5 cells for 4 columns; quote"),
        ("name,tflops,source,note\nK80,1\n", "K80: 2 cells for 4 columns"),
        ("name,tflops,source,note\nK80,0,x,\n", "K80: tflops: Input should be greater than 0"),
        ("name,tflops,source,note\n,1,x,\n", "line 2: name is empty; fill it in"),
        ('name,tflops,source,note\n"K80,1,x,\n', "line 2: not CSV"),
    ],
)
def test_a_bad_table_gives_one_line(written, content, words):
    path = written(content)
    assert complaint(lambda: read_rows(path, Chip, name="name")).startswith(f"{path}: {words}")


def test_no_file_and_a_folder(tmp_path):
    for read in (read_toml, lambda path: read_rows(path, Chip)):
        line = complaint(lambda: read(tmp_path / "none"))  # noqa: B023  called at once
        assert line.startswith(f"{tmp_path / 'none'}: it cannot be read: No such file")
        assert "it cannot be read: Is a directory" in complaint(lambda: read(tmp_path))  # noqa: B023


def test_a_mistyped_key_comes_before_the_key_that_it_should_have_been():
    table = {"name": "K80", "source": "x", "tflosp": 1}
    line = complaint(lambda: checked(Chip, table, facts_folder("x.toml"), "chips"))
    assert line == "facts/x.toml: [chips] tflosp is no key here; did you mean tflops?"
    del table["tflosp"]
    line = complaint(lambda: checked(Chip, table, facts_folder("x.toml"), "chips"))
    assert line == "facts/x.toml: [chips] tflops is missing; add it"


def test_files_of_ours_are_named_as_in_the_repository(tmp_path):
    assert short_name(facts_folder("runs", "alexnet.toml")) == "facts/runs/alexnet.toml"
    assert short_name(tmp_path / "mine.toml") == str(tmp_path / "mine.toml")
