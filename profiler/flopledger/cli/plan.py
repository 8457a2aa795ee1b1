"""A training run on a cluster, forwards: flopledger plan."""

from typing import Annotated

import typer

from flopledger.cli.console import Debug
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)

EXAMPLES = """
flopledger plan gpt3 --on h100-sxm:1024
flopledger plan my_run.toml --on a100-80gb:64 --utilisation 0.35..0.5 --goodput 0.9 --zero 3
"""


def plan(
    run: Annotated[str, typer.Argument(help="A run of facts/runs, by name, or a TOML file.")],
    on: Annotated[str, typer.Option("--on", help="The device, and how many: h100-sxm:64.")],
    utilisation: Annotated[
        str,
        typer.Option(
            "--utilisation",
            "--utilization",
            help="The share of the peak that steps reach (MFU), or its two ends: 0.35..0.5.",
        ),
    ] = "0.35..0.5",
    goodput: Annotated[
        float, typer.Option(help="The share of the hours in which steps are made that count.")
    ] = 1.0,
    dtype: Annotated[
        str | None,
        typer.Option(help="bf16, fp16, fp8, ...; the run's own if left out, or bf16."),
    ] = None,
    tensor: Annotated[int, typer.Option(help="Devices that share each matrix.")] = 1,
    pipeline: Annotated[int, typer.Option(help="Stretches of layers, on devices each.")] = 1,
    zero: Annotated[
        int | None, typer.Option(help="ZeRO's stage, 0 to 3; each is shown if it is left out.")
    ] = None,
    form: Annotated[str | None, format_option("plan")] = None,
    output: Output = None,
    columns: Columns = None,
    debug: Debug = False,
) -> int:
    """Say what a run would take on a cluster: hours, energy, memory.

    The FLOP are those of the run's ledger; hours are theirs over the cluster's peak, the
    utilisation and the goodput, with the ends of what is uncertain.
    """
    from flopledger.planning import read_forwards
    from flopledger.reports.plan import FORMATS

    chosen = check_form("plan", form, output, columns, column_titles("plan"))
    made = read_forwards.plan(
        run,
        on=on,
        utilisation=utilisation,
        goodput=goodput,
        dtype=dtype,
        tensor=tensor,
        pipeline=pipeline,
        zero=zero,
    )
    deliver(lambda: FORMATS[chosen](made), chosen, output, columns)
    return 0
