"""Two runs' compute or hours, split into factors: flopledger compare."""

import sys
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, say
from flopledger.cli.formats import format_option


def compare(
    a: Annotated[str, typer.Argument(help="A run of facts/runs, by name, or a TOML file.")],
    b: Annotated[str, typer.Argument(help="The run to compare it with.")],
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
    form: Annotated[str, format_option("compare")] = "table",
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

    sides = compared.ledgers_to_compare([a, b, *(more or [])], quantity)
    # people read hours as a chain's speeds, also of two runs; programs read one shape of two
    if more or (quantity == "hours" and form not in ("json", "csv")):
        steps = compared.compare_chain(sides, samples=samples, seed=seed)
        text = compare_chain.FORMATS[form](steps)
    else:
        text = compare.FORMATS[form](compared.compare(*sides, samples=samples, seed=seed))
    for line in filter(None, map(contradiction, sides)):
        say(line)
    sys.stdout.write(text)
    return 0
