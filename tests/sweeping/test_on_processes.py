"""Processes: every row arrives, whoever dies on the way."""

import multiprocessing
import os
import signal
from contextlib import closing

from flopledger.sweeping.on_processes import _death, on_processes


def macs(size):
    return size * size * 9 * 3 * 4


def test_a_size_that_ends_its_process_costs_its_own_row(points, capfd):
    wanted = [*points(4, 6, 8, 10), *points(5, fails=5, how="exit")]
    rows = {row.sizes["N"]: row for row in on_processes(wanted, jobs=2)}
    assert set(rows) == {4, 5, 6, 8, 10}
    assert rows[5].error == "its process ended with exit status 3, twice"
    for size in (4, 6, 8, 10):
        assert (rows[size].error, rows[size].macs) == (None, macs(size))
    assert capfd.readouterr().out == ""
    assert not multiprocessing.active_children()


def test_a_process_that_leaves_with_exit_status_0_costs_its_own_row(points):
    # pebble's pool would wait for ever
    wanted = [*points(4), *points(5, fails=5, how="exit quietly")]
    rows = {row.sizes["N"]: row for row in on_processes(wanted, jobs=1)}
    assert rows[5].error == "its process ended with exit status 0, twice"
    assert rows[4].macs == macs(4)


def test_what_ended_it_has_a_name():
    assert _death(-9) == "its process was killed by SIGKILL, as where memory runs out, twice"
    assert _death(-11) == "its process was killed by SIGSEGV, twice"


def test_a_process_that_is_killed_loses_nothing_and_one_that_hangs_is_ended(points):
    wanted = [*points(*range(4, 24), slow=0.05), *points(30, fails=30, how="hang")]
    came = []
    for row in on_processes(wanted, jobs=2, timeout=2):
        came.append(row)
        if len(came) == 3:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    errors = {row.sizes["N"]: row.error for row in came if row.error}
    assert errors == {30: "not done after 2 s; give a longer --timeout"}
    assert sorted(row.sizes["N"] for row in came) == [*range(4, 24), 30]
    assert all(row.macs == macs(row.sizes["N"]) for row in came if not row.error)


def test_who_stops_asking_leaves_no_process_behind(points):
    with closing(on_processes(points(*range(4, 40), slow=0.01), jobs=1)) as rows:
        next(rows)
    assert not multiprocessing.active_children()
