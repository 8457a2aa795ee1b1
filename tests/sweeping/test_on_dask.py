"""Dask: workers are killed on the way, the scheduler too, and what was done is kept."""

import multiprocessing
import os
import signal

import dask
import pytest
from distributed import LocalCluster
from distributed.utils import get_mp_context
from flopledger.sweeping import on_dask
from flopledger.sweeping.on_dask import LostCluster, on_cluster


def macs(size):
    return size * size * 9 * 3 * 4


@pytest.fixture(scope="module")
def local():
    """Two worker processes; Dask gives a point up when its first worker dies.

    All of them, also those that follow dead ones, are forks of one process that has torch.
    """
    config = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.worker.multiprocessing-method": "forkserver",
    }
    with dask.config.set(config):
        get_mp_context()  # which has the server import what Dask knows of
        multiprocessing.set_forkserver_preload(["distributed", "flopledger.sweeping.count_row"])
        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
            silence_logs="CRITICAL",
        ) as made:  # fmt: skip
            yield made


def test_a_worker_that_is_killed_loses_nothing(local, points):
    wanted, came = points(*range(4, 28), slow=0.1), []
    for row in on_cluster(wanted, local.scheduler_address):
        came.append(row)
        if len(came) == 3:
            os.kill(next(iter(local.workers.values())).pid, signal.SIGKILL)
    assert sorted(row.sizes["N"] for row in came) == list(range(4, 28))
    assert [row.error for row in came] == [None] * 24
    assert all(row.macs == macs(row.sizes["N"]) for row in came)


def test_a_size_that_ends_its_worker_costs_its_own_row(local, points):
    wanted = [*points(5, fails=5, how="kill"), *points(4, 6, 7, 8)]
    rows = {row.sizes["N"]: row for row in on_cluster(wanted, local.scheduler_address)}
    assert rows[5].error == "it ended every worker that took it (KilledWorker)"
    assert {n: rows[n].macs for n in (4, 6, 7, 8)} == {n: macs(n) for n in (4, 6, 7, 8)}


def test_from_the_command_line(local, run, network, monkeypatch):
    file, _ = network.split(":")
    monkeypatch.chdir(os.path.dirname(file))
    words = (
        "sweep",
        "net.py:Net",
        "--input",
        "1,3,N,N",
        "--over",
        "N=4,5,6,7",
        "--kwargs",
        "fails=5",
    )
    code, out, err = run(*words, "--scheduler", local.scheduler_address)
    assert code == 1
    assert err == ["flopledger: 1 of 4 rows could not be counted; each says why"]
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[1:5]] == [["net.py:Net", n] for n in "4567"]
    assert lines[2].endswith("failed")
    assert "it cannot take N=5: of all sizes, this one" in out


def test_a_scheduler_that_dies_is_one_line_and_what_was_done_is_kept(run, network, tmp_path):
    file = tmp_path / "rows.jsonl"
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0",
        silence_logs="CRITICAL",
    ) as made:  # fmt: skip
        from flopledger.sweeping import rows_file

        append, added = rows_file.append, []

        def closing(path, row):
            append(path, row)
            added.append(row)
            if len(added) == 2:
                made.close()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows_file, "append", closing)
            code, out, err = run(
                "sweep", network, "--input", "1,3,N,N", "--over", "N=4:40", "--kwargs", "slow=0.05",
                "--output", str(file), "--scheduler", made.scheduler_address,
            )  # fmt: skip
    assert code == 1
    (line,) = [line for line in err if line.startswith("flopledger")]  # the network prints too
    assert line.startswith(f"flopledger: the scheduler at {made.scheduler_address} is gone")
    assert f"{len(added)} of 36 rows were done" in line
    assert len(file.read_text().splitlines()) == 1 + len(added)
    assert len([line for line in out.splitlines() if "agrees" in line]) == len(added) >= 2
    code, out, _ = run(
        "sweep", network, "--input", "1,3,N,N", "--over", "N=4:9", "--kwargs", "slow=0.05",
        "--output", str(file), "--resume", "--jobs", "1",
    )  # fmt: skip
    assert code == 0
    assert len([line for line in out.splitlines() if "agrees" in line]) == 5


def test_a_cluster_without_workers_is_given_up(points):
    with (
        LocalCluster(
            n_workers=0, processes=False, dashboard_address=":0", silence_logs="CRITICAL"
        ) as made,
        pytest.raises(LostCluster, match=r"has had no worker for 0\.1 s"),
    ):
        list(on_cluster(points(4), made.scheduler_address, idle=0.1))


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1:9", "http://127.0.0.1:9"])
def test_no_scheduler_there(run, network, monkeypatch, address):
    monkeypatch.setattr(on_dask, "CONNECTING", 0.3)
    words = ("sweep", network, "--input", "1,3,N,N", "--over", "N=4")
    code, out, err = run(*words, "--scheduler", address)
    assert (code, out) == (1, "")
    (line,) = err
    assert line.startswith(f"flopledger: no scheduler answers at {address}; name one that runs")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--jobs 2", "--jobs are this machine's processes"),
        ("--timeout 5", "--timeout ends this machine's processes"),
    ],
)
def test_what_a_cluster_does_not_take(run, network, words, complaint):
    words = ("--input", "1,3,N,N", "--over", "N=4", "--scheduler", "tcp://h:1", *words.split())
    code, out, err = run("sweep", network, *words)
    assert (code, out) == (2, "")
    assert complaint in err[0]


def test_without_dask_the_extra_is_named(run, network, monkeypatch):
    monkeypatch.setattr(on_dask, "find_spec", lambda name: None)
    words = ("--input", "1,3,N,N", "--over", "N=4", "--scheduler", "tcp://h:1")
    code, _, err = run("sweep", network, *words)
    assert code == 2
    assert err == ["flopledger: dask.distributed is not installed; pip install 'flopledger[sweep]'"]
