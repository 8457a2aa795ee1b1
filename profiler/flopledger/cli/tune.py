"""The search's settings, tuned at one budget a move: flopledger tune."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flopledger.cli.console import Debug, say, stopped_by
from flopledger.clock.threads import one_thread
from flopledger.storage.files import check_writable

if TYPE_CHECKING:
    import optuna

    from flopledger.tuning.tuner import Contest


def tune(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[int | None, typer.Option(help="Points on a side of Go's; 19.")] = None,
    blocks: Annotated[int, typer.Option(help="Of an untrained tower.", min=0)] = 2,
    filters: Annotated[int, typer.Option(help="Of an untrained tower.", min=1)] = 32,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The network that train alphazero has written."),
    ] = None,
    evaluations: Annotated[
        int, typer.Option(help="The network's for a move: the budget of both sides.")
    ] = 32,
    batch: Annotated[int, typer.Option(help="Positions in one pass of the network.")] = 8,
    against: Annotated[
        Literal["match", "selfplay"],
        typer.Option(help="AlphaZero's settings for matches, or for self-play."),
    ] = "match",
    trials: Annotated[int, typer.Option(help="Of the Gaussian process.")] = 20,
    games: Annotated[int, typer.Option(help="Of a trial.")] = 30,
    final: Annotated[int, typer.Option(help="Fresh games of each choice at the end.")] = 200,
    opening: Annotated[int, typer.Option(help="Random moves before each game.", min=0)] = 4,
    seed: Annotated[int, typer.Option(help="Of weights, proposals and games.", min=0)] = 0,
    storage: Annotated[
        Path | None, typer.Option(help="A SQLite file that keeps every match.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --storage.")] = False,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    debug: Debug = False,
) -> int:  # fmt: skip
    """Tune the search by win rate with a Gaussian process, and by chance at the same FLOPs."""
    _check(trials, games, final, evaluations, batch, storage, resume)
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise typer.BadParameter("tune needs Optuna; pip install 'flopledger[tune]'") from error
    import numpy as np

    from flopledger.play import networks
    from flopledger.play.games import find_game
    from flopledger.play.match import opened
    from flopledger.reports import tune as report
    from flopledger.tuning.outcome import Task
    from flopledger.tuning.studies import studies
    from flopledger.tuning.tuner import Contest, digest, tuning_of

    rules = find_game(game, board)
    opened(rules, opening, np.random.default_rng(seed))
    if checkpoint is not None:
        network, name = networks.trained(rules, checkpoint)
    else:
        network = networks.tower(rules, blocks, filters, seed)
        name = f"untrained alphazero-{blocks}x{filters}"
    task = Task(
        game=rules.name,
        network=name,
        weights=digest(network),
        evaluations=evaluations,
        batch=batch,
        against=against,
        games=games,
        opening=opening,
        seed=seed,
    )
    contest = Contest(task=task, game=rules, network=network)
    with one_thread(), studies(storage, task, resume) as found:
        code = _tune(found, contest, trials, final, debug)
        tuning = tuning_of(contest, found.values(), final)
        sys.stdout.write(report.render(tuning, form))
    return code


def _check(
    trials: int,
    games: int,
    final: int,
    evaluations: int,
    batch: int,
    storage: Path | None,
    resume: bool,
) -> None:
    least = {
        "--trials": (trials, 1),
        "--games": (games, 2),
        "--final": (final, 2),
        "--evaluations": (evaluations, 2),
        "--batch": (batch, 1),
    }
    for name, (value, low) in least.items():
        if value < low:
            raise typer.BadParameter(f"{name} {value} is too small; give {low} or more")
    if resume and storage is None:
        raise typer.BadParameter("--resume goes on with a file; name it with --storage")
    if storage is not None:
        check_writable(storage)


def _tune(
    found: "dict[str, optuna.Study]", contest: "Contest", trials: int, final: int, debug: bool
) -> int:
    from flopledger.play.match import Stopped

    try:
        _search(found, contest, trials)
        for name, study in found.items():
            _finish(name, study, contest, final)
    except (Stopped, KeyboardInterrupt) as stopped:
        return stopped_by(stopped.__cause__ or stopped, "what was played follows", debug)
    return 0


def _search(found: "dict[str, optuna.Study]", contest: "Contest", trials: int) -> None:
    """The Gaussian process has its trials; chance has as many FLOPs, however many trials."""
    from flopledger.tuning.tuner import finished, one_trial, searching_flops

    gp, random = found["gp"], found["random"]
    while (number := len(finished(gp)) + 1) <= trials:
        score = one_trial(gp, contest)
        say(f"gp: trial {number} of {trials} scored {score.win_rate:.1%} in {score.games} games")
    while (spent := searching_flops(random)) < (wanted := searching_flops(gp)):
        number, score = len(finished(random)) + 1, one_trial(random, contest)
        say(
            f"random: trial {number} scored {score.win_rate:.1%} in {score.games} games, after "
            f"{spent / wanted:.0%} of gp's FLOPs"
        )


def _finish(name: str, study: "optuna.Study", contest: "Contest", games: int) -> None:
    from flopledger.tuning.tuner import final, finalists, replay

    for place, trial in enumerate(finalists(study), start=1):
        score = replay(study, contest, trial).score
        say(f"{name}: finalist {place} scored {score.win_rate:.1%} in {score.games} more games")
    say(f"{name}: {games} fresh games of the best one")
    final(study, contest, games)
