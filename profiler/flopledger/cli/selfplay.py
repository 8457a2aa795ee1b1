"""Games of a network against itself: flopledger selfplay."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from flopledger.cli.console import Debug, progress_bar, say, stopped
from flopledger.cli.formats import (
    Columns,
    check_form,
    column_titles,
    deliver,
    format_option,
    journal_and_output,
    journal_option,
)
from flopledger.progress import Interrupted, Unfinished

if TYPE_CHECKING:
    from flopledger.play.games import GameName


EXAMPLES = """
flopledger selfplay --game connect_four --simulations 50 --games 4
flopledger selfplay --game go --board 9 --games 20 --output games.jsonl --resume
"""


def selfplay(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, hex, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[
        int | None,
        typer.Option(help="Points on a side of the board: Go's 19 or Hex's 11 if left out."),
    ] = None,
    blocks: Annotated[int, typer.Option(help="Residual blocks of AlphaZero's tower.")] = 2,
    filters: Annotated[int, typer.Option(help="Filters of its convolutions.")] = 32,
    network: Annotated[
        str | None, typer.Option(help="Another network of the zoo that fits the game.")
    ] = None,
    simulations: Annotated[
        int, typer.Option(help="Simulations for each move; 0: the policy alone.")
    ] = 800,
    games: Annotated[int, typer.Option(help="How many games are played.")] = 20,
    reuse_tree: Annotated[
        bool, typer.Option("--reuse-tree", help="The subtree of the move played is kept.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="The network's answers are kept within a game.")
    ] = False,
    resign: Annotated[
        float | None, typer.Option(help="The value, -1 to 0, below which a player gives up.")
    ] = None,
    batch: Annotated[
        int, typer.Option(help="Games at once, a position of each in a pass of the network.")
    ] = 32,
    moves: Annotated[
        int | None, typer.Option(help="Games are cut off after so many moves.")
    ] = None,
    sampled: Annotated[
        int,
        typer.Option(help="The first moves, drawn by visits; later the most visited is played."),
    ] = 30,
    noise: Annotated[
        float, typer.Option(help="The share of Dirichlet noise at the root, 0 to 1.")
    ] = 0.25,
    values: Annotated[
        Literal["unit", "signed"],
        typer.Option(help="The search's values lie in [0, 1], as AlphaZero's, or in [-1, 1]."),
    ] = "unit",
    fpu: Annotated[
        float, typer.Option(help="What a move never tried counts as, on that scale.")
    ] = 0.0,
    position: Annotated[
        str, typer.Option(help="Games begin there: a FEN, an SFEN, or moves from the start.")
    ] = "",
    seed: Annotated[int, typer.Option(help="The seed of weights, noise and moves.")] = 0,
    output: Annotated[
        Path | None,
        journal_option("game"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Play goes on with the games in --output.")
    ] = False,
    form: Annotated[str | None, format_option("selfplay")] = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Play games as AlphaZero does, and count the evaluations."""
    from flopledger.play.run_selfplay import selfplay as play_games
    from flopledger.reports.selfplay import FORMATS

    journal, result_file = journal_and_output(output, resume)
    chosen = check_form("selfplay", form, result_file, columns, column_titles("selfplay"))
    code = 0
    try:
        with progress_bar("games") as progress:
            result = play_games(
                cast("GameName", game),  # a wrong name is refused there, with the nearest one
                board=board, blocks=blocks, filters=filters, network=network,
                simulations=simulations, games=games, reuse_tree=reuse_tree, cache=cache,
                resign=resign, batch=batch, moves=moves, sampled=sampled, noise=noise,
                position=position, values=values, fpu=fpu, seed=seed, output=journal,
                resume=resume, progress=progress,
            )  # fmt: skip
    except (Interrupted, Unfinished) as stop:
        result, code = stop.result, stopped(stop, "what was played follows", debug)
    for note in result.notes:
        say(note)
    deliver(lambda: FORMATS[chosen](result), chosen, result_file, columns)
    return code
