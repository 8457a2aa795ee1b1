"""flopledger sweep, from the command line."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from svg_texts import texts_of, texts_outside


def macs(size):
    return size * size * 9 * 3 * 4


def words(network, *more):
    return ("sweep", network, "--input", "1,3,N,N", "--jobs", "1", *more)


def test_a_table_and_its_laws(run, network):
    code, out, err = run(*words(network, "--over", "N=10,20,40,80"))
    assert code == 0
    assert [line for line in err if line.startswith("flopledger")] == []
    head, *lines = out.splitlines()
    assert head.split() == ["model", "N", "params", "MACs", "FLOPs", "other", "FLOPs",
                            "activations", "FLOPs/param", "check"]  # fmt: skip
    assert [line.split()[1] for line in lines[:4]] == ["10", "20", "40", "80"]
    # 3 x 3 x 3 x 4 MACs and 4 activations a pixel; 112 parameters
    assert lines[4:] == [
        f"{network}: FLOPs = 216 N^2, exactly, at all 4 sizes",
        f"{network}: activations = 4 N^2, exactly, at all 4 sizes",
        f"{network}: FLOPs per parameter = 1.929 N^2, exactly, at all 4 sizes",
    ]


def test_json_csv_and_markdown(run, network):
    call = words(network, "--over", "N=4,6,8", "--kwargs", "fails=6")
    code, out, _ = run(*call, "--format", "json")
    parsed = json.loads(out)
    assert code == 1
    assert [row["macs"] for row in parsed["rows"]] == [macs(4), None, macs(8)]
    assert [row["sizes"] for row in parsed["rows"]] == [{"N": 4}, {"N": 6}, {"N": 8}]
    assert parsed["rows"][1]["error"].startswith("it cannot take N=6: of all sizes")
    assert [law["law"] for law in parsed["laws"]] == [None] * 3  # two sizes are too few
    code, out, _ = run(*call, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["N"], row["macs"], row["agrees"]) for row in rows] == [
        ("4", str(macs(4)), "True"), ("6", "", ""), ("8", str(macs(8)), "True")
    ]  # fmt: skip
    code, out, _ = run(*call, "--format", "markdown")
    assert out.splitlines()[0].startswith("| model")
    assert f"- {network}: no law, which takes 3 sizes or more that are counted" in out


def test_a_law_as_json(run, network):
    _, out, _ = run(*words(network, "--over", "N=4:9", "--format", "json"))
    flops, activations, _ = json.loads(out)["laws"]
    assert flops["law"] == {
        "coefficients": [{"power": 2, "value": 216.0, "unit": "FLOP / N^2"}],
        "exact": True,
        "stands": True,
        "holds_at": [4, 5, 6, 7, 8],
        "deviations": {},
        "worst_deviation": 0.0,
    }
    assert activations["law"]["coefficients"][0]["unit"] == "elements / N^2"


def test_a_grid_of_batches_and_rectangles(run, network):
    _, out, _ = run(
        "sweep", network, "--input", "B,3,N,7", "--over", "B=1,2", "--over", "N=5,6,7",
        "--format", "json", "--jobs", "1",
    )  # fmt: skip
    parsed = json.loads(out)
    assert parsed["laws"] == []
    assert {(r["sizes"]["B"], r["sizes"]["N"]): r["macs"] for r in parsed["rows"]} == {
        (b, n): b * n * 7 * 9 * 3 * 4 for b in (1, 2) for n in (5, 6, 7)
    }
    assert {r["samples"] for r in parsed["rows"]} == {1, 2}


def test_tokens_by_name_of_a_network_of_the_zoo(run):
    code, out, _ = run("sweep", "gpt2", "--input", "1,T:int64", "--over", "T=4,8,16,32",
                       "--jobs", "1", "--format", "json", "--counter", "dispatch")  # fmt: skip
    assert code == 0
    coefficients = json.loads(out)["laws"][0]["law"]["coefficients"]
    # 12 blocks of 768: scores and values take 2 x 768 MACs a pair of tokens
    assert coefficients[0] == {"power": 2, "value": 2.0 * 12 * 2 * 768, "unit": "FLOP / T^2"}
    # a token: 4 x 768^2 of attention and 8 x 768^2 of the MLP a block, and the 50,257 logits
    a_token = 2.0 * (12 * 12 * 768**2 + 768 * 50257)
    assert coefficients[1] == {"power": 1, "value": a_token, "unit": "FLOP / T"}


def test_output_and_resume_do_only_what_is_left(run, network, tmp_path, monkeypatch):
    from flopledger.sweeping import count_row

    file, done, measured = str(tmp_path / "rows.jsonl"), [], count_row.measured
    monkeypatch.setattr(count_row, "measured", lambda p: done.append(p.sizes["N"]) or measured(p))
    call = words(network, "--output", file)
    assert run(*call, "--over", "N=4,5")[0] == 0
    with open(file, "a") as torn:
        torn.write('{"model": "ne')
    code, out, err = run(*call, "--over", "N=4:8", "--resume")
    assert code == 0
    assert err[-1] == f"flopledger: {file}: its last line was torn and is dropped"
    assert done[:4] == [4, 5, 6, 7]
    assert len(done) == 6  # and two more, to hold the law against
    assert out == run(*words(network, "--over", "N=4:8"))[1]
    code, _, err = run(*call, "--over", "N=4:8")
    assert code == 2
    assert "--resume goes on" in err[0]


def test_an_interrupt_prints_and_keeps_what_was_done(network, tmp_path):
    file = tmp_path / "rows.jsonl"
    call = ["sweep", network, "--input", "1,3,N,N", "--over", "N=4:200", "--jobs", "2",
            "--kwargs", "slow=0.05", "--output", str(file)]  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "flopledger", *call],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until and (
            not file.exists() or len(file.read_text().splitlines()) < 4
        ):
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    (line,) = [line for line in err.splitlines() if line.startswith("flopledger")]
    done = len(file.read_text().splitlines()) - 1
    assert re.fullmatch(r"flopledger: interrupted with (\d+) of 196 rows done; they follow", line)
    assert f"with {done} of" in line
    assert out.count("agrees") == done >= 3
    assert "Traceback" not in err


def test_a_chart_says_its_law_and_what_failed(run, network, tmp_path):
    file = tmp_path / "chart.svg"
    call = words(network, "--over", "N=4,5,6,7", "--kwargs", "fails=6", "--chart", str(file))
    assert run(*call)[0] == 1
    picture = file.read_text()
    texts = texts_of(picture)
    assert f"{network}: FLOPs = 216 N^2, exactly, at all 3 sizes" in " ".join(texts)
    assert "at N=6: it cannot take N=6: of all sizes, this one" in " ".join(texts)
    assert texts_outside(picture) == []
    # a cross in each of three panels
    crosses = re.findall(r'aria-label="[^"]*failed: it cannot take N=6[^"]*"', picture)
    assert len(crosses) == 3


def test_a_page_tells_failures_below_its_table(run, network):
    call = words(network, "--over", "N=4,6,8", "--kwargs", "fails=6", "--format", "html")
    code, out, _ = run(*call)
    assert code == 1
    table, _, below = out.partition("</table>")
    assert "error" not in table
    assert "at N=6: it cannot take N=6" in below


@pytest.mark.parametrize("form", ["svg", "png", "html"])
def test_a_chart(run, network, tmp_path, form):
    file = tmp_path / f"chart.{form}"
    code, _, err = run(*words(network, "--over", "N=4,5,6", "--chart", str(file)))
    assert code == 0
    assert err[-1] == f"flopledger: written to {file}"
    content = file.read_bytes()
    assert {"svg": b"<svg", "png": b"\x89PNG", "html": b"vega"}[form] in content[:400_000]
    if form == "svg":
        for title in (b"FLOPs", b"activations", b"FLOPs per parameter", network.encode()):
            assert title in content


def test_no_figures_no_chart(run, network, tmp_path):
    file = tmp_path / "chart.svg"
    call = words(network, "--over", "N=4", "--kwargs", "fails=4", "--chart", str(file))
    code, _, err = run(*call)
    assert code == 1
    assert err[-1] == f"flopledger: {file} is not written: no row has figures to draw"
    assert not file.exists()


def test_strict_wants_every_operator_counted(run, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(
        "import torch\nfrom torch import nn\n"
        '@torch.library.custom_op("sweeptest::odd", mutates_args=())\n'
        "def odd(x: torch.Tensor) -> torch.Tensor:\n    return x / 2\n"
        "odd.register_fake(torch.empty_like)\n"
        "class Odd(nn.Module):\n    def forward(self, x):\n        return odd(x)\n"
    )
    call = words(f"{file}:Odd", "--over", "N=4,5")
    code, out, _ = run(*call)
    assert code == 0
    assert "not counted: sweeptest::odd (1 calls)" in out
    assert ">=0" in out
    assert run(*call, "--strict")[0] == 3


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("alexnet --input 1,3,N,N --over M=1,2", "no --input has an axis M"),
        ("alexnet --input 1,3,N,N --over N=5:5", "no sizes"),
        ("alexnet --input 1,3,N,M --over N=5", "M is not swept"),
        ("alexnet --over N=5", "no --input has an axis N"),
        ("alexnet --input 1,3,N,N", "Missing option '--over'"),
        ("alexne --input 1,3,N,N --over N=5", "no model is called 'alexne'"),
        ("nosuch.py:Net --input 1,3,N,N --over N=5", "there is no file nosuch.py"),
        ("alexnet --input 1,3,N,N --over N=5 --chart a.pdf", "name a FILE.svg"),
        ("alexnet --input 1,3,N,N --over N=5 --chart /nowhere/a.svg", "/nowhere does not exist"),
        ("alexnet --input 1,3,N,N --over N=5 --output /nowhere/a", "/nowhere does not exist"),
        ("alexnet --input 1,3,N,N --over N=5 --resume", "name it with --output"),
        ("alexnet --input 1,3,N,N --over N=5 --timeout 0", "--timeout 0 is too small"),
        ("alexnet --input 1,3,N,N --over N=5 --kwargs depth", "say NAME=VALUE"),
        ("alexnet --input 1,3,N,N --over N=5 --jobs 0", "--jobs"),
    ],
)
def test_bad_input_is_one_line(run, line, complaint):
    code, out, err = run("sweep", *line.split())
    assert (code, out) == (2, "")
    (only,) = err
    assert complaint in only


def test_a_hanging_size_is_ended_here_too(run, network):
    call = words(network, "--over", "N=4,5", "--kwargs", "fails=5", "--kwargs", "how=hang")
    code, out, _ = run(*call, "--timeout", "2")
    assert code == 1
    assert out.splitlines()[2].endswith("failed")
    assert "at N=5: not done after 2 s" in out.splitlines()[3]
