"""Small trainings from beginning to end, from options to the result: flopledger.train."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, overload

from flopledger.clock.published_peaks import peak_of
from flopledger.clock.threads import one_thread
from flopledger.errors import WrongOption
from flopledger.options import check_above_zero, check_choice, check_least, checks_arguments
from flopledger.play import networks
from flopledger.play.every_line import every_line
from flopledger.play.game_loop import Stopped
from flopledger.play.games import GameName, find_game
from flopledger.play.match import against_rollouts
from flopledger.play.search import Settings
from flopledger.progress import Interrupted, OnProgress, Progress, Unfinished, unheard
from flopledger.storage.files import check_folder
from flopledger.storage.nearest_name import did_you_mean
from flopledger.training import alphazero, alphazero_forecast, digits
from flopledger.training.run_files import RunFiles
from flopledger.training.strength import Strength, is_due
from flopledger.training.training_result import Training
from flopledger.zoo.sizes import USUAL, Sizes

NAMES = ("alexnet", "alphazero")
FOLDER = Path("build/train")


@overload
def train(
    name: Literal["alexnet"],
    *,
    dataset: Literal["digits"] = "digits",
    epochs: int = ...,
    batch: int = ...,
    rate: float = ...,
    seed: int = ...,
    output: str | Path = FOLDER,
    resume: bool = False,
    peak: float | None = None,
    progress: OnProgress = unheard,
) -> Training: ...


@overload
def train(
    name: Literal["alphazero"],
    *,
    game: GameName = "connect_four",
    board: int | None = None,
    blocks: int = ...,
    filters: int = ...,
    simulations: int = ...,
    rounds: int = ...,
    games: int = ...,
    steps: int = ...,
    batch: int = ...,
    window: int = ...,
    rate: float = ...,
    seed: int = ...,
    opponent: int = 100,
    rollouts: int = 50,
    output: str | Path = FOLDER,
    resume: bool = False,
    peak: float | None = None,
    progress: OnProgress = unheard,
) -> Training: ...


@checks_arguments
def train(
    name: Literal["alexnet", "alphazero"],
    *,
    output: str | Path = FOLDER,
    resume: bool = False,
    peak: float | None = None,
    progress: OnProgress = unheard,
    **plan: Any,
) -> Training:
    """Train a small network from beginning to end, metered, beside its prediction.

    Args:
        name: "alexnet", on scikit-learn's digits; "alphazero", by self-play.
        output: the folder of the checkpoint and the run files; it is made if it is not there.
        resume: whether to go on from the checkpoint.
        peak: FLOP/s that the device does, for MFU.
        progress: called after each epoch or round.
        plan: the fields of `flopledger.training.digits.Plan` and `dataset`; or those of
            `flopledger.training.alphazero.Plan`, `board` (points on a side of Go's or Hex's),
            `opponent` (games before and after) and `rollouts` (of the opponent a move: OpenSpiel's
            MCTSBot; with 0 it moves at random).

    Raises:
        WrongOption: an option's value is none, or `output` cannot be written.
        MissingDigits: scikit-learn is not installed.
        MissingGames: OpenSpiel is not installed.
        UnknownGame: there is no such game, or not on such a board.
        DoesNotFit: the tower does not fit into memory.
        BadCheckpoint: there is one and `resume` is not set, or it is of another plan.
        Unfinished: memory ran out; has what was done.
        Interrupted: by Ctrl-C; has the same. The checkpoint has all whole epochs or rounds.
    """
    check_choice("name", name, NAMES, positional=True)
    check_above_zero("rate", plan.get("rate"), "learning rate")
    check_above_zero("peak", peak, "FLOP/s")
    folder = Path(output)
    check_folder(folder)
    run = _alexnet if name == "alexnet" else _alphazero
    _check_plan(name, plan)
    with one_thread():
        trained = run(folder, resume, progress, **plan)
    return _result(trained, peak)


def _check_plan(name: str, plan: Mapping[str, Any]) -> None:
    """See that the training has such options."""
    kind = digits.Plan if name == "alexnet" else alphazero.Plan
    more = ("dataset",) if name == "alexnet" else ("board", "opponent", "rollouts")
    known = [*more, *(field.name for field in fields(kind))]
    for option, value in plan.items():
        if value is None and option != "board":
            raise WrongOption(f"--{option} None is no value; leave it out for the usual one")
        if option not in known:
            raise WrongOption(
                f"train {name} has no option {option!r}; {did_you_mean(option, known)}"
            )


@dataclass(frozen=True, kw_only=True)
class _Trained:
    """What there is of a training.

    Attributes:
        files: of the run.
        trainer: with its plan, totals and network.
        flops: of the whole run.
        scores: as in `Training`.
        stop: what stopped it; None for a training that came to its end.
        strength: as in `Training`.
    """

    files: RunFiles
    trainer: alphazero.Trainer | digits.Trainer
    flops: float
    scores: Mapping[str, Any]
    stop: BaseException | None
    strength: tuple[Strength, ...] = ()


def _alexnet(
    folder: Path,
    resume: bool,
    progress: OnProgress,
    *,
    dataset: Literal["digits"] = "digits",
    **options: Any,
) -> _Trained:
    check_choice("dataset", dataset, ("digits",))
    plan = digits.Plan(**options)
    check_least({"epochs": (plan.epochs, 1), "batch": (plan.batch, 1), "seed": (plan.seed, 0)})
    files = RunFiles(
        folder=folder,
        name=f"alexnet-{dataset}",
        title="AlexNet cut to 8 x 8, scikit-learn's digits",
        model=digits.MODEL,
        sizes=USUAL,
    )
    data = digits.read_digits(plan.seed)
    trainer = digits.Trainer(plan, data)
    files.begin(resume, trainer.load)
    if not trainer.totals.epochs:
        files.write_predicted(digits.before(plan, data))

    def train_epoch(number: int) -> str:
        return f"epoch {number} of {plan.epochs}: loss {trainer.epoch():.3f}"

    numbers = range(trainer.totals.epochs + 1, plan.epochs + 1)
    stop = _train(train_epoch, numbers, trainer.save, files, progress)
    totals = trainer.totals
    flops = totals.forward_flops + totals.backward_flops
    scores = {"test accuracy": trainer.accuracy()}
    if stop is None:
        files.write_metered(digits.after(totals), flops)
    return _Trained(files=files, trainer=trainer, flops=flops, scores=scores, stop=stop)


def _alphazero(
    folder: Path,
    resume: bool,
    progress: OnProgress,
    *,
    game: GameName = "connect_four",
    board: int | None = None,
    opponent: int = 100,
    rollouts: int = 50,
    **options: Any,
) -> _Trained:
    rules = find_game(game, board)
    plan = alphazero.Plan(game=rules.name, **options)
    ones = ("blocks", "filters", "simulations", "rounds", "games", "steps", "window")
    check_least(
        {name: (getattr(plan, name), 1) for name in ones}
        | {
            "batch": (plan.batch, 2),
            "seed": (plan.seed, 0),
            "opponent": (opponent, 0),
            "rollouts": (rollouts, 0),
        }
    )
    network = networks.tower(rules, plan.blocks, plan.filters, plan.seed)
    trainer = alphazero.Trainer(plan, rules, network)
    layout = rules.layout
    planes = {"planes": layout.planes, "rows": layout.rows, "columns": layout.columns}
    tower = {"moves": rules.moves, "blocks": plan.blocks, "filters": plan.filters}
    files = RunFiles(
        folder=folder,
        name=f"alphazero-{rules.name.replace('_', '-')}",
        title=f"AlphaZero's tower of {plan.blocks} blocks of {plan.filters}, {rules.name}",
        model=networks.TOWER,
        sizes=Sizes(options={**planes, **tower}, input=(1, *planes.values())),
    )
    files.begin(resume, trainer.load)

    def test(network: Any) -> Strength:
        search, alone = (
            against_rollouts(
                rules,
                network,
                Settings(simulations=simulations, noise=0, temperature=0),
                rollouts, opponent, 0, (plan.seed, 2),  # games of their own, the same each time
            ).score
            for simulations in (plan.simulations, 0)
        )  # fmt: skip
        return Strength(
            rounds=trainer.totals.rounds, flops=trainer.flops, rollouts=rollouts, search=search,
            policy=alone,
        )  # fmt: skip

    trainer.strength = [
        kept
        for kept in trainer.strength
        if (kept.rollouts, kept.search.games) == (rollouts, opponent)
    ]
    if not trainer.totals.rounds:
        files.write_predicted(alphazero_forecast.before(plan, rules, network))
        if opponent:
            trainer.strength.append(test(network))

    def train_round(number: int) -> str:
        loss = trainer.round()
        games = trainer.totals.games
        told = f"round {number} of {plan.rounds}: {games} games, loss {loss:.3f}"
        if not opponent or not is_due(number, plan.rounds):
            return told
        trainer.strength.append(test(network))
        return f"{told}, search wins {trainer.strength[-1].search.win_rate:.0%}"

    numbers = range(trainer.totals.rounds + 1, plan.rounds + 1)
    stop = _train(train_round, numbers, trainer.save, files, progress)
    scores: dict[str, Any] = {}
    if stop is None:
        files.write_metered(alphazero_forecast.after(trainer.totals), trainer.flops)
        if opponent and rules.name == "tic_tac_toe":
            settings = Settings(simulations=plan.simulations, noise=0, temperature=0)
            lines = every_line(rules, network, settings)
            scores["search, every line of the game"] = asdict(lines)
    return _Trained(
        files=files, trainer=trainer, flops=trainer.flops, scores=scores, stop=stop,
        strength=tuple(trainer.strength),
    )  # fmt: skip


def _train(
    step: Callable[[int], str],
    numbers: range,
    save: Callable[[Path], None],
    files: RunFiles,
    progress: OnProgress,
) -> BaseException | None:
    """Rounds or epochs, with a checkpoint after each; what stopped them, if anything did."""
    for number in numbers:
        try:
            line = step(number)
            save(files.checkpoint)
        except (KeyboardInterrupt, Stopped) as stop:
            return stop.__cause__ or stop
        progress(Progress(done=number, total=numbers.stop - 1, message=line))
    return None


def _result(trained: _Trained, peak: float | None) -> Training:
    files, trainer, stop = trained.files, trained.trainer, trained.stop
    result = Training(
        name=files.name,
        params=sum(p.numel() for p in trainer.network.parameters() if p.requires_grad),
        plan=asdict(trainer.plan),
        totals=asdict(trainer.totals),
        flops=trained.flops,
        peak=peak or peak_of("cpu", "float32").flops_per_second,
        scores=trained.scores,
        strength=trained.strength,
        agreement=files.agreement() if stop is None else None,
        predicted=files.predicted,
        metered=files.metered if stop is None else None,
    )
    if isinstance(stop, KeyboardInterrupt):
        raise Interrupted("interrupted", result) from stop
    if stop is not None:
        raise Unfinished(str(stop), result) from stop
    return result
