"""Small trainings from beginning to end, metered: flopledger train."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flopledger.cli.console import Debug, say, stopped_by
from flopledger.clock.threads import one_thread
from flopledger.storage.files import check_folder

if TYPE_CHECKING:
    from flopledger.ledger.prediction import Agreement
    from flopledger.ledger.quantity import Quantity
    from flopledger.zoo.sizes import Sizes

train = typer.Typer(
    no_args_is_help=True, help="Train a small network from beginning to end, metered."
)

Rate = Annotated[float, typer.Option(help="SGD's learning rate; momentum is 0.9.")]
Seed = Annotated[int, typer.Option(help="Of weights and all that is drawn.", min=0)]
Output = Annotated[Path, typer.Option(help="The folder of the checkpoint and the run files.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint.")]
PeakRate = Annotated[float | None, typer.Option(help="FLOP/s that the device does, for MFU.")]
Form = Annotated[Literal["table", "json"], typer.Option("--format", help="Of stdout.")]

_FOLDER = Path("build/train")


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A run's name, its network, and its files in a folder."""

    folder: Path
    name: str
    title: str
    model: str
    sizes: "Sizes"

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}.pt"

    def file(self, when: str) -> Path:
        return self.folder / f"{self.name}-{when}.toml"

    def write(
        self, when: str, facts: "Mapping[str, Quantity]", total: "Quantity | None" = None
    ) -> None:
        from flopledger.ledger.write_run import write_run

        write_run(
            self.file(when),
            f"{self.title} ({when})",
            datetime.now(UTC).date(),
            self.model,
            self.sizes,
            facts,
            total,
        )

    def agreement(self) -> "Agreement":
        from flopledger.ledger.build import agreement_of

        return agreement_of(str(self.file("predicted")), str(self.file("metered")))


@train.command()
@one_thread()
def alphazero(
    game: Annotated[
        str, typer.Option(help="tic_tac_toe, connect_four, go, chess or shogi.")
    ] = "connect_four",
    board: Annotated[int | None, typer.Option(help="Points on a side of Go's; 19.")] = None,
    blocks: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=1)] = 2,
    filters: Annotated[int, typer.Option(help="Of AlphaZero's tower.", min=1)] = 32,
    simulations: Annotated[int, typer.Option(help="A move.", min=1)] = 50,
    rounds: Annotated[int, typer.Option(help="Of self-play and steps.", min=1)] = 20,
    moves: Annotated[int, typer.Option(help="Of self-play in a round.", min=1)] = 300,
    steps: Annotated[int, typer.Option(help="Of gradient descent in a round.", min=1)] = 40,
    batch: Annotated[int, typer.Option(help="Samples in a step.", min=2)] = 128,
    window: Annotated[int, typer.Option(help="Positions drawn from.", min=1)] = 20_000,
    rate: Rate = 0.02,
    seed: Seed = 0,
    opponent: Annotated[
        int, typer.Option(help="Games against random, before and after.", min=0)
    ] = 100,
    output: Output = _FOLDER,
    resume: Resume = False,
    peak: PeakRate = None,
    form: Form = "table",
    debug: Debug = False,
) -> int:
    """Self-play, a window of positions, SGD; then games against a player that moves at random."""
    _check(rate, peak, output)
    from flopledger.play import networks
    from flopledger.play.games import find_game
    from flopledger.play.match import against_random
    from flopledger.training import alphazero_forecast
    from flopledger.training.alphazero import Plan, Training
    from flopledger.zoo.sizes import Sizes

    rules = find_game(game, board)
    layout = rules.layout
    options = {
        "planes": layout.planes, "rows": layout.rows, "columns": layout.columns,
        "moves": rules.moves, "blocks": blocks, "filters": filters,
    }  # fmt: skip
    plan = Plan(
        game=rules.name, blocks=blocks, filters=filters, simulations=simulations,
        rounds=rounds, moves=moves, steps=steps, batch=batch, window=window, rate=rate,
        seed=seed,
    )  # fmt: skip
    network = networks.tower(rules, blocks, filters, seed)
    training = Training(plan, rules, network)
    run = _Run(
        folder=output,
        name=f"alphazero-{rules.name.replace('_', '-')}",
        title=f"AlphaZero's tower of {blocks} blocks of {filters}, {rules.name}",
        model=networks.TOWER,
        sizes=Sizes(
            options=options, input=(1, layout.planes, layout.rows, layout.columns)
        ),
    )  # fmt: skip
    _begin(run, resume, training.load)

    def played(simulated: int) -> dict[str, int]:
        return asdict(against_random(rules, network, simulated, opponent, seed))

    scores: dict[str, Any] = {}
    if not training.totals.rounds:
        run.write("predicted", alphazero_forecast.before(plan, rules, network))
        if opponent:
            scores["untrained, search against random"] = played(simulations)
            scores["untrained, policy alone"] = played(0)

    def one(number: int) -> str:
        loss = training.round()
        return f"round {number} of {rounds}: {training.totals.games} games, loss {loss:.3f}"

    code = _work(one, range(training.totals.rounds + 1, rounds + 1), training.save, run)
    totals = training.totals
    flops = totals.selfplay_flops + totals.forward_flops + totals.backward_flops
    if not code:
        _end(run, alphazero_forecast.after(totals), flops)
        if opponent:
            scores["search against random"] = played(simulations)
            scores["policy alone"] = played(0)
    _tell(run, network, plan, totals, flops, peak, scores, code, form)
    return code


