"""What is read on a terminal: whole numbers at every width, and no codes where none are wanted."""

import os
import pty
import re
import struct
import sys
import termios
import traceback
from fcntl import ioctl

import pandas as pd
import pytest
from flopledger import profile
from flopledger.cli.main import main
from flopledger.ledger.chain import chain
from flopledger.ledger.comparison import split_ratio
from flopledger.ledger.identity import build_ledger
from flopledger.reports import compare, compare_chain
from flopledger.reports.columns import Screen, on_screen, plain_table
from flopledger.reports.units import short
from rich.cells import cell_len
from runs_by_hand import IMAGES, MEASURED, alexnet, chess
from runs_by_hand import run as run_by_hand

COMMANDS = [
    "profile alexnet",
    "profile alexnet --by operator",
    "profile lstm alexnet",
    "profile alexnet --memory --optimiser adam",
    "diff lstm alexnet",
    "sweep alexnet --over N=227,240 --input 1,3,N,N --jobs 1",
    "selfplay --game tic_tac_toe --simulations 4 --games 1",
]


def on_terminal(command, width, encoding="utf-8", **environment):
    """What a terminal of that width is sent, and the exit code, from a fork of this process."""
    child, terminal = pty.fork()
    if not child:
        code = 99
        try:
            os.environ.update({"TERM": "xterm", **environment})
            os.environ.pop("COLUMNS", None)
            ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
            sys.stdout = open(1, "w", encoding=encoding, closefd=False)  # noqa: SIM115
            sys.__stdout__ = sys.stdout  # of which shutil asks the width
            sys.stderr = open(os.devnull, "w")  # noqa: SIM115
            main(command.split())
        except SystemExit as end:
            code = end.code
        except BaseException:
            traceback.print_exc(file=sys.stdout)
        finally:
            sys.stdout.flush()
            os._exit(code)
    sent = b""
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # the child has closed its end
            break
        if not part:
            break
        sent += part
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return sent.decode(encoding).replace("\r\n", "\n"), code


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_wider_than_the_screen_and_no_number_is_cut(command, width):
    sent, code = on_terminal(command, width, NO_COLOR="1")
    assert code == 0, sent
    assert "\x1b" not in sent
    assert "…" not in sent
    too_long = [line for line in sent.splitlines() if cell_len(line) > width]
    assert not too_long


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_runs_fit_the_screen_too(width):
    sides = [alexnet(), chess(), build_ledger(run_by_hand("x" * 40, "alexnet", IMAGES), MEASURED)]
    with on_screen(Screen(width=width)):
        tables = [
            compare.FORMATS["table"](split_ratio(*sides[:2], samples=10)),
            compare_chain.FORMATS["table"](chain(sides, samples=10)),
        ]
    assert not [line for text in tables for line in text.splitlines() if cell_len(line) > width]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_what_is_left_out_is_named_and_what_stands_is_whole(width):
    sent, _ = on_terminal("profile alexnet", width, NO_COLOR="1")
    lines = sent.splitlines()
    titles = re.split(r"  +", next(line for line in lines if line.startswith("layer")).strip())
    left_out = re.search(r"left out, for lines of \d+: ([^;]*);", sent.replace("\n", " "))
    named = left_out[1].split(", ") if left_out else []
    frame = profile("alexnet").by_layer()
    every = {"layer", "kind", "calls", "params", "params %", "macs", "flops", "flops %",
             "other flops", "flops/param", "output shape"}  # fmt: skip
    assert sorted([*titles, *named]) == sorted(every)
    assert {"layer", "params", "flops"} <= set(titles)
    for row in frame.to_dict("records"):
        cells = next(line for line in lines if line.startswith(row["layer"])).split()
        assert {short(row["params"]), short(row["flops"])} <= set(cells)


def test_columns_that_are_asked_for_are_shown_however_narrow_the_screen():
    sent, code = on_terminal("profile alexnet --columns Output_Shape,calls,FLOPs", 40, NO_COLOR="1")
    assert code == 0
    head = next(line for line in sent.splitlines() if line.startswith("layer"))
    assert head.split() == ["layer", "output", "shape", "calls", "flops"]
    assert "left out" not in sent


@pytest.mark.parametrize(
    ("columns", "hint"),
    [("macz", "did you mean 'macs'?"), ("zzz", "there are layer, kind, calls"), (",", "no column")],
)
def test_a_column_that_there_is_not_is_one_line(run, columns, hint):
    code, out, errors = run("profile", "lstm", "--columns", columns)
    assert (code, out, len(errors)) == (2, "", 1)
    assert hint in errors[0]


