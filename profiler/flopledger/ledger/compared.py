"""compare() and compare_chain(): runs by their names, as files or as ledgers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from flopledger.errors import WrongOption
from flopledger.ledger.build import check_accounting, hours_of, ledger_of
from flopledger.ledger.chain import Chain, chain
from flopledger.ledger.comparison import Comparison, split_ratio
from flopledger.ledger.ledger import Ledger
from flopledger.ledger.methods import Accounting
from flopledger.options import brief, check_least, checks_arguments

Compared = Literal["compute", "hours"]
Run = str | Path | Ledger


@checks_arguments
def compare(
    a: Run,
    b: Run,
    *,
    quantity: Compared = "compute",
    accounting: Accounting = "all",
    samples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Split the ratio b / a of two runs into factors whose orders of magnitude add up exactly.

    Args:
        a: the run to start from: a name of facts/runs, a TOML file, an entry of
            facts/dawnbench.csv, "FILE.csv:NAME", or a ledger.
        b: the run to arrive at.
        quantity: of runs that are named: "compute", training FLOP per parameter; or "hours" to 93%
            top-5, which entries have.
        accounting: of runs that are named: "all" compute, or "training": gradient steps only.
        samples: draws for the intervals; see `split_ratio`.
        seed: of the draws.

    Raises:
        BadFacts: there is no such run, or its file cannot be used.
        BrokenModel, ProfilingError: its network cannot be imported or counted.
        WrongOption: there is no such quantity, or the runs have no factor in common.
    """
    check_least({"samples": (samples, 1), "seed": (seed, 0)})
    before, after = ledgers_to_compare((a, b), quantity, accounting)
    return split_ratio(before, after, samples=samples, seed=seed)


@checks_arguments
def compare_chain(
    runs: Sequence[Run],
    *,
    quantity: Compared = "compute",
    accounting: Accounting = "all",
    samples: int = 10_000,
    seed: int = 0,
) -> Chain:
    """Compare each run with the next; the steps add up.

    Args:
        runs: two or more, each as `compare` takes them.
        quantity: as of `compare`.
        accounting: as of `compare`.
        samples: as of `compare`.
        seed: as of `compare`.

    Raises:
        BadFacts, BrokenModel, ProfilingError, WrongOption: as `compare`.
    """
    check_least({"samples": (samples, 1), "seed": (seed, 0)})
    if isinstance(runs, str) or not isinstance(runs, Sequence):
        raise WrongOption(f"{brief(runs)} is no list of runs; give two or more in one")
    return chain(ledgers_to_compare(runs, quantity, accounting), samples=samples, seed=seed)


def ledgers_to_compare(
    runs: Sequence[Run], quantity: Compared, accounting: Accounting
) -> list[Ledger]:
    """The runs' ledgers; hours are taken apart as far as all of those that are named allow.

    Raises:
        BadFacts, BrokenModel, ProfilingError, WrongOption: as `compare`.
    """
    if not isinstance(quantity, str) or quantity not in ("compute", "hours"):
        raise WrongOption(f"no quantity is called {brief(quantity)}; say compute or hours")
    check_accounting(accounting)
    if quantity == "hours" and accounting != "all":
        raise WrongOption("hours have no accounting: they are those of the whole training")
    for run in runs:
        if not isinstance(run, str | Path | Ledger):
            raise WrongOption(f"{brief(run)} is no run; give its name, its file or a ledger")
    names = [str(run) for run in runs if not isinstance(run, Ledger)]
    # hours_of takes all names at once, and at least one
    named = (
        iter(hours_of(names))
        if quantity == "hours" and names
        else (ledger_of(name, accounting) for name in names)
    )
    return [run if isinstance(run, Ledger) else next(named) for run in runs]
