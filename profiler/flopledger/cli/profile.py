"""The main job: flopledger profile."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flopledger.cli.console import NOT_CONFIRMED, Debug, say, write_out
from flopledger.cli.formats import (
    Columns,
    Output,
    check_form,
    column_titles,
    deliver,
    format_option,
)
from flopledger.cli.one_by_one import doubts, each_model
from flopledger.cli.profile_devices import Devices, Dtype, Fused, On, Utilisation, check_asked
from flopledger.cli.profile_generation import (
    Prompted,
    confirmed,
    on_devices,
    prompted,
    show,
    stored_in,
)
from flopledger.cli.profile_measurements import Wanted, check_wanted, measured
from flopledger.cli.profile_output import check_format
from flopledger.cli.timeout import limit
from flopledger.options import check_least, check_seconds
from flopledger.profiles.totals import Optimiser
from flopledger.zoo.registry import Listing, ModelSpec, list_models
from flopledger.zoo.sources import check_names

if TYPE_CHECKING:
    from flopledger.calls import Counter
    from flopledger.decoding.generation_result import Generation
    from flopledger.profiles.tables import Profile
    from flopledger.reports.profile import Measured
    from flopledger.zoo.inputs import AskedInput


EXAMPLES = """
flopledger profile alexnet
flopledger profile my_model.py:Net --input 8,3,64,64 --output layers.csv
flopledger profile gpt2 --depth 2 --memory --optimiser adamw
"""

Kwargs = Annotated[
    list[str] | None,
    typer.Option(
        "--kwargs", help="NAME=VALUE is passed to the factory; it may be given several times."
    ),
]
Asked = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        help="The shape of an input, 1,3,224,224 or NAME=1,1024:int64; given once for each.",
    ),
]


def profile(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names from --list, FILE.py:FACTORY, PACKAGE.MODULE:FACTORY, timm:NAME, "
            "torchvision:NAME or hf:CONFIG.json."
        ),
    ] = None,
    asked: Asked = None,
    inputs: Annotated[
        str | None, typer.Option(help="FILE.py:FUNCTION returns the arguments of the forward pass.")
    ] = None,
    kwargs: Kwargs = None,
    batch: Annotated[int | None, typer.Option(help="The size of axis 0 of every input.")] = None,
    prefill: Annotated[
        int | None,
        typer.Option(
            help="Of a language model: the tokens of a prompt, whose pass is counted with the "
            "cache that it fills. --inputs then is FILE.py:FUNCTION of (batch, tokens, last)."
        ),
    ] = None,
    decode: Annotated[
        int | None,
        typer.Option(help="Of --prefill: passes of one new token each, counted after the prompt."),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Layers deeper than this are folded into the layer around them."),
    ] = None,
    by: Annotated[
        Literal["layer", "operator", "kind"], typer.Option(help="What a row of the table is.")
    ] = "layer",
    counter: Annotated[
        Literal["auto", "fvcore", "dispatch"],
        typer.Option(help="Which counter's count is shown; the other counter checks it."),
    ] = "auto",
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check",
            help="Whether the second counter is asked, which takes two thirds of the time.",
        ),
    ] = True,
    values: Annotated[
        bool,
        typer.Option(
            "--values",
            help="The pass is computed, on the factory's own weights and the inputs as they are: "
            "what a router picks or a threshold keeps is then counted as it is.",
        ),
    ] = False,
    backward: Annotated[
        bool, typer.Option("--backward", help="The backward pass is counted too.")
    ] = False,
    optimiser: Annotated[
        Optimiser | None,
        typer.Option(
            "--optimiser",
            "--optimizer",
            help="A step of training with this optimiser is counted too.",
        ),
    ] = None,
    accumulate: Annotated[
        int, typer.Option(help="How many passes (micro-batches) a step of training has.", min=1)
    ] = 1,
    time: Annotated[
        bool,
        typer.Option(
            "--time",
            help="The network is run for real, and the seconds of its layers are measured.",
        ),
    ] = False,
    memory: Annotated[
        bool,
        typer.Option("--memory", help="The bytes that inference and training hold are worked out."),
    ] = False,
    allocate: Annotated[
        bool,
        typer.Option(
            "--allocate",
            help="The network is run for real, and --memory is compared with what it allocates.",
        ),
    ] = False,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Of --memory: bf16-mixed (autocast), bf16-true (weights too) or bf16-masters "
            "(weights too, float32 masters in the optimiser); likewise fp16."
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="Of --memory: the blocks that run again in the backward pass; blocks for those "
            "that repeat, or paths: 'layer1.*,layer2.*'."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Of --memory: what one rank holds under zero1, zero2, zero3 or fsdp: zero3:8."
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="The device of --time and --memory: cpu or cuda.")
    ] = "cpu",
    repeats: Annotated[int, typer.Option(help="How many passes --time measures.", min=1)] = 10,
    on: On = None,
    dtype: Dtype = None,
    fused: Fused = False,
    utilisation: Utilisation = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="The exit code is 3 if anything is uncounted or the counters disagree."
        ),
    ] = False,
    form: Annotated[str | None, format_option("profile")] = None,
    columns: Columns = None,
    weight: Annotated[
        Literal["flops", "seconds"],
        typer.Option(help="What the frames of a trace weigh; seconds need --time."),
    ] = "flops",
    size_by: Annotated[
        Literal["flops", "params"],
        typer.Option(help="What the boxes of the picture are shares of."),
    ] = "flops",
    output: Output = None,
    timeout: Annotated[
        float | None, typer.Option(help="How many seconds each model may take.")
    ] = None,
    show_list: Annotated[
        bool,
        typer.Option("--list", help="The models of the zoo are listed, and nothing is counted."),
    ] = False,
    debug: Debug = False,
) -> int:
    """Count FLOPs and parameters, layer by layer, with two counters.

    A file or package that is named is imported, which runs its code.
    """
    if show_list:
        write_out(_listed(list_models()))
        return 0
    if not models:
        raise typer.BadParameter("name a model; --list shows their names")
    check_least(
        {"batch": (batch, 1), "depth": (depth, 0), "accumulate": (accumulate, 1),
         "repeats": (repeats, 1)}
    )  # fmt: skip
    check_seconds("timeout", timeout)
    check_words(models, asked)
    check_names(models)
    from flopledger.zoo.inputs import parse_input
    from flopledger.zoo.sources import parse_options

    prompt = prompted(
        prefill,
        decode,
        batch,
        {"--input": bool(asked), "--depth": depth is not None, "--by": by != "layer",
         "--counter": counter != "auto", "--no-check": not check, "--values": values,
         "--backward": backward, "--optimiser": optimiser is not None, "--time": time,
         "--memory": memory, "--fused": fused},
    )  # fmt: skip
    if inputs is not None and asked:
        raise typer.BadParameter("--input and --inputs both say what goes in; give one of them")
    tables: list[tuple[str, str]] = [("profile_table", by)]
    tables += [("profile_table", "several")] if len(models) > 1 else []
    measured = {"memory": memory, "timing": time, "roofline": bool(on), "generation": prompt}
    tables += [(report, "") for report, shown in measured.items() if shown]
    titles = [title for report, of in tables for title in column_titles(report, of)]
    chosen = check_form("profile", form, output, columns, titles)
    order = Order(
        asked=[parse_input(text) for text in asked or []],
        inputs=inputs,
        options=parse_options(kwargs or []),
        batch=batch,
        counter=counter,
        check=check,
        values=values,
        backward=backward or optimiser is not None,
        timeout=timeout,
        wanted=Wanted(
            time=time,
            memory=memory,
            allocate=allocate,
            device=device,
            repeats=repeats,
            optimiser=optimiser or "adam",
            accumulate=accumulate,
            precision=precision,
            checkpoint=checkpoint,
            shard=shard,
            devices=Devices(on=tuple(on or ()), dtype=dtype, fused=fused, utilisation=utilisation),
        ),
    )
    check_wanted(order.wanted)
    check_asked(order.wanted.devices)
    writer = check_format(chosen, weight, order.wanted, len(models) > 1, output, prompt is not None)

    def written(profiles: "list[Profile]", measurements: "list[Measured]") -> str | bytes:
        from flopledger.reports.profile import Shown

        return writer.write(
            Shown(
                profiles=profiles,
                measured=measurements,
                several=len(models) > 1,
                by=by,
                depth=depth,
                size_by=size_by,
                weight=weight,
                optimiser=optimiser,
                accumulate=accumulate,
            )
        )

    if prompt is not None:
        made, code = each_model(models, lambda name: _generated(name, prompt, order), debug)
        if made:
            deliver(lambda: show(made, chosen, len(models) > 1, written), chosen, output, columns)
        return confirmed(made, code, strict)
    counts, code = each_model(models, lambda name: _held_to_published(name, order), debug)
    if counts:
        both = [p for p, _ in counts], [taken for _, taken in counts]
        deliver(lambda: written(*both), chosen, output, columns)
    objections = [line for profile, _ in counts for line in doubts(profile)]
    for line in objections:
        say(line)
    return code or (NOT_CONFIRMED if strict and objections else 0)


@dataclass(frozen=True, kw_only=True)
class Order:
    """How every model of one command is to be counted."""

    asked: "list[AskedInput]"
    inputs: str | None = None
    options: dict[str, Any]
    batch: int | None = None
    counter: "Counter" = "auto"
    check: bool = True
    values: bool = False
    backward: bool = False
    timeout: float | None = None
    wanted: Wanted = field(default_factory=Wanted)


def counted(name: str, order: Order) -> "tuple[ModelSpec | None, Profile, Measured]":
    """One network, wherever it comes from, counted and measured as ordered.

    Raises:
        UnknownModel, BrokenModel, WrongSource, WrongInputs, ProfilingError: as their own docstrings
            say.
        TimedOut: it took longer than it may.
    """
    from flopledger.counting import profiling
    from flopledger.counting.arguments import arguments_of
    from flopledger.counting.subject import built
    from flopledger.zoo.sources import find, set_apart

    with limit(order.timeout, name), set_apart():
        source = find(name, order.options)
        module = built(source.name, source.factory, order.values)
        inputs, note = arguments_of(
            name, source.spec, module, order.asked, order.inputs, order.batch
        )
        profile = profiling.counted(
            source.name,
            module,
            inputs,
            order.counter,
            order.backward,
            values=order.values,
            check=order.check,
        )
        taken = measured(module, inputs, profile, order.wanted, order.backward)
    return source.spec, replace(profile, notes=(*note, *profile.notes)), taken


def _generated(name: str, prompt: Prompted, order: Order) -> "Generation":
    from flopledger.counting.subject import built
    from flopledger.decoding.generate_counts import generated
    from flopledger.zoo.sources import find, function, set_apart

    with limit(order.timeout, name), set_apart():
        source = find(name, order.options)
        module = built(source.name, source.factory)
        given = None if order.inputs is None else function(order.inputs)
        devices = order.wanted.devices
        module = stored_in(module, devices.dtype)
        made = generated(name, module, prompt.prefill, prompt.decode, prompt.batch, given)
        return on_devices(made, devices)


def _held_to_published(name: str, order: Order) -> "tuple[Profile, Measured]":
    """A network's counts and measurements; its published figures that they contradict are said."""
    from flopledger.zoo.published import contradictions, held_against

    spec, profile, taken = counted(name, order)
    if spec is not None and not order.asked:  # published figures are of the registered inputs
        for line in contradictions(held_against(spec, profile)):
            say(line)
    return profile, taken


def check_words(models: list[str], asked: list[str] | None) -> None:
    """See that no size of --input was taken for a model's name, as in --input 1 3 224 224.

    Raises:
        BadParameter: one was.
    """
    sizes = [word.strip(",") for word in models if word.strip(",").isdecimal()]
    if asked and sizes:
        shape = ",".join([asked[-1].strip(","), *sizes])
        raise typer.BadParameter(f"an input's shape is one word without spaces: --input {shape}")


def _listed(listings: list[Listing]) -> str:
    width = max((len(listing.name) for listing in listings), default=0)
    return "".join(
        f"{listing.name:{width}}  {listing.year or '':4}  {listing.description}\n"
        for listing in listings
    )