def _not_counted(*asked, **options):
    raise AssertionError("work began before --columns was refused")


@pytest.mark.parametrize(
    ("command", "work", "hint"),
    [
        ("profile lstm --columns macz", "flopledger.cli.profile.each_model", "'macs'"),
        ("profile lstm --by kind --columns layer,zzz", "flopledger.cli.profile.each_model",
         "did you mean 'layers'?"),
        ("sweep lstm --over T=4,8 --input 1,T --columns FLOPS,M",
         "flopledger.sweeping.run_sweep.sweep",
         "there are model, samples, params, MACs, FLOPs, other FLOPs, activations, FLOPs/param, "
         "check, T"),
        ("compare alexnet resnet50 --columns factr",
         "flopledger.ledger.compared.ledgers_to_compare", "'factor'"),
        ("selfplay --columns games", "flopledger.play.run_selfplay.selfplay", "'a game'"),
        ("claims --columns claimd", "flopledger.statements.claim.claims", "'claimed'"),
        ("diff lstm dqn --columns befroe", "flopledger.cli.diff._count", "'before'"),
        ("plan gpt3 --on h100-sxm:8 --columns fit", "flopledger.planning.read_forwards.plan",
         "'fits'"),
        ("systems --columns slop", "flopledger.field.look_up.systems", "'slope'"),
    ],
)  # fmt: skip
def test_a_wrong_column_is_refused_before_any_work(run, monkeypatch, command, work, hint):
    monkeypatch.setattr(work, _not_counted)
    code, out, errors = run(*command.split())
    assert (code, out, len(errors)) == (2, "", 1)
    assert hint in errors[0]


@pytest.mark.parametrize(
    "command",
    [
        "profile lstm dqn --columns all",
        "profile lstm --by operator --columns all",
        "profile lstm --by kind --columns all",
        "profile net.py:net --input 1,7 --memory --columns all",
        "profile net.py:net --input 1,7 --time --repeats 1 --columns all",
        "profile net.py:net --input 1,7 --on h100-sxm --columns all",
        "compare alexnet dqn --columns factor,alexnet,dqn,ratio,90%_interval",
        "compare alexnet dqn alexnet --columns A,B_to_C,all",
        "sweep lstm --over T=4,8 --input 1,T:int64 --jobs 1 --columns T,check",
        "selfplay --game tic_tac_toe --simulations 2 --games 1 --columns a_game",
        "diff lstm dqn --columns before,other_flops",
        "plan gpt3 --on h100-sxm:1024 --columns value,GB_a_device",
    ],
)
def test_every_column_that_a_table_has_may_be_asked_for(run, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text("import torch\nnet = lambda: torch.nn.Linear(7, 3)\n")
    checked, check = [], Screen.check_columns

    def kept(screen):
        checked.append({title for title in screen.titles if title})
        check(screen)

    monkeypatch.setattr(Screen, "check_columns", kept)
    assert run(*command.split())[0] == 0
    before, shown = checked
    assert shown <= before


@pytest.mark.parametrize(
    ("environment", "codes"),
    [({}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False)],
)
def test_ansi_codes_are_for_terminals_that_take_them(environment, codes):
    sent, _ = on_terminal("profile lstm", 80, **environment)
    assert ("\x1b[1m" in sent) == codes


def test_an_old_encoding_is_served():
    sent, code = on_terminal("profile alexnet", 80, encoding="cp1252")
    assert code == 0
    assert "34.94k" in sent


def test_a_long_name_is_folded_and_not_cut(tmp_path):
    name = "a_layer_whose_name_goes_on_and_on_" * 3
    file = tmp_path / "long.py"
    file.write_text(
        "import torch\n"
        "def net():\n"
        "    net = torch.nn.Sequential()\n"
        f"    net.add_module({name!r}, torch.nn.Linear(7, 3))\n"
        "    return net\n"
    )
    sent, code = on_terminal(f"profile {file}:net --input 1,7", 60, NO_COLOR="1")
    assert code == 0
    table = sent.partition("\nlayer")[2].partition("\ntotal")[0]
    folded = "".join(line.split()[0] for line in table.splitlines()[1:] if line.split())
    assert folded == name
    assert " 24" in table  # 7 x 3 weights and 3 biases


def test_a_table_of_nothing_is_nothing():
    assert plain_table(pd.DataFrame()) == ""