@train.command()
@one_thread()
def alexnet(
    dataset: Annotated[Literal["digits"], typer.Option(help="scikit-learn's.")] = "digits",
    epochs: Annotated[int, typer.Option(help="Passes over the images.", min=1)] = 40,
    batch: Annotated[int, typer.Option(help="Images in a step.", min=1)] = 64,
    rate: Rate = 0.01,
    seed: Seed = 0,
    output: Output = _FOLDER,
    resume: Resume = False,
    peak: PeakRate = None,
    form: Form = "table",
    debug: Debug = False,
) -> int:
    """A small AlexNet on images of 8 x 8 that scikit-learn ships; then the test's accuracy."""
    _check(rate, peak, output)
    from flopledger.training import digits
    from flopledger.zoo.sizes import USUAL

    run = _Run(
        folder=output,
        name=f"alexnet-{dataset}",
        title="AlexNet cut to 8 x 8, scikit-learn's digits",
        model=digits.MODEL,
        sizes=USUAL,
    )
    plan = digits.Plan(epochs=epochs, batch=batch, rate=rate, seed=seed)
    data = digits.read_digits(seed)
    training = digits.Training(plan, data)
    _begin(run, resume, training.load)
    if not training.totals.epochs:
        run.write("predicted", digits.before(plan, data))

    def one(number: int) -> str:
        return f"epoch {number} of {epochs}: loss {training.epoch():.3f}"

    code = _work(one, range(training.totals.epochs + 1, epochs + 1), training.save, run)
    totals = training.totals
    flops = totals.forward_flops + totals.backward_flops
    scores = {"test accuracy": training.accuracy()}
    if not code:
        _end(run, digits.after(totals), flops)
    _tell(run, training.network, plan, totals, flops, peak, scores, code, form)
    return code


def _check(rate: float, peak: float | None, output: Path) -> None:
    if not (isfinite(rate) and rate > 0):
        raise typer.BadParameter(f"--rate {rate:g} is no learning rate; give one above 0")
    if peak is not None and not (isfinite(peak) and peak > 0):
        raise typer.BadParameter(f"--peak {peak:g} is no FLOP/s; give a number above 0")
    check_folder(output)


def _begin(run: _Run, resume: bool, load: Callable[[Path], None]) -> None:
    from flopledger.training.checkpoints import BadCheckpoint

    if run.checkpoint.exists():
        if not resume:
            raise BadCheckpoint(
                f"{run.checkpoint} is there; --resume goes on, or choose another --output"
            )
        load(run.checkpoint)
    run.folder.mkdir(parents=True, exist_ok=True)


def _work(
    one: Callable[[int], str], numbers: range, save: Callable[[Path], None], run: _Run
) -> int:
    """Rounds or epochs, with a checkpoint after each; the exit code."""
    from flopledger.play.game_loop import Stopped

    for number in numbers:
        try:
            said = one(number)
            save(run.checkpoint)
        except (KeyboardInterrupt, Stopped) as stopped:
            return stopped_by(
                stopped.__cause__ or stopped,
                "what was done follows, and --resume goes on from the checkpoint",
            )
        say(said)
    return 0


def _end(run: _Run, facts: "Mapping[str, Quantity]", flops: float) -> None:
    from flopledger.ledger.quantity import Quantity

    total = Quantity(
        value=flops, unit="FLOP", kind="measured", source="flopledger.meter, whole run"
    )
    run.write("metered", facts, total)


def _tell(
    run: _Run,
    network: Any,
    plan: Any,
    totals: Any,
    flops: float,
    peak: float | None,
    scores: Mapping[str, Any],
    code: int,
    form: str,
) -> None:
    from flopledger.clock.published_peaks import peak_of
    from flopledger.reports.train import Watched, render

    watched = Watched(
        name=run.name,
        params=sum(p.numel() for p in network.parameters() if p.requires_grad),
        plan=asdict(plan),
        totals=asdict(totals),
        flops=flops,
        peak=peak or peak_of("cpu", "float32").flops_per_second,
        scores=scores,
        agreement=None if code else run.agreement(),
    )
    sys.stdout.write(render(watched, form))
    if not code:
        say(f"{run.folder / run.name}-predicted.toml and -metered.toml are runs to compare")
