"""Small trainings from beginning to end, metered: flopledger train."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from profiler.files import check_writable
from profiler.verbs.speech import NOT_PROFILED, Debug, say

if TYPE_CHECKING:
    from profiler.selfplay.learn import Training

train = typer.Typer(
    no_args_is_help=True, help="Train a small network from beginning to end, metered."
)


@train.command()
def alphazero(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[int | None, typer.Option(help="Points on a side of Go's; 19.")] = None,
    blocks: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=0)] = 2,
    filters: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=1)] = 32,
    simulations: Annotated[int, typer.Option(help="A move.", min=1)] = 50,
    rounds: Annotated[int, typer.Option(help="Of self-play and steps.", min=1)] = 10,
    games: Annotated[int, typer.Option(help="Of self-play in a round.", min=1)] = 20,
    steps: Annotated[int, typer.Option(help="Of gradient descent in a round.", min=1)] = 40,
    batch: Annotated[int, typer.Option(help="Samples in a step.", min=2)] = 128,
    window: Annotated[int, typer.Option(help="Positions drawn from.", min=1)] = 20_000,
    rate: Annotated[float, typer.Option(help="SGD's; momentum is 0.9, decay 1e-4.")] = 0.02,
    seed: Annotated[int, typer.Option(help="Of weights, games and samples.", min=0)] = 0,
    opponent: Annotated[int, typer.Option(help="Games against random at the end.", min=0)] = 100,
    output: Annotated[Path | None, typer.Option(help="A checkpoint after every round.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from --output.")] = False,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    debug: Debug = False,
) -> int:  # fmt: skip
    """Self-play, a window of positions, SGD; then games against a player that moves at random."""
    if not 0 < rate < float("inf"):
        raise typer.BadParameter(f"--rate {rate:g} is no learning rate; give one above 0")
    if resume and output is None:
        raise typer.BadParameter("--resume goes on from a checkpoint; name it with --output")
    from profiler.selfplay import networks
    from profiler.selfplay.games import MissingGames, UnknownGame, find_game
    from profiler.selfplay.learn import BadCheckpoint, Plan, Training

    try:
        if output is not None:
            check_writable(output)
        rules = find_game(game, board)
        plan = Plan(
            game=rules.name,
            network=f"alphazero-{blocks}x{filters}",
            simulations=simulations,
            games=games,
            steps=steps,
            batch=batch,
            window=window,
            rate=rate,
            seed=seed,
        )
        training = Training(plan, rules, networks.tower(rules, blocks, filters, seed))
        if output is not None and output.exists():
            if not resume:
                raise BadCheckpoint(f"{output} is there; --resume goes on, or name another file")
            training.load(output)
    except (UnknownGame, MissingGames, networks.DoesNotFit, ValueError) as error:
        if debug:
            raise
        raise typer.BadParameter(str(error)) from error
    code = _rounds(training, rounds, output)
    sys.stdout.write(_rendered(training, opponent if not code else 0, form))
    return code


def _rounds(training: "Training", rounds: int, output: Path | None) -> int:
    from profiler.selfplay.play import Stopped

    begun = training.totals.rounds
    for number in range(begun + 1, rounds + 1):
        try:
            loss = training.round()
        except (Stopped, KeyboardInterrupt) as stopped:
            cause = stopped.__cause__ or stopped
            if isinstance(cause, KeyboardInterrupt):
                say(f"interrupted in round {number}; what the rounds before it took follows")
                return 130
            say(f"round {number}: {cause}")
            return NOT_PROFILED
        if output is not None:
            training.save(output)
        say(f"round {number} of {rounds}: {training.totals.games} games, loss {loss:.3f}")
    return 0


def _rendered(training: "Training", opponent: int, form: str) -> str:
    from profiler.reports.units import short
    from profiler.selfplay.match import against_random

    plan, totals = training.plan, asdict(training.totals)
    params = sum(p.numel() for p in training.network.parameters() if p.requires_grad)
    scores: dict[str, Any] = {}
    if opponent:
        for name, simulations in (("search", plan.simulations), ("policy", 0)):
            score = against_random(
                training.game, training.network, simulations, opponent, plan.seed
            )
            scores[name] = asdict(score)
    if form == "json":
        known = {"game": plan.game, "network": plan.network, "params": params}
        whole = {**known, **totals, "against_random": scores or None, "seed": plan.seed}
        return json.dumps(whole, indent=2, allow_nan=False) + "\n"
    lines = [f"{plan.game}, {plan.network} ({short(params)} parameters), seed {plan.seed}"]
    lines += [f"{name.replace('_', ' '):16} {short(value)}" for name, value in totals.items()]
    for name, score in scores.items():
        lines.append(
            f"against random, by its {name}: {score['won']} won, {score['drawn']} drawn, "
            f"{score['lost']} lost"
        )
    return "".join(f"{line}\n" for line in lines)
