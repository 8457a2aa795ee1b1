"""flopledger.sweep: what the command line does, from Python."""

import errno
import os
import signal

import flopledger
import pytest
from flopledger.storage.alone import alone
from flopledger.sweeping import rows_file


def test_it_is_the_command_lines_twin(run, network, capsys):
    steps = []
    sizes = [10, 20, 40, 80]
    swept = flopledger.sweep(
        network, "1,3,N,N", {"N": sizes}, factory_kwargs={"fails": 40}, jobs=1,
        progress=steps.append,
    )  # fmt: skip
    assert capsys.readouterr().out == ""
    words = ("sweep", network, "--input", "1,3,N,N", "--over", "N=10,20,40,80", "--jobs", "1",
             "--kwargs", "fails=40")  # fmt: skip
    assert swept.to_json() == run(*words, "--format", "json")[1]
    assert repr(swept) + "\n" == run(*words)[1]
    assert "FLOPs = 216 N^2, exactly, at all 3 sizes" in swept._repr_html_()
    assert [(step.done, step.total) for step in steps] == [(n, 4) for n in (1, 2, 3, 4)]
    assert [row.sizes["N"] for row in swept.failures] == [40]
    assert list(swept.frame()["macs"].dropna()) == [n * n * 9 * 3 * 4 for n in (10, 20, 80)]
    assert swept.chart("svg").startswith("<svg")


def test_an_interrupt_carries_the_rows_that_were_done(network, tmp_path):
    def stop_after_two(step):
        if step.done == 2:
            raise KeyboardInterrupt

    file = tmp_path / "rows.jsonl"
    call = (network, "1,3,N,N", "N=4:9")
    with pytest.raises(flopledger.Interrupted, match="with 2 of 5 rows done") as stop:
        flopledger.sweep(*call, jobs=1, output=file, progress=stop_after_two)
    assert [row.sizes["N"] for row in stop.value.result.rows] == [4, 5]
    steps = []
    resumed = flopledger.sweep(*call, jobs=1, output=file, resume=True, progress=steps.append)
    assert [row.sizes["N"] for row in resumed.rows] == [4, 5, 6, 7, 8]
    assert [step.done for step in steps] == [3, 4, 5]


def test_an_interrupt_while_a_row_is_written_counts_it(network, tmp_path, monkeypatch):
    file, append = tmp_path / "rows.jsonl", rows_file.append

    def interrupted(path, row):
        os.kill(os.getpid(), signal.SIGINT)
        append(path, row)

    monkeypatch.setattr(rows_file, "append", interrupted)
    with pytest.raises(flopledger.Interrupted, match="with 1 of 2 rows done") as stop:
        flopledger.sweep(network, "1,3,N,N", "N=4,5", jobs=1, output=file)
    assert len(stop.value.result.rows) == len(file.read_text().splitlines()) - 1 == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_lost_cluster_carries_the_rows_that_were_done(network, monkeypatch):
    from flopledger.sweeping import on_dask
    from flopledger.sweeping.count_row import measured

    def lost(points, address):
        yield measured(points[0])
        raise on_dask.LostCluster("the scheduler is gone")

    monkeypatch.setattr(on_dask, "on_cluster", lost)
    with pytest.raises(flopledger.Unfinished, match="is gone; 1 of 2 rows were done") as stop:
        flopledger.sweep(network, "1,3,N,N", "N=4,5", scheduler="tcp://127.0.0.1:1")
    assert len(stop.value.result.rows) == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"jobs": 0}, "--jobs 0 is too small; give 1 or more"),
        ({"timeout": float("nan")}, "--timeout nan is too small; give seconds above 0"),
        ({"counter": "both"}, "--counter 'both' is not one of auto, fvcore, dispatch"),
        ({"resume": True}, "--resume goes on with a file; name it with --output"),
        ({"over": {"N": [0]}}, "--over N=0: '0' has a 0; sizes and steps are from 1 up"),
        ({"factory_kwargs": {"width": "8"}},
         "--kwargs width=8: '8' cannot be told to a process; give a number, a boolean or a word"),
        ({"models": "resnet151"},
         "no model is called 'resnet151'; did you mean resnet152, resnet101 or resnet50?"),
        ({"jobs": 2, "scheduler": "tcp://a:1"},
         "--jobs are this machine's processes; --scheduler has workers"),
    ],
)  # fmt: skip
def test_what_is_refused(options, line):
    call = {"models": "alexnet", "inputs": "1,3,N,N", "over": "N=224"}
    with pytest.raises(flopledger.FlopledgerError) as refused:
        flopledger.sweep(**call | options)
    assert str(refused.value) == line


def test_a_full_disk_is_named_and_what_was_counted_is_kept(network, tmp_path, monkeypatch):
    file, sync, synced = tmp_path / "rows.jsonl", os.fsync, []

    def full(descriptor):
        synced.append(descriptor)
        if len(synced) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(flopledger.Unfinished) as stop:
        flopledger.sweep(network, "1,3,N,N", "N=4:9", jobs=1, output=file)
    line = f"{file}: No space left on device; 2 of 5 rows were done"
    assert str(stop.value) == line
    assert [row.sizes["N"] for row in stop.value.result.rows][:2] == [4, 5]
    monkeypatch.setattr(os, "fsync", sync)
    assert len(flopledger.sweep(network, "1,3,N,N", "N=4:9", jobs=1, output=file,
                                resume=True).rows) == 5  # fmt: skip


@pytest.mark.parametrize("output", ["/dev/full", "/dev/zero", "/dev/null"])
def test_a_journal_is_a_plain_file(network, output):
    with pytest.raises(flopledger.FlopledgerError, match="is no plain file, and --output is read"):
        flopledger.sweep(network, "1,3,N,N", "N=4", jobs=1, output=output)


def test_two_sweeps_on_one_file(network, tmp_path):
    file = tmp_path / "rows.jsonl"
    with alone(file), pytest.raises(flopledger.FlopledgerError, match="another run is writing"):
        flopledger.sweep(network, "1,3,N,N", "N=4", jobs=1, output=file)
