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
    from flopledger.ledger import comparison
    from flopledger.ledger.build import hours_of, ledger_of
    from flopledger.ledger.chain import chain
    from flopledger.ledger.dawnbench_hours import contradiction
    from flopledger.reports import compare, compare_chain

    names = [a, b, *(more or [])]
    sides = hours_of(names) if quantity == "hours" else [ledger_of(name) for name in names]
    # people read hours as a chain's speeds, also of two runs; programs read one shape of two
    if more or (quantity == "hours" and form not in ("json", "csv")):
        text = compare_chain.FORMATS[form](chain(sides, samples=samples, seed=seed))
    else:
        split = comparison.compare(sides[0], sides[1], samples=samples, seed=seed)
        text = compare.FORMATS[form](split)
    for line in filter(None, map(contradiction, sides)):
        say(line)
    sys.stdout.write(text)
    return 0
