"""The search: by hand and beside the published pseudocode, what is counted, what noise does."""

import math

import numpy as np
import pytest
from flopledger.play.games import find_game
from flopledger.play.lockstep import lockstep
from flopledger.play.search import Search, Settings, draw
from flopledger.play.tree import Answer, Node


class Says:
    """Stands for a network: the same value everywhere, even or given priors."""

    def __init__(self, value=0.0, priors=None):
        self.value, self.priors, self.asked = value, priors or {}, 0

    def evaluate(self, nodes):
        self.asked += len(nodes)
        return [self._answer(node) for node in nodes]

    def _answer(self, node):
        legal = node.state.legal_actions()
        prior = np.array([self.priors.get(action, 1.0) for action in legal])
        return Answer(prior / prior.sum(), self.value)


# columns 0, 3 and 6 are open
FULL = "x1 o1 x1 o1 x1 o1 x2 o2 x2 o2 x2 o2 x4 o4 x4 o4 x4 o4 x5 o5 x5 o5 x5 o5"
LEANS = {0: 3.0, 3: 0.0, 6: 1.0}


def search_of(name, position="", board=None, cache=None, **settings):
    game = find_game(name, board)
    search = Search(game, Settings(**settings), np.random.default_rng(0), cache)
    state = game.start(position)
    search.begin(Node(state, game.replayed(state)))
    return game, search


def run(search, asks=None):
    """Search one move."""
    (root,) = lockstep(asks or Says(), [search.run()], 1)
    return root


def nodes_below(node):
    yield node
    for child in node.children.values():
        yield from nodes_below(child)


class Random:
    """Stands for a network whose answers differ everywhere, and are the position's own."""

    def __init__(self):
        self.sizes = []

    def evaluate(self, nodes):
        self.sizes.append(len(nodes))
        return [Answer(*self.answer(node.state)) for node in nodes]

    def answer(self, state):
        rng = np.random.default_rng(state.history())
        return rng.dirichlet(np.full(len(state.legal_actions()), 0.5)), float(rng.uniform(-1, 1))


class Published:
    """The search of AlphaZero's pseudocode (Science 2018, supplement), by recursion.

    Values are in [0, 1], for the player who chooses among them; a move never tried has 0.
    """

    def __init__(self, answer):
        self.answer = answer

    def search(self, state, simulations):
        """Visits of each legal move, and their values' sums."""
        root = {"visits": 0, "sum": 0.0, "below": {}}
        for _ in range(simulations + 1):
            self._simulate(root, state.clone())
        below = root["below"].values()
        return [child["visits"] for child in below], [child["sum"] for child in below]

    def _simulate(self, node, state):
        """The value for the player to move, or who would be."""
        node["visits"] += 1
        if state.is_terminal():
            last = state.full_history()[-1].player
            return (state.returns()[1 - last] + 1) / 2
        if not node["below"]:
            priors, value = self.answer(state)
            for action, prior in zip(state.legal_actions(), priors, strict=True):
                node["below"][action] = {"visits": 0, "sum": 0.0, "prior": prior, "below": {}}
            return (value + 1) / 2
        action = max(node["below"], key=lambda action: self._score(node, node["below"][action]))
        child = node["below"][action]
        state.apply_action(action)
        value = 1 - self._simulate(child, state)
        child["sum"] += value
        return value

    def _score(self, node, child):
        # the visit under way is not yet among the node's
        visits = node["visits"] - 1
        weight = math.log((visits + 19652 + 1) / 19652) + 1.25
        weight *= math.sqrt(visits) / (child["visits"] + 1)
        value = child["sum"] / child["visits"] if child["visits"] else 0
        return weight * child["prior"] + value


