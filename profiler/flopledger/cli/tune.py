"""The search's settings, tuned at one budget a move: flopledger tune."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from flopledger.cli.console import Debug, say, stopped
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)
from flopledger.progress import Interrupted, Unfinished

if TYPE_CHECKING:
    from flopledger.play.games import GameName


EXAMPLES = """
flopledger tune --game tic_tac_toe --trials 5 --games 10 --final 20
"""


def tune(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, hex, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[
        int | None,
        typer.Option(help="Points on a side of the board: Go's 19 or Hex's 11 if left out."),
    ] = None,
    blocks: Annotated[int, typer.Option(help="Residual blocks of an untrained tower.")] = 2,
    filters: Annotated[int, typer.Option(help="Filters of its convolutions.")] = 32,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="The network that flopledger train alphazero has written."),
    ] = None,
    evaluations: Annotated[
        int, typer.Option(help="Evaluations by the network for each move: both sides' budget.")
    ] = 32,
    against: Annotated[
        Literal["match", "selfplay"],
        typer.Option(help="The opponent: AlphaZero's settings for matches, or for self-play."),
    ] = "match",
    trials: Annotated[int, typer.Option(help="Trials of the Gaussian process.")] = 20,
    games: Annotated[int, typer.Option(help="Games of each trial.")] = 30,
    final: Annotated[
        int, typer.Option(help="Fresh games of each sampler's choice at the end.")
    ] = 200,
    opening: Annotated[int, typer.Option(help="Random moves before each game.")] = 4,
    seed: Annotated[int, typer.Option(help="The seed of weights, proposals and games.")] = 0,
    storage: Annotated[
        Path | None, typer.Option(help="A SQLite file that keeps every match.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Tuning goes on with --storage.")
    ] = False,
    form: Annotated[str | None, format_option("tune")] = None,
    output: Output = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Tune the search by win rate, at one budget a move.

    A Gaussian process proposes settings, and random search does for as many FLOPs.
    """
    from flopledger.reports.tune import FORMATS
    from flopledger.tuning.run_tuning import tune as tune_search

    chosen = check_form(
        "tune", form, output, columns, [*column_titles("tune"), f"defaults ({against})"]
    )
    code = 0
    try:
        result = tune_search(
            cast("GameName", game),  # a wrong name is refused there, with the nearest one
            board=board, blocks=blocks, filters=filters, checkpoint=checkpoint,
            evaluations=evaluations, against=against, trials=trials, games=games,
            final=final, opening=opening, seed=seed, storage=storage, resume=resume,
            progress=lambda step: say(step.message),
        )  # fmt: skip
    except (Interrupted, Unfinished) as stop:
        result, code = stop.result, stopped(stop, "what was played follows", debug)
    deliver(lambda: FORMATS[chosen](result), chosen, output, columns)
    return code
