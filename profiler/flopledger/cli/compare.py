"""Two runs' compute or hours, split into factors: flopledger compare."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, say, write_out
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)

EXAMPLES = """
flopledger compare alexnet alphazero-chess
flopledger compare alexnet my_run.toml --format markdown
flopledger compare alexnet alphazero-chess --output gap.svg
flopledger compare --list
"""


def compare(
    a: Annotated[
        str | None, typer.Argument(help="A run of facts/runs, by name, or a TOML file.")
    ] = None,
    b: Annotated[str | None, typer.Argument(help="The run to compare it with.")] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="Further runs; each run is compared with the next.")
    ] = None,
    quantity: Annotated[
        Literal["compute", "hours"],
        typer.Option(
            help="Whether training FLOP per parameter are compared, or the hours that entries of "
            "facts/dawnbench.csv (or FILE.csv:NAME) took to 93% top-5."
        ),
    ] = "compute",
    accounting: Annotated[
        Literal["all", "training"],
        typer.Option(
            help="Whether all compute is counted, or that of gradient steps only: without the "
            "games, and whatever else makes data."
        ),
    ] = "all",
    form: Annotated[str | None, format_option("compare")] = None,
    output: Output = None,
    columns: Columns = None,
    list_: Annotated[
        bool, typer.Option("--list", help="The runs that can be compared are listed.")
    ] = False,
    samples: Annotated[
        int, typer.Option(help="How many draws the intervals are made of.", min=1)
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The seed of the draws.", min=0)] = 0,
    debug: Debug = False,
) -> int:
    """Split the gap between two runs into factors.

    The ratio b / a is of training compute per parameter, or of hours; the factors' orders of
    magnitude add up to its own. Where several runs are named, each is compared with the next,
    and the steps add up.
    """
    from flopledger.ledger import compared
    from flopledger.ledger.dawnbench_hours import contradiction
    from flopledger.reports import compare, compare_chain

    if list_:
        write_out(_listed())
        return 0
    if a is None or b is None:
        raise typer.BadParameter("name two runs; flopledger compare --list shows them")
    runs = [a, b, *(more or [])]
    named = [name for run in runs for name in (run, Path(run).stem, run.rpartition(":")[2])]
    known = [*column_titles("compare"), *compare_chain.column_titles(len(runs)), *named]
    chosen = check_form("compare", form, output, columns, known)
    sides = compared.ledgers_to_compare(runs, quantity, accounting)
    # people read hours as a chain's speeds, also of two runs; programs read one shape of two
    if more or (quantity == "hours" and chosen not in ("json", "csv")):
        steps = compared.compare_chain(sides, samples=samples, seed=seed)
        write = partial(compare_chain.FORMATS[chosen], steps)
    else:
        pair = compared.compare(*sides, samples=samples, seed=seed)
        write = partial(compare.FORMATS[chosen], pair)
    for line in filter(None, map(contradiction, sides)):
        say(line)
    deliver(write, chosen, output, columns)
    return 0


def _listed() -> str:
    """A line a run: its name, and its title."""
    from flopledger.ledger.dawnbench import list_entries
    from flopledger.ledger.run_file import find_run, list_runs

    runs = [f"{name:24} {find_run(name).title}\n" for name in list_runs()]
    entries = [f"{name}\n" for name in list_entries()]
    return "".join([*runs, "\nwith --quantity hours, too:\n", *entries])