@pytest.mark.parametrize(
    ("name", "board", "opening"),
    [("tic_tac_toe", None, 3), ("connect_four", None, 6), ("hex", 3, 2), ("chess", None, 2)],
)
def test_each_search_in_lockstep_is_the_published_one(name, board, opening):
    game, asks, rng = find_game(name, board), Random(), np.random.default_rng(1)
    searches, states = [], [game.start() for _ in range(8)]
    for state in states:
        for _ in range(opening):
            state.apply_action(int(rng.choice(state.legal_actions())))
        search = Search(game, Settings(simulations=60, noise=0), rng)
        search.begin(Node(state.clone(), game.replayed(state)))
        searches.append(search)
    list(lockstep(asks, [search.run() for search in searches], 5))
    assert max(asks.sizes) == 5
    for search, state in zip(searches, states, strict=True):
        visits, sums = Published(asks.answer).search(state, 60)
        root = search._root
        assert root.visits.tolist() == visits
        # ours are in [-1, 1]
        assert (root.worth + root.visits) / 2 == pytest.approx(sums, abs=1e-12)


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("remembers", [False, True])
def test_every_simulation_is_accounted_for(reuse, remembers):
    asks = Says()
    cache = {} if remembers else None
    _, search = search_of("tic_tac_toe", cache=cache, simulations=300, reuse=reuse)
    for number in range(1, 5):
        root = run(search, asks)
        tally = search.tally
        assert root.visits.sum() == 300
        assert root.total == 301
        assert tally.asked == number * 301
        assert tally.asked == tally.made + tally.cache + tally.reuse + tally.terminal
        search.play(int(root.visits.argmax()))
    assert tally.made == asks.asked
    assert tally.roots <= 4
    assert (tally.reuse > 0) == reuse
    assert (tally.cache > 0) == remembers


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr("flopledger.play.search.REMEMBERED", 2)
    game, cache, asks = find_game("tic_tac_toe"), {}, Says()
    for position, known in (("", 0), ("x(0,0)", 0), ("x(0,0)", 1), ("x(1,1)", 0), ("", 0)):
        search = Search(game, Settings(simulations=0), np.random.default_rng(0), cache)
        state = game.start(position)
        search.begin(Node(state, game.replayed(state)))
        run(search, asks)
        assert (search.tally.cache, len(cache) <= 2) == (known, True)


def test_puct_by_hand():
    # column 0 has three times the prior of 6, and every value is 0.5
    asks = Says(value=0.5, priors=LEANS)
    _, search = search_of("connect_four", FULL, simulations=3, noise=0, values="signed")
    root = run(search, asks)
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
        # where a move never tried counts as 0.2, 6 has 0.2 more
        ({"puct": 2.9, "fpu": 0.2}, [1, 0, 1]),
        # on [0, 1] both constants count twice, and 0.5 is a draw: 0 again if c > 1.41
        ({"puct": 1.4, "values": "unit", "fpu": 0.5}, [1, 0, 1]),
        ({"puct": 1.45, "values": "unit", "fpu": 0.5}, [2, 0, 0]),
        # 0 is a loss there, and 0 again at once: -0.5 + 0.75 c sqrt(2) > -1 + 0.5 c sqrt(2)
        ({"values": "unit"}, [2, 0, 0]),
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
    settings = {"simulations": 2, "noise": 0, "values": "signed"} | settings
    _, search = search_of("connect_four", FULL, **settings)
    assert list(run(search, asks).visits) == visits


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
    root._visits, root.total = [100, 200, 400], 701
    assert draw(root, temperature, rng) == 2
    assert rng.p == pytest.approx(shares)


def test_the_default_draw_is_by_visits_bit_for_bit():
    root, rng = Node(None, None), Drawn()
    root._visits, root.total = [1, 2, 4], 8
    draw(root, Settings().temperature, rng)
    assert list(rng.p) == [1 / 7, 2 / 7, 4 / 7]
    assert draw(root, 0, None) == 2  # the most visited; nothing is drawn


@pytest.mark.parametrize("reuse", [False, True])
def test_a_move_takes_no_more_evaluations_than_it_may(reuse):
    limits = {"simulations": 60, "evaluations": 12, "reuse": reuse}
    _, search = search_of("tic_tac_toe", "x(0,0) o(1,1)", **limits)
    before, most = 0, 0
    for _ in range(6):
        root = run(search)
        tally = search.tally
        assert tally.made - before <= 12
        most = max(most, tally.made - before)
        before = tally.made
        assert tally.asked == tally.made + tally.cache + tally.reuse + tally.terminal
        assert root.visits.sum() <= 60
        search.play(int(root.visits.argmax()))
        if search._root.seen is None:  # the game is over
            break
    assert most == 12


