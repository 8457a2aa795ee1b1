"""Work in other threads: counted where it can be followed, named where it cannot."""

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from queue import SimpleQueue

import pytest
import torch
import torch.nn.functional as F
from flopledger import meter, profile
from torch import nn

X = torch.ones(2, 8)
LINEAR = 2 * 8 * 8  # rows x inputs x outputs


class Branches(nn.Module):
    """Two linear layers; `both` runs them, in whatever threads."""

    def __init__(self, both, pool=None):
        super().__init__()
        self.a, self.b, self.both, self.pool = nn.Linear(8, 8), nn.Linear(8, 8), both, pool

    def forward(self, x):
        return sum(self.both(self, x))


def in_a_pool(self, x):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda layer: layer(x), [self.a, self.b]))


def in_threads(self, x):
    out = {}
    threads = [
        threading.Thread(target=lambda layer=layer: out.update({layer: layer(x)}))
        for layer in (self.a, self.b)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out.values()


def one_without_gradients(self, x):
    @torch.no_grad()
    def work():
        return self.a(x)

    with ThreadPoolExecutor(1) as pool:
        return [pool.submit(work).result(), self.b(x)]


def by_function(self, x):
    with ThreadPoolExecutor(1) as pool:
        return [pool.submit(F.linear, x, w).result() for w in (self.a.weight, self.b.weight)]


def in_a_thread_of_a_thread(self, x):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(in_threads, self, x).result()


def in_a_kept_pool(self, x):
    return list(self.pool.map(lambda layer: layer(x), [self.a, self.b]))


def in_another_kept_pool(self, x):
    return [self.pool.apply_async(F.linear, (x, w)).get() for w in (self.a.weight, self.b.weight)]


def in_turns(self, x):
    both = [self.a, self.b]
    halves = (self.pool.imap, self.pool.imap_unordered, self.pool.map)
    first, second, third = (list(half(lambda layer: layer(x), both)) for half in halves)
    return first + second + third


class Worker:
    """A thread that was there before, and takes its work from a queue."""

    def __init__(self):
        self.asked, self.done = SimpleQueue(), SimpleQueue()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while (work := self.asked.get()) is not None:
            self.done.put(work())

    def __call__(self, work):
        self.asked.put(work)
        return self.done.get()


@pytest.fixture
def kept():
    executor, pool, worker = ThreadPoolExecutor(2), ThreadPool(2), Worker()
    list(executor.map(abs, range(4)))  # its threads are there before
    yield {in_a_kept_pool: executor, in_another_kept_pool: pool, "worker": worker}
    executor.shutdown()
    pool.terminate()
    worker.asked.put(None)


WAYS = [in_a_pool, in_threads, one_without_gradients, by_function, in_a_thread_of_a_thread,
        in_a_kept_pool, in_another_kept_pool]  # fmt: skip


def test_every_way_into_a_pool_is_followed(kept):
    counted = profile(Branches(in_turns, kept[in_another_kept_pool]), X)
    assert (counted.total("macs"), counted.complete) == (3 * 2 * LINEAR, True)


@pytest.mark.parametrize("way", WAYS)
def test_what_runs_in_threads_is_counted(way, kept):
    network = Branches(way, kept.get(way))
    for values in (False, True):
        counted = profile(network, X, values=values)
        assert counted.total("macs") == 2 * LINEAR
        assert counted.complete
        assert counted.unused == () or way in (by_function, in_another_kept_pool)  # no bias there
        assert (counted.counter, counted.check.agrees) == ("dispatch", None)
        assert "other threads" in counted.check.reason
    with meter(network) as metered:
        network(X)
    assert metered.read().totals.macs == 2 * LINEAR


def test_what_runs_in_threads_is_booked_on_its_layer_and_differentiated():
    counted = profile(Branches(in_a_pool), X, backward=True)
    assert counted.by_layer().set_index("layer").macs[["a", "b"]].tolist() == [LINEAR, LINEAR]
    # of weights alone: the input wants no gradient
    assert sum(call.macs for call in counted.backward_calls) == 2 * LINEAR


def in_a_worker(self, x):
    return [self.pool(lambda: self.a(x)), self.b(x)]


def in_a_worker_by_function(self, x):
    return [self.pool(lambda: x @ self.a.weight), self.b(x)]


def test_a_layer_in_a_thread_that_was_there_before_is_counted(kept):
    counted = profile(Branches(in_a_worker, kept["worker"]), X)
    assert (counted.total("macs"), counted.complete) == (2 * LINEAR, True)


def test_weights_used_where_nothing_is_seen_make_a_lower_bound(kept):
    counted = profile(Branches(in_a_worker_by_function, kept["worker"]), X)
    assert counted.total("macs") == LINEAR
    assert not counted.complete
    assert counted.unsupported().operator.tolist() == ["thread::unseen"]
    assert counted.check.agrees is None
    assert "nothing of it was seen" in counted.check.reason


def test_a_thread_that_computes_nothing_leaves_the_second_opinion():
    def logs(self, x):
        thread = threading.Thread(target=print)
        thread.start()
        thread.join()
        return self.a(x), self.b(x)

    assert profile(Branches(logs), X).check.agrees


def test_other_threads_and_pools_are_as_they_were():
    before = threading.Thread.start, ThreadPoolExecutor.submit, dict(vars(ThreadPool))
    profile(Branches(in_a_pool), X)
    assert before == (threading.Thread.start, ThreadPoolExecutor.submit, dict(vars(ThreadPool)))


def test_switches_that_are_every_threads_are_not_changed():
    looked = []

    class Looks(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, x):
            with ThreadPoolExecutor(1) as pool:
                switch = torch.backends.mha.get_fastpath_enabled
                assert pool.submit(switch).result()
                looked.append(1)
            return self.layer(x)

    counted = profile(Looks().eval(), torch.ones(1, 4, 8), values=True)
    # four projections, a score and a sum over each pair, the two layers behind
    assert counted.total("macs") == 4 * (4 * 8 * 8) + 2 * 4 * 4 * 8 + 2 * 4 * 8 * 16
    assert counted.check.agrees


def test_two_threads_count_one_network():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    before = {name: (p, p.detach().clone()) for name, p in network.named_parameters()}
    image = torch.ones(1, 3, 8, 8)
    with ThreadPoolExecutor(2) as pool:
        counted = list(pool.map(lambda _: profile(network, image), range(4)))
    assert {each.total("macs") for each in counted} == {36 * 27 * 4 + 144 * 10}
    for name, param in network.named_parameters():
        assert param is before[name][0]
        assert torch.equal(param, before[name][1])
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


UNSEEN = '''
import threading
from queue import SimpleQueue

from torch import nn


class Net(nn.Linear):
    """Multiplies in a thread that was there before."""

    def __init__(self):
        super().__init__(8, 8, bias=False)
        self.asked, self.done = SimpleQueue(), SimpleQueue()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            x, weight = self.asked.get()
            self.done.put(x @ weight)

    def forward(self, x):
        self.asked.put((x, self.weight))
        return self.done.get() + 1
'''


def test_strict_objects_to_work_that_was_not_seen(run, tmp_path):
    (tmp_path / "net.py").write_text(UNSEEN)
    call = ("profile", f"{tmp_path}/net.py:Net", "--input", "2,8")
    assert run(*call)[0] == 0
    assert run(*call, "--strict")[0] == 3
