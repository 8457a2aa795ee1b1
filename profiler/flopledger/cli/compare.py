"""Two runs' compute or hours, split into factors: flopledger compare."""

from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, say, write_out
from flopledger.cli.formats import format_option


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
    form: Annotated[str, format_option("compare")] = "table",
    list_: Annotated[
        bool, typer.Option("--list", help="The runs that can be compared are listed.")
    ] = False,
    samples: Annotated[
        int, typer.Option(help="How many draws the intervals are made of.", min=1)
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="The seed of the draws.", min=0)] = 0,
    debug: Debug = False,
) -> int:
    """Split the ratio b / a of two runs' training compute per parameter, or hours, into factors.

    Where several runs are named, each is compared with the next, and the steps add up.
    """
    from flopledger.ledger import compared
    from flopledger.ledger.dawnbench_hours import contradiction
    from flopledger.reports import compare, compare_chain

    if list_:
        write_out(_listed())
        return 0
    if a is None or b is None:
        raise typer.BadParameter("name two runs; flopledger compare --list shows them")
    sides = compared.ledgers_to_compare([a, b, *(more or [])], quantity, accounting)
    # people read hours as a chain's speeds, also of two runs; programs read one shape of two
    if more or (quantity == "hours" and form not in ("json", "csv")):
        steps = compared.compare_chain(sides, samples=samples, seed=seed)
        text = compare_chain.FORMATS[form](steps)
    else:
        text = compare.FORMATS[form](compared.compare(*sides, samples=samples, seed=seed))
    for line in filter(None, map(contradiction, sides)):
        say(line)
    write_out(text, form)
    return 0


def _listed() -> str:
    """A line a run: its name, and its title."""
    from flopledger.ledger.dawnbench import list_entries
    from flopledger.ledger.run_file import find_run, list_runs

    runs = [f"{name:24} {find_run(name).title}\n" for name in list_runs()]
    entries = [f"{name}\n" for name in list_entries()]
    return "".join([*runs, "\nwith --quantity hours, too:\n", *entries])