def test_a_search_follows_moves_that_it_did_not_search():
    game, search = search_of("connect_four", simulations=30, reuse=True)
    search.follow(3)
    assert search._root.state.history() == [3]
    root = run(search)
    place = int(root.visits.argmax())
    search.follow(root.actions[place])
    assert search._root is root.children[place]  # the subtree is kept
    search.follow(search._root.actions[0])
    state = search._root.state
    assert len(state.history()) == 3
    assert search._root.seen == game.replayed(state)


def test_noise_is_in_the_roots_priors_and_nowhere_else():
    _, search = search_of("connect_four", simulations=60, noise=0.25)
    root = run(search)
    assert root.prior.sum() == pytest.approx(1)
    assert not np.allclose(root.prior, 1 / 7)
    assert (root.prior >= 0.75 / 7).all()
    for node in nodes_below(root):
        if node is not root and node.total:
            assert np.allclose(node.prior, 1 / len(node.prior))


def test_no_noise_leaves_the_network_alone():
    _, search = search_of("connect_four", simulations=10, noise=0)
    assert np.allclose(run(search).prior, 1 / 7)


@pytest.mark.parametrize("fpu", [0.0, 0.3, 1.0])
def test_a_tree_adds_up(fpu):
    _, search = search_of("connect_four", simulations=200, fpu=fpu)
    root = run(search)
    for node in nodes_below(root):
        if not node.total:
            continue
        assert node.total == 1 + node.visits.sum()
        for place, child in node.children.items():
            below = child.total if child.seen is not None else node.visits[place]
            assert node.visits[place] == below
            values = -child.value * below
            deeper = -child.worth.sum() if child.total else 0
            assert node.worth[place] == pytest.approx(values + deeper, abs=1e-12)


def test_a_search_that_was_stopped_leaves_a_tree_that_adds_up():
    class Fails(Says):
        def evaluate(self, nodes):
            if self.asked == 5:
                raise KeyboardInterrupt
            return super().evaluate(nodes)

    _, search = search_of("connect_four", simulations=50)
    with pytest.raises(KeyboardInterrupt):
        run(search, Fails())
    assert search._root.visits.sum() == 4  # the root's evaluation, and four that came back
    assert search.tally.made == 5


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
    # untried moves count as draws: as losses, most of shogi's ninety would never be tried
    game, search = search_of(name, position, simulations=400, noise=0, values="signed")
    root = run(search)
    best = int(root.visits.argmax())
    assert root.actions[best] == game.action(game.start(position), word)
    assert root.means()[best] == 1  # a win for the one who moves there


def test_play_without_search_is_by_the_policy():
    _, search = search_of("connect_four", FULL, simulations=0, noise=0)
    root, rng = run(search, Says(priors=LEANS)), Drawn()
    assert (search.tally.asked, search.tally.made, root.visits.sum()) == (1, 1, 0)
    assert draw(root, 0, None) == 0
    draw(root, 1, rng)
    assert list(rng.p) == pytest.approx([0.75, 0, 0.25])
    search.play(2)
    assert search._root.state.history()[-1] == 6


def test_a_loss_is_seen_from_the_other_side():
    # whatever the first player does but o2's block, the second wins at once
    game, search = search_of(
        "tic_tac_toe", "x(0,0) o(1,0) x(2,1) o(1,1)", simulations=2000, noise=0
    )
    root = run(search)
    best = int(root.visits.argmax())
    assert root.actions[best] == game.action(game.start("x(0,0) o(1,0) x(2,1) o(1,1)"), "x(1,2)")
    elsewhere = root.actions.index(2)
    assert root.means()[elsewhere] < -0.5


def test_a_subtree_is_kept_with_its_visits():
    _, search = search_of("connect_four", simulations=100, reuse=True)
    root = run(search)
    best = int(root.visits.argmax())
    inherited = int(root.visits[best])
    search.play(best)
    made = search.tally.made
    root = run(search)
    assert search.tally.reuse == inherited
    assert search.tally.made + search.tally.terminal - made == 101 - inherited
    assert root.visits.sum() == 100


def test_an_untried_moves_value_may_be_a_whole_number():
    # numpy would make an array of integers of it, which cuts the means off at the point
    means = [run(search_of("tic_tac_toe", simulations=30, noise=0, fpu=fpu)[1], Says(0.5)).means()
             for fpu in (0, 0.0)]  # fmt: skip
    assert means[0].tolist() == means[1].tolist()
    assert any(mean % 1 for mean in means[0])
