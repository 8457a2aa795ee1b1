"""Games of a network against itself: flopledger selfplay."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flopledger.cli.console import NOT_PROFILED, Debug, say
from flopledger.storage.files import check_writable

if TYPE_CHECKING:
    from flopledger.play.games import Game
    from flopledger.play.games_file import Header
    from flopledger.play.played_game import Habits, Played
    from flopledger.play.search import Settings


def selfplay(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[int | None, typer.Option(help="Points on a side of Go's; 19.")] = None,
    blocks: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=0)] = 2,
    filters: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=1)] = 32,
    network: Annotated[
        str | None, typer.Option(help="Another network of the zoo, that fits the game.")
    ] = None,
    simulations: Annotated[int, typer.Option(help="A move.")] = 800,
    games: Annotated[int, typer.Option(help="How many.")] = 20,
    reuse_tree: Annotated[
        bool, typer.Option("--reuse-tree", help="Keep the subtree of the move played.")
    ] = False,
    cache: Annotated[
        bool, typer.Option("--cache", help="Remember what the network said, within a game.")
    ] = False,
    resign: Annotated[
        float | None, typer.Option(help="-0.9: give up below that value, in -1 to 0.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Positions in one pass of the network.")] = 8,
    moves: Annotated[
        int | None, typer.Option(help="Cut games off after so many.", min=1)
    ] = None,
    sampled: Annotated[
        int, typer.Option(help="Moves drawn by visits; later, the most visited.", min=0)
    ] = 30,
    noise: Annotated[
        float, typer.Option(help="Share of Dirichlet noise at the root.", min=0, max=1)
    ] = 0.25,
    position: Annotated[
        str, typer.Option(help="Begin there: a FEN, an SFEN, or moves from the start.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Of weights, noise and moves.", min=0)] = 0,
    output: Annotated[
        Path | None, typer.Option(help="A line of JSON after every game.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the games in --output.")
    ] = False,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    debug: Debug = False,
) -> int:  # fmt: skip
    """Play games as AlphaZero does, and count what the search asks of the network."""
    _check(simulations, games, batch, resign, output, resume)
    from flopledger.play import games_file, networks
    from flopledger.play.games import find_game
    from flopledger.play.played_game import Habits
    from flopledger.play.search import Settings

    rules = find_game(game, board)
    rules.start(position)
    if network is None:
        net, name = (
            networks.tower(rules, blocks, filters, seed),
            f"alphazero-{blocks}x{filters}",
        )
    else:
        net, name = networks.named(rules, network, seed), network
    settings = Settings(simulations=simulations, batch=batch, noise=noise, reuse=reuse_tree)
    habits = Habits(sampled=sampled, resign=resign, longest=moves, cache=cache, position=position)
    header = games_file.Header(
        game=rules.name,
        network=name,
        params=sum(p.numel() for p in net.parameters() if p.requires_grad),
        seed=seed,
        **vars(settings),
        **vars(habits),
    )
    done, torn = games_file.begin(output, header, resume) if output else ([], "")
    if torn:
        say(torn)
    return _play_all(rules, net, settings, habits, header, done, games, output, form, debug)


def _check(
    simulations: int,
    games: int,
    batch: int,
    resign: float | None,
    output: Path | None,
    resume: bool,
) -> None:
    for name, value in (("--simulations", simulations), ("--games", games), ("--batch", batch)):
        if value < 1:
            raise typer.BadParameter(f"{name} {value} is too small; give 1 or more")
    if resign is not None and not -1 <= resign <= 0:
        raise typer.BadParameter(f"--resign {resign:g} is no value to give up at; give -1 to 0")
    if resume and output is None:
        raise typer.BadParameter("--resume goes on with a file; name it with --output")
    if output is not None:
        check_writable(output)


def _play_all(
    game: "Game",
    network: Any,
    settings: "Settings",
    habits: "Habits",
    header: "Header",
    done: "list[Played]",
    wanted: int,
    output: Path | None,
    form: str,
    debug: bool,
) -> int:
    from flopledger.play.game_loop import Stopped, play
    from flopledger.play.games_file import append
    from flopledger.reports import selfplay as report

    played = {one.index: one for one in done}
    left = [index for index in range(wanted) if index not in played or not played[index].finished]
    code = 0
    with _progress(wanted, wanted - len(left)) as told:
        for index in left:
            try:
                one = play(game, network, settings, habits, header.seed, index, told)
            except Stopped as stopped:
                one, code = (
                    stopped.played,
                    130 if stopped.played.ended == "interrupted" else NOT_PROFILED,
                )
                say(
                    f"interrupted in game {index + 1}; what was played follows"
                    if code == 130
                    else f"game {index + 1}: {stopped.__cause__}"
                )
                if debug and code != 130:
                    raise
            played[index] = one
            if output is not None:
                append(output, one)
            if code:
                break
    sys.stdout.write(report.render(header, [played[index] for index in sorted(played)], form))
    return code


@contextmanager
def _progress(games: int, done: int) -> Iterator[Callable[[int, Any], None]]:
    """A bar on stderr, where that is a screen; what it yields is told the moves of a game."""
    if not sys.stderr.isatty():
        yield lambda moves, root: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("games"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("move {task.fields[move]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("games", total=games, completed=done, move=0)

        def told(moves: int, root: Any) -> None:
            # a first move says that the game before it is over
            over = moves == 1 and bar.tasks[0].fields["move"] > 0
            bar.update(task, move=moves, advance=1 if over else 0)

        yield told
