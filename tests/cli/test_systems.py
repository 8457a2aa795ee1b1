"""flopledger systems: the table, the trend and the runs, as files, pictures and refusals."""

import csv
import json
import re
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import flopledger
import pytest
from field_by_hand import ALEXNET, COLUMNS, ZERO, download
from flopledger.cli.main import main
from flopledger.reports.columns import Screen, on_screen
from flopledger.reports.systems import FORMATS

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")


@pytest.fixture(scope="module")
def found():
    """What flopledger systems shows, for which the networks of all runs are counted.

    In a thread: at every operator PyTorch's tracer writes down the stack, and pytest's is deep.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(flopledger.systems).result()


def run(*words):
    with pytest.raises(SystemExit) as stop:
        main(["systems", *map(str, words)])
    return stop.value.code


def test_the_table_is_whole_on_80_columns_and_has_every_system(found):
    with on_screen(Screen(width=80)):
        lines = FORMATS["table"](found).splitlines()
    assert max(map(len, lines)) <= 80
    assert len([line for line in lines if re.match(r"AlexNet +\d{4}-", line)]) == 1
    assert len(lines) > len(found.rows) == 791
    text = " ".join(" ".join(lines).split())
    assert "392 systems, gradient steps alone" in text
    assert "vary by 1.20 orders (1.11 to 1.28), two of them by 1.69" in text
    assert text.count("CC BY 4.0") == 2
    assert "2026-05-03" in text
    assert "2025-04-23" in text


def test_a_figure_of_one_accounting_on_a_trend_of_the_other_stands_in_brackets(found):
    rows = [line.split() for line in repr(found).splitlines()]
    told = {(row[0], row[1]): " ".join(row[3:]) for row in rows if len(row) > 3}
    assert told["alphazero-go-preprint", "all"].startswith("[+4.19 (+3.5 sd)] +4.5")
    assert told["alphazero-go-preprint", "steps"].startswith("+1.73 (+1.4 sd) [+2.1")
    assert "[" not in told["alexnet", "either"]


def test_csv_and_json_have_the_exact_figures(found):
    rows = {row["name"]: row for row in csv.DictReader(StringIO(FORMATS["csv"](found)))}
    assert len(rows) == 791
    assert float(rows["AlexNet"]["flop_per_param"]) == 4.7e17 / 6e7
    assert float(rows["AlexNet"]["off_trend"]) == pytest.approx(0.4667, abs=1e-4)
    read = json.loads(found.to_json())
    assert [trend["accounting"] for trend in read["trends"]] == ["training", "all"]
    assert read["trends"][0]["sd"] == pytest.approx(1.197, abs=5e-4)
    assert {row["name"] for row in read["systems"]} == set(rows)
    crossed = {
        (p["accounting"], o["trend"]): o["crossed"] for p in read["places"] for o in p["off"]
    }
    assert crossed == {
        ("all", "epoch-2025"): False, ("all", "epoch-2026"): True,
        ("training", "epoch-2026"): False, ("training", "epoch-2025"): True,
        (None, "epoch-2026"): False, (None, "epoch-2025"): False,
    }  # fmt: skip


def test_percentiles_by_domain_are_those_of_its_rows(found):
    table = found.by_domain().set_index("domain")
    own = sorted(one.flop_per_param for one in found.rows if "Robotics" in one.domains)
    assert table.loc["Robotics", "systems"] == len(own)
    middle = len(own) // 2
    median = own[middle] if len(own) % 2 else (own[middle - 1] * own[middle]) ** 0.5
    assert table.loc["Robotics", "p50"] == pytest.approx(median)
    assert table.loc["Games", "off_trend"] == pytest.approx(1.67, abs=5e-3)
    assert table.loc["Games", "in_trend"] == 15


def test_it_shows_itself_in_a_notebook_and_as_markdown(found):
    assert found._repr_html_().count("<table") == 4
    assert "| AlexNet |" in FORMATS["markdown"](found).replace("  ", "")
    assert "AlexNet " not in repr(found).splitlines()[2]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_pictures_have_every_system_and_the_runs(found, scale):
    from flopledger.reports.systems_charts import per_param

    spec = per_param(found, scale).to_dict()
    points, *_ = (layer["data"]["name"] for layer in spec["layer"])
    assert len(spec["datasets"][points]) == 791
    shapes = spec["layer"][0]["encoding"]["shape"]["scale"]
    colours = spec["layer"][0]["encoding"]["color"]["scale"]
    assert len(set(shapes["range"])) == len(set(colours["range"])) == len(shapes["domain"])
    assert shapes["domain"] == colours["domain"]
    assert f'"type": "{scale}"' in json.dumps(spec)


def test_a_domain_and_a_day_are_shown_and_pictures_written(tmp_path, capsys):
    path = tmp_path / "games.svg"
    assert (
        run("--domain", "games", "--since", "2017-06-01", "--format", "svg", "--output", path) == 0
    )
    assert path.read_text().startswith("<svg")
    assert "AlphaZero, Go" in path.read_text()
    assert capsys.readouterr().err == f"flopledger: written to {path}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--domain", "gaems"], "--domain 'gaems': no system is of that; did you mean Games?"),
        (["--since", "lately"], "--since 'lately' is no year and no day; say 2012 or 2012-09-30"),
        (["--since", "2030"], "epoch-2026: a trend takes 6 systems"),
        (["--from", "none.csv"], "none.csv: it cannot be read: No such file or directory"),
        (["--format", "pdf"], "'pdf' is not one of table, csv, json, markdown, svg, png, html"),
        (["--output", "no/such/folder/x"], "no/such/folder"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.count("\n") == 1


def test_a_newer_download_takes_the_place_of_the_table(tmp_path, capsys):
    rows = [
        (f"N{n}", f"{2013 + n % 9}-0{1 + n % 8}-11", "Vision", f"{10.0 ** (6 + n % 4)}",
         f"{10.0 ** (17 + (n * n) % 5)}")
        for n in range(20)
    ]  # fmt: skip
    path = download(tmp_path / "new.csv", ALEXNET, ZERO, (*ZERO[:3], "1", "2"), *rows)
    assert run("--from", path, "--format", "json") == 0
    out, err = capsys.readouterr()
    assert err == (f"flopledger: {path}: row 4: Model 'AlphaGo Zero' is that of row 3, too, with "
                   "other figures; the first counts\n")  # fmt: skip
    read = json.loads(out)
    assert len(read["systems"]) == 22
    assert [(t["name"], t["accounting"]) for t in read["trends"]] == [
        ("new.csv", "training"), ("epoch-2025", "all"),
    ]  # fmt: skip
    one_domain = download(tmp_path / "one.csv", ALEXNET, *rows)
    assert run("--from", one_domain, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["trends"][0]["across_domains"] is None
    (tmp_path / "bad.csv").write_text(",".join(COLUMNS).replace("Parameters", "Params"))
    assert run("--from", tmp_path / "bad.csv") == 2
    assert "no column is called 'Parameters'; did you mean Params?" in capsys.readouterr().err
