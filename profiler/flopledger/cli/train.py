"""Small trainings from beginning to end, metered: flopledger train."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from flopledger.cli.console import Debug, say, stopped
from flopledger.cli.formats import Columns, check_form, column_titles, deliver, format_option
from flopledger.progress import Interrupted, OnProgress, Unfinished

if TYPE_CHECKING:
    from flopledger.play.games import GameName
    from flopledger.training.training_result import Training


EXAMPLES = """
flopledger train alexnet --epochs 5
flopledger train alphazero --game tic_tac_toe --rounds 5 --resume
"""

train = typer.Typer(
    no_args_is_help=True, help="Train a small network from beginning to end, metered."
)

Rate = Annotated[float, typer.Option(help="SGD's learning rate; its momentum is 0.9.")]
Seed = Annotated[int, typer.Option(help="The seed of weights and of all that is drawn.")]
Output = Annotated[Path, typer.Option(help="The folder of the checkpoint and the run files.")]
Resume = Annotated[bool, typer.Option("--resume", help="Training goes on from the checkpoint.")]
PeakRate = Annotated[float | None, typer.Option(help="The device's peak in FLOP/s, for MFU.")]
Form = Annotated[str | None, format_option("train")]

_FOLDER = Path("build/train")


@train.command()
def alphazero(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, hex, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[
        int | None,
        typer.Option(help="Points on a side of the board: Go's 19 or Hex's 11 if left out."),
    ] = None,
    blocks: Annotated[int, typer.Option(help="Residual blocks of AlphaZero's tower.")] = 2,
    filters: Annotated[int, typer.Option(help="Filters of its convolutions.")] = 32,
    simulations: Annotated[int, typer.Option(help="Simulations for each move.")] = 50,
    rounds: Annotated[int, typer.Option(help="Rounds of self-play and gradient descent.")] = 20,
    games: Annotated[int, typer.Option(help="Games of self-play in each round.")] = 20,
    steps: Annotated[int, typer.Option(help="Steps of gradient descent in each round.")] = 40,
    batch: Annotated[int, typer.Option(help="Samples in each step.")] = 128,
    window: Annotated[
        int, typer.Option(help="The newest positions, from which samples are drawn.")
    ] = 20_000,
    rate: Rate = 0.02,
    seed: Seed = 0,
    opponent: Annotated[
        int, typer.Option(help="Games against a fixed opponent, before and after.")
    ] = 100,
    rollouts: Annotated[
        int, typer.Option(help="Random games that it searches by a move; 0: it moves at random.")
    ] = 50,
    output: Output = _FOLDER,
    resume: Resume = False,
    peak: PeakRate = None,
    form: Form = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Train by self-play and SGD, metered, then play a match.

    The opponent of the match is a search by random games.
    """
    from flopledger.training.run_training import train as train_network

    def work(progress: OnProgress) -> "Training":
        return train_network(
            "alphazero",
            game=cast("GameName", game),  # a wrong name is refused there, with the nearest one
            board=board, blocks=blocks, filters=filters, simulations=simulations, rounds=rounds,
            games=games, steps=steps, batch=batch, window=window, rate=rate, seed=seed,
            opponent=opponent, rollouts=rollouts, output=output, resume=resume, peak=peak,
            progress=progress,
        )  # fmt: skip

    return _tell(work, form, columns, debug)


@train.command()
def alexnet(
    dataset: Annotated[
        Literal["digits"], typer.Option(help="The images: scikit-learn's digits.")
    ] = "digits",
    epochs: Annotated[int, typer.Option(help="Passes over the images.")] = 40,
    batch: Annotated[int, typer.Option(help="Images in each step.")] = 64,
    rate: Rate = 0.01,
    seed: Seed = 0,
    output: Output = _FOLDER,
    resume: Resume = False,
    peak: PeakRate = None,
    form: Form = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Train a small AlexNet on scikit-learn's digits, metered.

    The digits are images of 8 x 8; some are kept for the test at the end.
    """
    from flopledger.training.run_training import train as train_network

    def work(progress: OnProgress) -> "Training":
        return train_network(
            "alexnet",
            dataset=dataset, epochs=epochs, batch=batch, rate=rate, seed=seed, output=output,
            resume=resume, peak=peak, progress=progress,
        )  # fmt: skip

    return _tell(work, form, columns, debug)


def _tell(
    work: "Callable[[OnProgress], Training]", form: str | None, columns: str | None, debug: bool
) -> int:
    """Train, and write what came of it; the exit code."""
    from flopledger.reports.train import FORMATS

    chosen = check_form("train", form, None, columns, column_titles("train"))
    code = 0
    try:
        result = work(lambda step: say(step.message))
    except (Interrupted, Unfinished) as stop:
        follows = "what was done follows, and --resume goes on from the checkpoint"
        result, code = stop.result, stopped(stop, follows, debug)
    deliver(lambda: FORMATS[chosen](result), chosen, None, columns)
    if result.metered is not None:
        say(f"{result.predicted} and -metered.toml are runs to compare")
    return code
