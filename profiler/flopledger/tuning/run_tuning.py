"""The search's settings tuned, from options to the result: flopledger.tune."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from flopledger.clock.threads import one_thread
from flopledger.errors import FlopledgerError
from flopledger.options import check_choice, check_file, check_least, checks_arguments
from flopledger.play import networks
from flopledger.play.games import Game, GameName, find_game
from flopledger.play.match import Stopped, opened
from flopledger.progress import Interrupted, OnProgress, Progress, Unfinished, unheard
from flopledger.storage.alone import alone
from flopledger.tuning.outcome import Task, Tuning

if TYPE_CHECKING:
    import optuna
    from torch import nn

    from flopledger.tuning.tuner import Contest


class MissingOptuna(FlopledgerError, ImportError):
    """Optuna is not installed; the message says how to install it."""


@checks_arguments
def tune(
    game: GameName = "connect_four",
    *,
    board: int | None = None,
    blocks: int = 2,
    filters: int = 32,
    checkpoint: str | Path | None = None,
    evaluations: int = 32,
    against: Literal["match", "selfplay"] = "match",
    trials: int = 20,
    games: int = 30,
    final: int = 200,
    opening: int = 4,
    seed: int = 0,
    storage: str | Path | None = None,
    resume: bool = False,
    progress: OnProgress = unheard,
) -> Tuning:
    """Tune the search by win rate: a Gaussian process, and random search for as many FLOPs.

    Args:
        game: what is played.
        board: points on a side: of Go's board, 19 if left out; of Hex's, 11.
        blocks: residual blocks of an untrained tower.
        filters: of each of its convolutions.
        checkpoint: the network that `train("alphazero")` has written; None for an untrained tower.
        evaluations: the network's for a move: the budget of both sides.
        against: the opponent's settings: AlphaZero's for matches, or for self-play.
        trials: of the Gaussian process.
        games: of one trial.
        final: fresh games of each sampler's choice at the end.
        opening: random moves before each game.
        seed: of weights, proposals and games.
        storage: a SQLite file that keeps every match.
        resume: whether to go on with `storage`.
        progress: called after each trial, each finalist's games, and before each final; `done`
            and `total` count the Gaussian process's trials.

    Raises:
        WrongOption: an option's value is none, or `storage` cannot be written.
        MissingOptuna: Optuna is not installed.
        UnknownGame: there is no such game, or not on such a board.
        MissingGames: OpenSpiel is not installed.
        DoesNotFit: `checkpoint` is none of this game's, or the tower does not fit into memory.
        NoOpening: openings of that length end the game.
        BadStorage: `storage` holds something else.
        StorageFailed: it failed on the way.
        Unfinished: memory ran out; has what was played.
        Interrupted: by Ctrl-C; has the same.
    """
    path = Path(storage) if storage is not None else None
    check_least(
        {
            "trials": (trials, 1), "games": (games, 2), "final": (final, 2),
            "evaluations": (evaluations, 2), "blocks": (blocks, 0),
            "filters": (filters, 1), "opening": (opening, 0), "seed": (seed, 0),
        }
    )  # fmt: skip
    check_choice("against", against, ("match", "selfplay"))
    check_file(path, resume, "storage")
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise MissingOptuna("tune needs Optuna; pip install 'flopledger[tune]'") from error
    from flopledger.tuning.studies import studies
    from flopledger.tuning.tuner import Contest, digest, tuning_of

    rules = find_game(game, board)
    opened(rules, opening, np.random.default_rng(seed))
    network, name = _network(rules, checkpoint, blocks, filters, seed)
    task = Task(
        game=rules.name, network=name, weights=digest(network), evaluations=evaluations,
        against=against, games=games, opening=opening, seed=seed,
    )  # fmt: skip
    contest = Contest(task=task, game=rules, network=network)
    with one_thread(), alone(path), studies(path, task, resume) as by_sampler:
        try:
            _search(by_sampler, contest, trials, progress)
            for study in by_sampler.values():
                _finish(study, contest, trials, final, progress)
        except (Stopped, KeyboardInterrupt) as stopped:
            result = tuning_of(contest, by_sampler.values(), final)
            cause = stopped.__cause__ or stopped
            if isinstance(cause, KeyboardInterrupt):
                raise Interrupted("interrupted", result) from stopped
            raise Unfinished(str(cause), result) from stopped
        return tuning_of(contest, by_sampler.values(), final)


def _network(
    game: Game, checkpoint: str | Path | None, blocks: int, filters: int, seed: int
) -> "tuple[nn.Module, str]":
    if checkpoint is not None:
        return networks.trained(game, Path(checkpoint))
    name = f"untrained alphazero-{blocks}x{filters}"
    return networks.tower(game, blocks, filters, seed), name


def _search(
    by_sampler: "dict[str, optuna.Study]", contest: "Contest", trials: int, progress: OnProgress
) -> None:
    """The Gaussian process has its trials; random search as many FLOPs, however many trials."""
    from flopledger.tuning.tuner import finished, one_trial, searching_flops

    gp, random = by_sampler["gp"], by_sampler["random"]
    while (number := len(finished(gp)) + 1) <= trials:
        score = one_trial(gp, contest)
        line = f"gp: trial {number} of {trials} scored {score.win_rate:.1%} in {score.games} games"
        progress(Progress(done=number, total=trials, message=line))
    while (spent := searching_flops(random)) < (wanted := searching_flops(gp)):
        number, score = len(finished(random)) + 1, one_trial(random, contest)
        line = (
            f"random: trial {number} scored {score.win_rate:.1%} in {score.games} games, after "
            f"{spent / wanted:.0%} of gp's FLOPs"
        )
        progress(Progress(done=trials, total=trials, message=line))


def _finish(
    study: "optuna.Study", contest: "Contest", trials: int, games: int, progress: OnProgress
) -> None:
    """The finalists play again, and the best of them its final."""
    from flopledger.tuning.tuner import final, finalists, replay

    name = study.study_name
    for place, trial in enumerate(finalists(study), start=1):
        score = replay(study, contest, trial).score
        line = f"{name}: finalist {place} scored {score.win_rate:.1%} in {score.games} more games"
        progress(Progress(done=trials, total=trials, message=line))
    line = f"{name}: {games} fresh games of the best one"
    progress(Progress(done=trials, total=trials, message=line))
    final(study, contest, games)
