"""Runs whose networks are not counted: their figures are by hand."""

from flopledger.ledger.identity import Measured, build_ledger
from flopledger.ledger.quantity import Quantity
from flopledger.ledger.training_run import Phase, TrainingRun

# parameters and MACs by hand: tests/models/test_architectures.py
ALEXNET = Measured(
    model="alexnet", params=60_965_224, forward_flops=2 * 724_406_816, backward_ratio=2.0
)
CHESS = Measured(
    model="alphazero-chess", params=23_333_708, forward_flops=2 * 1.491e9, backward_ratio=2.0
)
MEASURED = {"alexnet": ALEXNET, "alphazero-chess": CHESS}


def fact(value, low=None, high=None):
    return Quantity(value=value, low=low, high=high, unit="x", kind="cited", source="a paper")


def run(name, model, *phases, method=None):
    return TrainingRun(
        name=name,
        file=f"facts/runs/{name}.toml",
        title=name,
        published_on="2020-01-01",
        models=((model,),),
        phases=tuple(
            Phase(
                name=f"phase {index}",
                model=model,
                method=method or ("self-play" if "games" in facts else "supervised"),
                facts={k: v if isinstance(v, Quantity) else fact(v) for k, v in facts.items()},
            )
            for index, facts in enumerate(phases)
        ),
    )


IMAGES = {"images": 1.2e6, "epochs": 90}
# Silver et al. 2018, Table S3; 92 plies follow from its TPU-hours
GAMES = {"games": 44e6, "plies_per_game": 92, "simulations_per_move": 800,
         "evaluations_per_simulation": 1, "steps": 700e3, "batch_size": 4096}  # fmt: skip


def alexnet():
    return build_ledger(run("alexnet", "alexnet", IMAGES), MEASURED)


def chess(**changed):
    return build_ledger(run("chess", "alphazero-chess", GAMES | changed), MEASURED)
