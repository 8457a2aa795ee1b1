"""The search: PUCT by hand, what is counted, what noise and virtual loss leave."""

import math

import numpy as np
import pytest
from flopledger.play.games import find_game
from flopledger.play.search import Search, Settings, draw
from flopledger.play.tree import Node


class Says:
    """Stands for a network: the same value everywhere, even or given priors, and a memory."""

    def __init__(self, value=0.0, priors=None, remembers=False):
        self.value, self.priors, self.sizes = value, priors or {}, []
        self.known = {} if remembers else None

    def remembered(self, node):
        return self.known.get(node.seen.key()) if self.known is not None else None

    def evaluate(self, nodes):
        self.sizes.append(len(nodes))
        return [self._answer(node) for node in nodes]

    def _answer(self, node):
        legal = node.state.legal_actions()
        prior = np.array([self.priors.get(action, 1.0) for action in legal])
        answer = prior / prior.sum(), self.value
        if self.known is not None:
            self.known[node.seen.key()] = answer
        return answer


# columns 0, 3 and 6 are open
FULL = "x1 o1 x1 o1 x1 o1 x2 o2 x2 o2 x2 o2 x4 o4 x4 o4 x4 o4 x5 o5 x5 o5 x5 o5"
LEANS = {0: 3.0, 3: 0.0, 6: 1.0}


def search_of(name, position="", asks=None, **settings):
    game = find_game(name)
    search = Search(game, asks or Says(), Settings(**settings), np.random.default_rng(0))
    state = game.start(position)
    search.begin(Node(state, game.replayed(state)))
    return game, search


def nodes_below(node):
    yield node
    for child in node.children.values():
        yield from nodes_below(child)


@pytest.mark.parametrize("batch", [1, 4, 16])
@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("remembers", [False, True])
def test_every_simulation_is_accounted_for(batch, reuse, remembers):
    asks = Says(remembers=remembers)
    _, search = search_of("tic_tac_toe", asks=asks, simulations=300, batch=batch, reuse=reuse)
    for number in range(1, 5):
        root = search.run()
        tally = search.tally
        assert root.visits.sum() == 300
        assert root.total == 301
        assert tally.asked == number * 301
        assert tally.asked == tally.made + tally.cache + tally.reuse + tally.terminal
        search.play(int(root.visits.argmax()))
    assert tally.made == sum(asks.sizes)
    assert tally.passes == len(asks.sizes)
    assert max(asks.sizes) <= batch
    assert tally.roots <= 4
    assert (tally.reuse > 0) == reuse
    assert (tally.cache > 0) == remembers


def test_puct_by_hand():
    # column 0 has three times the prior of 6, and every value is 0.5
    asks = Says(value=0.5, priors=LEANS)
    _, search = search_of("connect_four", FULL, asks, simulations=3, batch=1, noise=0)
    root = search.run()
    assert root.prior == pytest.approx([0.75, 0, 0.25])

    def score(mean, prior, visits, total):
        c = math.log((1 + total + 19652) / 19652) + 1.25
        return mean + c * prior * math.sqrt(total) / (1 + visits)

    # first 0 (0.94 against 0.31). Its child says 0.5 for the other side: a mean of -0.5
    assert score(0, 0.75, 0, 1) > score(0, 0.25, 0, 1)
    # then 0.16 against 0.44, so 6; then 0.31 against -0.23
    assert score(-0.5, 0.75, 1, 2) < score(0, 0.25, 0, 2)
    assert score(-0.5, 0.75, 1, 3) > score(-0.5, 0.25, 1, 3)
    assert list(root.visits) == [2, 0, 1]
    # the second visit below 0 went one move deeper, where 0.5 is again the mover's
    assert root.worth == pytest.approx([-0.5 + 0.5, 0, -0.5])


