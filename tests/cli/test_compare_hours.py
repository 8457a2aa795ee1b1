"""flopledger compare --quantity hours and chains, with the real entries."""

import csv
import io
import json
from math import log10

import pytest
from flopledger.ledger.dawnbench import COLUMNS

TPU = (
    "google_resnet50_tpu_tensorflow17",
    "google_resnet50_tpu_tensorflow18",
    "google_resnet50_tpu_tensorflow111",
    "google_resnet50_tpu_tensorflow111_fastai",
)
HOURS = ("--quantity", "hours")
JSON = ("--format", "json")


def test_two_entries_in_json_have_the_keys_of_every_comparison(run):
    code, out, err = run("compare", TPU[0], TPU[3], *HOURS, *JSON)
    parsed = json.loads(out)
    plain = json.loads(run("compare", "alexnet", "alphazero-chess", *JSON)[1])
    assert (code, err) == (0, [])
    assert list(parsed) == list(plain)
    assert list(parsed["factors"][0]) == list(plain["factors"][0])
    assert (parsed["quantity"], parsed["a_total"], parsed["b_total"]) == (
        "hours",
        12.444167,
        2.741805,
    )
    assert parsed["orders"] == pytest.approx(log10(2.741805 / 12.444167), abs=1e-12)
    assert sum(f["orders"] for f in parsed["factors"]) == pytest.approx(parsed["orders"], abs=1e-9)


def test_a_chain_in_json(run):
    parsed = json.loads(run("compare", *TPU, *HOURS, *JSON)[1])
    assert list(parsed) == ["runs", "quantity", "totals", "orders", "factors", "steps"]
    assert parsed["runs"] == list(TPU)
    assert parsed["orders"] == pytest.approx(log10(2.741805 / 12.444167), abs=1e-9)
    assert sum(f["orders"] for f in parsed["factors"]) == pytest.approx(parsed["orders"], abs=1e-9)
    assert [(s["a"], s["b"]) for s in parsed["steps"]] == [TPU[i : i + 2] for i in range(3)]


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_chain_as_people_read_it(run, form):
    code, out, _ = run("compare", *TPU, *HOURS, "--format", form)
    assert code == 0
    # the sheet: 12.444167 / 2.741805 = 4.539; epochs 78 / 41 = 1.902
    for word in ("4.539", "1.902", "C to D"):
        assert word in out
    assert all(len(line) <= 100 for line in out.splitlines()) or form == "markdown"


def test_a_chain_in_csv_adds_up(run):
    out = run("compare", *TPU, *HOURS, "--format", "csv")[1]
    *factors, total = csv.DictReader(io.StringIO(out))
    for column in ("A to B", "B to C", "C to D", "all"):
        summed = sum(float(row[column]) for row in factors)
        assert summed == pytest.approx(float(total[column]), abs=1e-9)


def test_a_chain_of_runs_in_compute(run):
    parsed = json.loads(run("compare", "alexnet", "resnet50", "fastai_pytorch", *JSON)[1])
    assert parsed["quantity"] == "training FLOP per parameter"
    direct = json.loads(run("compare", "alexnet", "fastai_pytorch", *JSON)[1])
    assert parsed["orders"] == pytest.approx(direct["orders"], abs=1e-9)


def test_what_is_not_known_stays_together(run):
    for other, word in (
        ("zte_resnet50_2_machine_tensorflow112", "hardware, precision and use together"),
        ("setu_resnet50_azure-ndv2_pytorch", "FLOPs, hardware, precision and use together"),
    ):
        parsed = json.loads(run("compare", "diux_resnet50_p3-tensorpack", other, *HOURS, *JSON)[1])
        assert parsed["factors"][-1]["factor"] == word
        assert sum(f["orders"] for f in parsed["factors"]) == pytest.approx(
            parsed["orders"], abs=1e-9
        )


@pytest.fixture
def mine(tmp_path):
    """Write a row of one's own; its name for the command line."""

    def write(**changed):
        row = dict.fromkeys(COLUMNS, "") | {
            "entry": "mine", "date": "2020-01-01", "model": "x", "network": "alexnet",
            "hardware": "x", "chip": "TPU v2", "chips": "4", "chips_source": "x",
            "precision": "bfloat16", "precision_source": "x", "epochs": "3",
            "schedule": "1@227; 2@227x231", "schedule_source": "x", "hours": "1", "source": "x",
        }  # fmt: skip
        path = tmp_path / "mine.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerow(row | changed)
        return f"{path}:mine"

    return write


def test_an_entry_of_ones_own_with_rectangular_images(run, mine):
    code, out, err = run("compare", TPU[0], mine(), *HOURS, *JSON)
    assert (code, err) == (0, [])
    forward = {f["factor"]: f["b"] for f in json.loads(out)["factors"]}["forward FLOPs per image"]
    # AlexNet's 724,406,816 MACs at 227 x 227; 231 wide, its convolutions have one column more
    # in conv1 and, by strides and pools, none elsewhere: 96 maps x 55 rows x 363 products
    wide = 724_406_816 + 96 * 55 * 363
    assert forward == pytest.approx(2 * (724_406_816 + 2 * wide) / 3)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"epochs": "4"}, "has 3 epochs, but epochs says 4"),
        ({"schedule": "3@32"}, "mine: schedule: alexnet: "),
        ({"hours": ""}, "mine has no time to 93% top-5"),
        ({"network": "lexnet"}, "mine: network: no model is called 'lexnet'"),
    ],
)
def test_a_bad_row_gives_one_line_and_2(run, mine, changed, complaint):
    code, out, err = run("compare", TPU[0], mine(**changed), *HOURS)
    assert (code, out, len(err)) == (2, "", 1)
    assert complaint in err[0]


def test_more_than_the_peak_is_said(run, mine):
    code, _, err = run("compare", TPU[0], mine(hours="1e-6"), *HOURS)
    assert code == 0
    assert "mine would have used " in err[0]
    assert "a contradiction" in err[0]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["alexnet", TPU[0], *HOURS], "alexnet has no time to 93% top-5"),
        ([TPU[0], "google_resnet50_tpu", *HOURS], "no entry is called 'google_resnet50_tpu'"),
        (["alexnet", "setu_resnet50_azure-ndv2_pytorch"], "images' size is not known"),
        ([TPU[0], TPU[1], "--quantity", "days"], "'days' is not one of"),
        ([TPU[0], TPU[1], *HOURS, "--accounting", "training"], "hours have no accounting"),
    ],
)
def test_a_wrong_call_gives_one_clear_line_and_2(run, words, complaint):
    code, out, err = run("compare", *words)
    assert (code, out, len(err)) == (2, "", 1)
    assert complaint in err[0]
