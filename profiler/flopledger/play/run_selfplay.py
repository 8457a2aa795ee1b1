"""Games of a network against itself, from options to the result: flopledger.selfplay."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import get_args

from flopledger.errors import WrongOption
from flopledger.options import check_choice, check_file, check_least, checks_arguments
from flopledger.play import games_file, networks
from flopledger.play.game_loop import OnSearch, Stopped, play
from flopledger.play.games import GameName, find_game
from flopledger.play.games_file import Header
from flopledger.play.lockstep import AT_ONCE
from flopledger.play.played_game import Habits, Played
from flopledger.play.search import Settings, Values
from flopledger.play.selfplay_result import SelfPlay
from flopledger.play.tree import Node
from flopledger.progress import Interrupted, OnProgress, Progress, Unfinished, unheard
from flopledger.storage.alone import alone


@checks_arguments
def selfplay(
    game: GameName = "connect_four",
    *,
    board: int | None = None,
    blocks: int = 2,
    filters: int = 32,
    network: str | None = None,
    simulations: int = 800,
    games: int = 20,
    reuse_tree: bool = False,
    cache: bool = False,
    resign: float | None = None,
    batch: int = AT_ONCE,
    moves: int | None = None,
    sampled: int = 30,
    noise: float = 0.25,
    values: Values = "unit",
    fpu: float = 0.0,
    position: str = "",
    seed: int = 0,
    output: str | Path | None = None,
    resume: bool = False,
    progress: OnProgress = unheard,
) -> SelfPlay:
    """Play games as AlphaZero does, and count what the search asks of the network.

    Args:
        game: what is played.
        board: points on a side: of Go's board, 19 if left out; of Hex's, 11.
        blocks: residual blocks of AlphaZero's tower.
        filters: of each of its convolutions.
        network: another network of the zoo, whose planes and moves are the game's.
        simulations: for each move, after the root's evaluation; with 0 the policy plays alone.
        games: how many.
        reuse_tree: whether the subtree of the move that was played is kept.
        cache: whether the network's answers are remembered, within a game.
        resign: the value, -1 to 0, below which the player to move gives up; None for never.
        batch: games under way at once, whose positions share the network's passes.
        moves: after which games are cut off; None for the game's own limit.
        sampled: moves at a game's beginning that are drawn by visits.
        noise: the share of Dirichlet noise in the root's priors, 0 to 1.
        values: the scale of the search's values: "unit" is [0, 1], "signed" [-1, 1].
        fpu: what a move never tried counts as, on that scale.
        position: where games begin: a FEN, an SFEN, or moves from the start.
        seed: of weights, noise and moves.
        output: a file that gets a line of JSON after every game.
        resume: whether to go on with the games in `output`.
        progress: called after every move; `done` counts games.

    Raises:
        WrongOption: an option's value is none, or `output` cannot be written.
        Busy: another self-play writes to `output`.
        UnknownGame: there is no such game, or not on such a board.
        MissingGames: OpenSpiel is not installed.
        BadPosition: games cannot begin there.
        UnknownModel: the zoo has no such network.
        DoesNotFit: the network does not fit the game, or memory.
        BadRecord: `output` holds something else.
        Unfinished: memory ran out; has the games before and what there is of those under way.
        Interrupted: by Ctrl-C; has the same.
    """
    path = Path(output) if output is not None else None
    _check(simulations, games, batch, blocks, filters, moves, sampled, seed, noise, resign)
    _check_values(values, fpu)
    check_file(path, resume, "output")
    rules = find_game(game, board)
    rules.start(position)
    if network is None:
        net, name = networks.tower(rules, blocks, filters, seed), f"alphazero-{blocks}x{filters}"
    else:
        net, name = networks.named(rules, network, seed), network
    settings = Settings(
        simulations=simulations, noise=noise, reuse=reuse_tree, values=values, fpu=fpu
    )
    habits = Habits(sampled=sampled, resign=resign, longest=moves, cache=cache, position=position)
    header = Header(
        game=rules.name,
        network=name,
        params=sum(p.numel() for p in net.parameters() if p.requires_grad),
        seed=seed,
        **vars(settings),
        **vars(habits),
    )
    with alone(path):
        done, torn = games_file.begin(path, header, resume) if path is not None else ([], "")

        def begin(indices: Iterable[int], on_search: OnSearch) -> Iterator[Played]:
            return play(rules, net, settings, habits, seed, indices, on_search, batch)

        played = {game.index: game for game in done}
        try:
            _play_all(begin, played, games, path, progress)
        except OSError as error:  # the disk is full
            why = f"{error.filename or path}: {error.strerror}"
            raise Unfinished(why, _result(header, played, torn)) from error
        except Stopped as stopped:
            result = _result(header, played, torn)
            where = _where(stopped.played)
            if isinstance(stopped.__cause__, KeyboardInterrupt):
                raise Interrupted(f"interrupted in {where}", result) from stopped
            raise Unfinished(f"{where}: {stopped.__cause__}", result) from stopped
        return _result(header, played, torn)


def _play_all(
    begin: Callable[[Iterable[int], OnSearch], Iterator[Played]],
    played: dict[int, Played],
    games: int,
    output: Path | None,
    progress: OnProgress,
) -> None:
    """Add the games that are missing, and write each; those that were stopped are added too."""
    left = [index for index in range(games) if index not in played or not played[index].finished]
    ended = games - len(left)

    def searched(index: int, moves: int, root: Node) -> None:
        message = f"game {index + 1}, move {moves}"
        progress(Progress(done=ended, total=games, message=message))

    def add(game: Played) -> None:
        played[game.index] = game
        if output is not None:
            games_file.append(output, game)

    try:
        for game in begin(left, searched):
            ended += 1
            add(game)
    except Stopped as stopped:
        for game in stopped.played:
            add(game)
        raise


def _where(games: Sequence[Played]) -> str:
    numbers = sorted(game.index + 1 for game in games)
    if len(numbers) == 1:
        return f"game {numbers[0]}"
    return f"{len(numbers)} games" if numbers else "no game"


def _result(header: Header, played: dict[int, Played], torn: str) -> SelfPlay:
    games: Sequence[Played] = [played[index] for index in sorted(played)]
    return SelfPlay(header=header, games=tuple(games), notes=(torn,) if torn else ())


def _check(
    simulations: int, games: int, batch: int, blocks: int, filters: int, moves: int | None,
    sampled: int, seed: int, noise: float, resign: float | None,
) -> None:  # fmt: skip
    check_least(
        {
            "simulations": (simulations, 0), "games": (games, 1), "batch": (batch, 1),
            "blocks": (blocks, 0), "filters": (filters, 1), "moves": (moves, 1),
            "sampled": (sampled, 0), "seed": (seed, 0),
        }
    )  # fmt: skip
    if not 0 <= noise <= 1:
        raise WrongOption(f"--noise {noise:g} is no share; give 0 to 1")
    if resign is not None and not -1 <= resign <= 0:
        raise WrongOption(f"--resign {resign:g} is no value to give up at; give -1 to 0")


def _check_values(values: str, fpu: float) -> None:
    check_choice("values", values, get_args(Values))
    low = 0 if values == "unit" else -1
    if not low <= fpu <= 1:
        raise WrongOption(f"--fpu {fpu:g} is no {values} value; give {low} to 1")
