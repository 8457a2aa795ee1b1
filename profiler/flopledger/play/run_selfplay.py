"""Games of a network against itself, from options to the result: flopledger.selfplay."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from flopledger.errors import WrongOption
from flopledger.options import check_file, check_least, checks_arguments
from flopledger.play import games_file, networks
from flopledger.play.game_loop import Stopped, play
from flopledger.play.games import Game, GameName, find_game
from flopledger.play.games_file import Header
from flopledger.play.played_game import Habits, Played
from flopledger.play.search import Settings
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
    batch: int = 8,
    moves: int | None = None,
    sampled: int = 30,
    noise: float = 0.25,
    position: str = "",
    seed: int = 0,
    output: str | Path | None = None,
    resume: bool = False,
    progress: OnProgress = unheard,
) -> SelfPlay:
    """Play games as AlphaZero does, and count what the search asks of the network.

    Args:
        game: what is played.
        board: points on a side of Go's board; 19 if left out.
        blocks: residual blocks of AlphaZero's tower.
        filters: of each of its convolutions.
        network: another network of the zoo, whose planes and moves are the game's.
        simulations: for each move, after the root's evaluation.
        games: how many.
        reuse_tree: whether the subtree of the move that was played is kept.
        cache: whether the network's answers are remembered, within a game.
        resign: the value, -1 to 0, below which the player to move gives up; None for never.
        batch: positions in one pass of the network, at most.
        moves: after which games are cut off; None for the game's own limit.
        sampled: moves at a game's beginning that are drawn by visits.
        noise: the share of Dirichlet noise in the root's priors, 0 to 1.
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
        Unfinished: memory ran out during a game; has the games before it and what there is of it.
        Interrupted: by Ctrl-C; has the same.
    """
    path = Path(output) if output is not None else None
    _check(simulations, games, batch, blocks, filters, moves, sampled, seed, noise, resign)
    check_file(path, resume, "output")
    rules = find_game(game, board)
    rules.start(position)
    if network is None:
        net, name = networks.tower(rules, blocks, filters, seed), f"alphazero-{blocks}x{filters}"
    else:
        net, name = networks.named(rules, network, seed), network
    settings = Settings(simulations=simulations, batch=batch, noise=noise, reuse=reuse_tree)
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
        player = _Player(game=rules, network=net, settings=settings, habits=habits, seed=seed)
        played = {game.index: game for game in done}
        try:
            _play_all(player, played, games, path, progress)
        except OSError as error:  # the disk is full
            why = f"{error.filename or path}: {error.strerror}"
            raise Unfinished(why, _result(header, played, torn)) from error
        except Stopped as stopped:
            result = _result(header, played, torn)
            where = f"game {stopped.played.index + 1}"
            if isinstance(stopped.__cause__, KeyboardInterrupt):
                raise Interrupted(f"interrupted in {where}", result) from stopped
            raise Unfinished(f"{where}: {stopped.__cause__}", result) from stopped
        return _result(header, played, torn)


@dataclass(frozen=True, kw_only=True)
class _Player:
    """Who plays what, and how."""

    game: Game
    network: nn.Module
    settings: Settings
    habits: Habits
    seed: int


def _play_all(
    player: _Player,
    played: dict[int, Played],
    games: int,
    output: Path | None,
    progress: OnProgress,
) -> None:
    """Add the games that are missing, and write each; one that was stopped is added too."""
    left = [index for index in range(games) if index not in played or not played[index].finished]
    for number, index in enumerate(left, start=games - len(left)):
        before = played.get(index)

        def searched(moves: int, root: Node, number: int = number) -> None:
            progress(Progress(done=number, total=games, message=f"move {moves}"))

        try:
            played[index] = play(
                player.game, player.network, player.settings, player.habits, player.seed, index,
                searched,
            )  # fmt: skip
        except Stopped as stopped:
            played[index] = stopped.played
            raise
        finally:
            if output is not None and played.get(index) is not before:
                games_file.append(output, played[index])


def _result(header: Header, played: dict[int, Played], torn: str) -> SelfPlay:
    games: Sequence[Played] = [played[index] for index in sorted(played)]
    return SelfPlay(header=header, games=tuple(games), notes=(torn,) if torn else ())


def _check(
    simulations: int, games: int, batch: int, blocks: int, filters: int, moves: int | None,
    sampled: int, seed: int, noise: float, resign: float | None,
) -> None:  # fmt: skip
    check_least(
        {
            "simulations": (simulations, 1), "games": (games, 1), "batch": (batch, 1),
            "blocks": (blocks, 0), "filters": (filters, 1), "moves": (moves, 1),
            "sampled": (sampled, 0), "seed": (seed, 0),
        }
    )  # fmt: skip
    if not 0 <= noise <= 1:
        raise WrongOption(f"--noise {noise:g} is no share; give 0 to 1")
    if resign is not None and not -1 <= resign <= 0:
        raise WrongOption(f"--resign {resign:g} is no value to give up at; give -1 to 0")