@pytest.mark.parametrize(
    ("settings", "visits"),
    [
        ({}, [1, 0, 1]),
        # after a first visit 0 has -0.5 + 0.75 c sqrt(2) / 2 and 6 has 0.25 c sqrt(2): 0 again if
        # c > 0.5 / (0.125 sqrt(2)) = 2.83
        ({"puct": 2.8}, [1, 0, 1]),
        ({"puct": 2.9}, [2, 0, 0]),
        ({"puct_base": 0.9}, [1, 0, 1]),  # 1.25 + ln(3.9 / 0.9) = 2.72
        ({"puct_base": 0.7}, [2, 0, 0]),  # 1.25 + ln(3.7 / 0.7) = 2.92
    ],
)
def test_the_constants_of_puct_are_settings(settings, visits):
    asks = Says(value=0.5, priors=LEANS)
    _, search = search_of("connect_four", FULL, asks, simulations=2, batch=1, noise=0, **settings)
    assert list(search.run().visits) == visits


@pytest.mark.parametrize(
    ("loss", "sizes"),
    [
        # under way, 0 has -loss + 0.75 c sqrt(2) / 2 = 0.66 - loss, and 6 has 0.44
        (1.0, [1, 2]),
        (0.25, [1, 2]),
        (0.2, [1, 1, 1]),  # 0 again: two that meet at one leaf end the batch
        (0.0, [1, 1, 1]),
    ],
)
def test_a_virtual_loss_sends_the_next_visit_elsewhere(loss, sizes):
    asks = Says(priors=LEANS)
    settings = {"simulations": 2, "batch": 2, "noise": 0, "virtual_loss": loss}
    search_of("connect_four", FULL, asks, **settings)[1].run()
    assert asks.sizes == sizes


class Drawn:
    """Stands for a generator: keeps the shares that it is asked to draw by."""

    def choice(self, count, p):
        self.p = p
        return count - 1


@pytest.mark.parametrize(
    ("temperature", "shares"),
    [
        (1, [1 / 7, 2 / 7, 4 / 7]),
        (0.5, [1 / 21, 4 / 21, 16 / 21]),
        (2, [1 / (3 + 2**0.5), 2**0.5 / (3 + 2**0.5), 2 / (3 + 2**0.5)]),
        (1e-4, [0, 0, 1]),
    ],
)
def test_a_temperature_by_hand(temperature, shares):
    root, rng = Node(None, None), Drawn()
    root.visits = np.array([100, 200, 400])
    assert draw(root, temperature, rng) == 2
    assert rng.p == pytest.approx(shares)


def test_the_default_draw_is_by_visits_bit_for_bit():
    root, rng = Node(None, None), Drawn()
    root.visits = np.array([1, 2, 4])
    draw(root, Settings().temperature, rng)
    assert list(rng.p) == [1 / 7, 2 / 7, 4 / 7]
    assert draw(root, 0, None) == 2  # the most visited; nothing is drawn


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("batch", [1, 5])
def test_a_move_takes_no_more_evaluations_than_it_may(reuse, batch):
    asks = Says()
    limits = {"simulations": 60, "evaluations": 12, "batch": batch, "reuse": reuse}
    _, search = search_of("tic_tac_toe", "x(0,0) o(1,1)", asks, **limits)
    before, most = 0, 0
    for _ in range(6):
        root = search.run()
        tally = search.tally
        assert tally.made - before <= 12
        most = max(most, tally.made - before)
        before = tally.made
        assert tally.asked == tally.made + tally.cache + tally.reuse + tally.terminal
        assert root.visits.sum() <= 60
        search.play(int(root.visits.argmax()))
    assert most == 12


def test_a_search_follows_moves_that_it_did_not_search():
    game, search = search_of("connect_four", simulations=30, reuse=True)
    search.follow(3)
    assert search._root.state.history() == [3]
    root = search.run()
    place = int(root.visits.argmax())
    search.follow(root.actions[place])
    assert search._root is root.children[place]  # the subtree is kept
    search.follow(search._root.actions[0])
    state = search._root.state
    assert len(state.history()) == 3
    assert search._root.seen == game.replayed(state)


