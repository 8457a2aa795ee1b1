"""Epoch AI's tables as they come: what is read of them, and what is refused in one line."""

import csv
from datetime import date
from io import StringIO

import pytest
from field_by_hand import ALEXNET, COLUMNS, ZERO, download
from flopledger.field.epoch_download import read_download
from flopledger.storage.facts import BadFacts
from hypothesis import given, settings
from hypothesis import strategies as st

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30
)
NAMES = WORDS.map(lambda text: " ".join(text.split())).filter(bool)
FLOPS = st.one_of(st.none(), st.floats(1e-300, 1e300))
PARAMS = st.one_of(st.none(), st.floats(1, 1e300))
ROWS = st.lists(
    st.tuples(NAMES, st.one_of(st.none(), st.dates()), WORDS, PARAMS, FLOPS, WORDS),
    max_size=12, unique_by=lambda row: row[0],
)  # fmt: skip


@settings(max_examples=25)
@given(ROWS, st.permutations(range(6)))
def test_every_row_with_both_figures_is_read_as_it_was_written(tmp_path_factory, rows, order):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    columns = [*COLUMNS, "Abstract, which nobody reads"]
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    shuffled = [[line[n] for n in order] for line in cells]
    download(path, *shuffled, columns=[columns[n] for n in order])
    wanted = [
        (name, day, " ".join(domain.split()), params, flop)
        for name, day, domain, params, flop, _ in rows
        if params is not None and flop is not None
    ]
    if not wanted:
        with pytest.raises(BadFacts, match="no row has both"):
            read_download(path)
        return
    systems, _ = read_download(path)
    read = [(one.name, one.published_on, one.domain, one.params, one.flop) for one in systems]
    assert read == wanted
    assert {one.table for one in systems} == {"any.csv"}


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_a_file_of_anything_is_read_or_refused_in_a_line(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(BadFacts) as refused:
        read_download(path)
    assert str(refused.value).startswith(str(path))


def test_what_epoch_writes_in_its_cells_is_understood(tmp_path):
    columns = [*COLUMNS, "Task", "Training compute lower bound", "Training compute upper bound",
               "Training dataset size (total)", "Epochs", "Confidence", "Link"]  # fmt: skip
    path = download(
        tmp_path / "new.csv",
        [" AlexNet \n", "2012-09-30", "Vision", "60000000.0", "4.7e+17", "Image classification",
         "3e17", "6e17", "1200000", "90", "Confident",
         "https://a.org/one\n\nhttps://b.org/two"],
        ["Twice", "", "Language,\tVision", "10", "1e9", "", "", "0.0", "5,6", "0", "", "not there"],
        ["Alike", "2020-02-02", "", "10", "1e9", "", "", "", "5,5", "", "", ""],
        ["no compute", "2020-02-02", "", "10", "", "", "", "", "", "", "", ""],
        ["", "", "", "", "", "", "", "", "", "", "", ""],
        columns=columns,
    )  # fmt: skip
    (alexnet, twice, alike), _ = read_download(path)
    assert alexnet.name == "AlexNet"
    assert (alexnet.params, alexnet.flop, alexnet.flop_per_param) == (6e7, 4.7e17, 4.7e17 / 6e7)
    assert (alexnet.flop_low, alexnet.flop_high) == (3e17, 6e17)
    assert (alexnet.dataset_size, alexnet.epochs) == (1.2e6, 90)
    assert (alexnet.task, alexnet.confidence) == ("Image classification", "Confident")
    assert alexnet.link == "https://a.org/one"
    assert alexnet.published_on == date(2012, 9, 30)
    # several sizes are none of its own, unless they are one; 0 stands where Epoch has none
    assert (twice.dataset_size, twice.epochs, twice.flop_high, twice.link) == (None, None, None, "")
    assert twice.published_on is None
    assert twice.domains == ("Language", "Vision")
    assert alike.dataset_size == 5


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("Parameters", "60M", "row 2: column 'Parameters': '60M' is no number above 0"),
        ("Parameters", "0", "row 2: column 'Parameters': '0' is no number from 1 up"),
        ("Parameters", "1e-300", "column 'Parameters': '1e-300' is no number from 1 up"),
        ("Training compute (FLOP)", "-1", "column 'Training compute (FLOP)': '-1' is no number"),
        ("Training compute (FLOP)", "nan", "column 'Training compute (FLOP)': 'nan' is no"),
        ("Training compute (FLOP)", "1e-999", "'1e-999' is no number above 0"),
        ("Training compute (FLOP)", "1e999", "'1e999' is no number above 0"),
        ("Publication date", "3 May 2026", "row 2: column 'Publication date': '3 May 2026' is no"),
        ("Model", " ", "row 2: column 'Model' is empty; name the system"),
    ],
)
def test_a_cell_that_says_nothing_is_named_by_row_and_column(tmp_path, column, cell, said):
    row = [cell if name == column else own for name, own in zip(COLUMNS, ALEXNET, strict=True)]
    with pytest.raises(BadFacts) as refused:
        read_download(download(tmp_path / "bad.csv", row))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("Model", "Organisation", "Year"), "no column is called 'Publication date'; it has Model, "
         "Organisation, Year; give a table of https://epoch.ai/data/ai-models"),
        (("Model", "Publication date", "Domain", "Parameter", "Training compute (FLOP)"),
         "no column is called 'Parameters'; did you mean Parameter"),
        ((";".join(COLUMNS),), "'Model'; its cells stand apart by ';', and not by commas; give"),
        (("\t".join(COLUMNS),), "'Model'; its cells stand apart by '\\t', and not by commas; give"),
        ((*COLUMNS, "Domain"), "two columns are called 'Domain'; remove one"),
    ],
)  # fmt: skip
def test_another_tables_columns_are_named(tmp_path, columns, said):
    with pytest.raises(BadFacts) as refused:
        read_download(download(tmp_path / "bad.csv", columns=columns))
    assert said in str(refused.value)


