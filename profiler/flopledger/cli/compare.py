"""Two runs' compute or hours, split into factors: flopledger compare."""

import sys
from typing import Annotated, Literal

import typer

from flopledger.cli.console import Debug, say


def compare(
    a: Annotated[str, typer.Argument(help="A run of facts/, or a TOML file.")],
    b: Annotated[str, typer.Argument(help="The run to compare it with.")],
    more: Annotated[
        list[str] | None, typer.Argument(help="Further runs: each is compared with the next.")
    ] = None,
    quantity: Annotated[
        Literal["compute", "hours"],
        typer.Option(
            help="Training FLOP per parameter, or hours to 93% top-5 of entries of "
            "facts/dawnbench.csv (or FILE.csv:NAME)."
        ),
    ] = "compute",
    form: Annotated[
        Literal["table", "json", "csv", "markdown"], typer.Option("--format", help="Of stdout.")
    ] = "table",
    samples: Annotated[int, typer.Option(help="Draws for the intervals.", min=1)] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 0,
    debug: Debug = False,
) -> int:
    """Split the ratio b / a of two runs' training compute per parameter, or hours, into factors.

    Of several runs, each is compared with the next, and the steps add up.
    """
    from flopledger.ledger import comparison
    from flopledger.ledger.build import hours_of, ledger_of
    from flopledger.ledger.chain import chain
    from flopledger.ledger.dawnbench_hours import contradiction
    from flopledger.reports import compare, compare_chain

    names = [a, b, *(more or [])]
    sides = hours_of(names) if quantity == "hours" else [ledger_of(name) for name in names]
    if more or (quantity == "hours" and form in ("table", "markdown")):
        text = compare_chain.render(chain(sides, samples=samples, seed=seed), form)
    else:
        split = comparison.compare(sides[0], sides[1], samples=samples, seed=seed)
        text = compare.render(split, form)
    for line in filter(None, map(contradiction, sides)):
        say(line)
    sys.stdout.write(text)
    return 0