def test_noise_is_in_the_roots_priors_and_nowhere_else():
    _, search = search_of("connect_four", simulations=60, noise=0.25)
    root = search.run()
    assert root.prior.sum() == pytest.approx(1)
    assert not np.allclose(root.prior, 1 / 7)
    assert (root.prior >= 0.75 / 7).all()
    for node in nodes_below(root):
        if node is not root and node.total:
            assert np.allclose(node.prior, 1 / len(node.prior))


def test_no_noise_leaves_the_network_alone():
    _, search = search_of("connect_four", simulations=10, noise=0)
    assert np.allclose(search.run().prior, 1 / 7)


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("loss", [0.0, 1.0, 2.6])
def test_virtual_loss_is_taken_back(batch, loss):
    _, search = search_of("connect_four", simulations=200, batch=batch, virtual_loss=loss)
    root = search.run()
    for node in nodes_below(root):
        if not node.total:
            continue
        assert node.total == 1 + node.visits.sum()
        for place, child in node.children.items():
            below = child.total if child.seen is not None else node.visits[place]
            assert node.visits[place] == below
            values = -child.value * (1 if child.seen is not None else node.visits[place])
            deeper = -child.worth.sum() if child.total else 0
            assert node.worth[place] == pytest.approx(values + deeper, abs=1e-12)


def test_virtual_loss_is_taken_back_when_the_network_fails():
    class Fails(Says):
        def evaluate(self, nodes):
            if len(self.sizes) == 2:
                raise KeyboardInterrupt
            return super().evaluate(nodes)

    _, search = search_of("connect_four", asks=Fails(), simulations=50, batch=4)
    with pytest.raises(KeyboardInterrupt):
        search.run()
    root = search._root
    assert root.visits.sum() == 4  # the one batch that came back
    assert root.worth == pytest.approx(np.zeros(7))


@pytest.mark.parametrize(
    ("name", "position", "word"),
    [
        ("tic_tac_toe", "x(0,0) o(1,0) x(0,1) o(1,1)", "x(0,2)"),
        ("tic_tac_toe", "x(0,0) o(1,0) x(0,1) o(1,1) x(2,2)", "o(1,2)"),
        ("connect_four", "x0 o6 x0 o6 x0 o6", "x0"),
        ("connect_four", "x0 o6 x0 o6 x1 o6 x2", "o6"),
        ("chess", "6k1/5ppp/8/8/8/8/8/R5K1 w - - 0 1", "Ra8#"),
        ("chess", "f3 e5 g4", "Qh4#"),
        ("shogi", "4k4/9/4P4/9/9/9/9/9/4K4 b G 1", "G*5b"),
    ],
)
def test_a_win_in_one_is_found(name, position, word):
    game, search = search_of(name, position, simulations=400, noise=0)
    root = search.run()
    best = int(root.visits.argmax())
    assert root.actions[best] == game.action(game.start(position), word)
    assert root.means()[best] == 1  # a win for the one who moves there


def test_a_loss_is_seen_from_the_other_side():
    # whatever the first player does but o2's block, the second wins at once
    game, search = search_of(
        "tic_tac_toe", "x(0,0) o(1,0) x(2,1) o(1,1)", simulations=2000, noise=0
    )
    root = search.run()
    best = int(root.visits.argmax())
    assert root.actions[best] == game.action(game.start("x(0,0) o(1,0) x(2,1) o(1,1)"), "x(1,2)")
    elsewhere = root.actions.index(2)
    assert root.means()[elsewhere] < -0.5


def test_a_subtree_is_kept_with_its_visits():
    _, search = search_of("connect_four", simulations=100, batch=1, reuse=True)
    root = search.run()
    best = int(root.visits.argmax())
    inherited = int(root.visits[best])
    search.play(best)
    made = search.tally.made
    root = search.run()
    assert search.tally.reuse == inherited
    assert search.tally.made + search.tally.terminal - made == 101 - inherited
    assert root.visits.sum() == 100