def test_rows_of_other_lengths_and_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(BadFacts, match="row 3: 4 cells for 5 columns"):
        read_download(download(tmp_path / "bad.csv", ALEXNET, ALEXNET[:4]))
    (tmp_path / "torn.csv").write_text(f'{",".join(COLUMNS)}\n"AlexNet', encoding="utf-8")
    with pytest.raises(BadFacts, match=r"torn\.csv: line 2: not CSV"):
        read_download(tmp_path / "torn.csv")
    with pytest.raises(BadFacts, match="it cannot be read: No such file"):
        read_download(tmp_path / "none.csv")


def test_of_two_rows_of_one_name_the_first_counts_and_a_line_says_so(tmp_path):
    other = ("SigLIP", "2023-03-27", "Vision", "6.3e9", "1.14e21")
    first = ("SigLIP", "2023-03-27", "Vision", "4e8", "4.9e21")
    path = download(tmp_path / "twice.csv", ALEXNET, first, ALEXNET, other, ZERO)
    systems, notes = read_download(path)
    assert [one.name for one in systems] == ["AlexNet", "SigLIP", "AlphaGo Zero"]
    assert systems[1].params == 4e8
    # the same row again is nothing to say
    assert [note.removeprefix(f"{path}: ") for note in notes] == [
        "row 5: Model 'SigLIP' is that of row 3, too, with other figures; the first counts"
    ]


@pytest.mark.parametrize(
    ("flop", "accounting"),
    [("3.41e23", "all"), ("2e23", "all"), ("6.494399e+20", "training"), ("1.5e22", None)],
)
def test_a_tables_accounting_is_told_by_alphago_zero(tmp_path, flop, accounting):
    zero = [*ZERO[:4], flop]
    systems, notes = read_download(download(tmp_path / "new.csv", ALEXNET, zero))
    assert {one.accounting for one in systems} == {accounting}
    assert bool(notes) == (accounting is None)


def test_without_alphago_zero_the_accounting_is_not_known(tmp_path):
    (alexnet,), (note,) = read_download(download(tmp_path / "new.csv", ALEXNET))
    assert alexnet.accounting is None
    assert "their accounting is not known" in note


def test_lines_are_read_as_a_spreadsheet_writes_them(tmp_path):
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([COLUMNS, ALEXNET])
    (tmp_path / "excel.csv").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    (alexnet,), _ = read_download(tmp_path / "excel.csv")
    assert alexnet.flop == 4.7e17
