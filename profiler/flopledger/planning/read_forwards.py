"""plan(): the hours of a training run on a cluster, from its ledger's FLOP."""

from math import sqrt
from pathlib import Path

from flopledger.clock.named_devices import NamedDevice, dtype_of, fuller, named_device
from flopledger.counting.cached import cached_profile
from flopledger.errors import WrongOption
from flopledger.ledger.build import Profiles, ledgers
from flopledger.ledger.prediction import flop_interval
from flopledger.ledger.run_file import find_run
from flopledger.ledger.training_run import TrainingRun
from flopledger.options import brief, check_least, checks_arguments
from flopledger.planning.cluster_memory import STAGES, Split, split_of
from flopledger.planning.run_plan import Interval, Plan
from flopledger.rooflines.named import check_share
from flopledger.storage.facts import BadFacts

SECONDS = 3600  # an hour


@checks_arguments
def plan(
    run: str | Path,
    *,
    on: str,
    utilisation: str | float = "0.35..0.5",
    goodput: float = 1.0,
    dtype: str | None = None,
    tensor: int = 1,
    pipeline: int = 1,
    zero: int | None = None,
) -> Plan:
    """What a run of facts/runs, or of a TOML file, would take on a cluster.

    Hours are the FLOP of the run's ledger over devices x peak x utilisation x goodput.

    Args:
        run: its name, or its file.
        on: the device and how many: "h100-sxm:64".
        utilisation: the share of the peak that a step reaches (MFU): "0.35..0.5", or one share.
        goodput: of the hours, the share in which steps are made that count: restarts, work lost,
            evaluation and idle time are the rest.
        dtype: of the products, as `roofline` takes it; the run's own if left out, or bf16 where it
            says none.
        tensor: devices that share each matrix.
        pipeline: stretches of layers, each on devices of its own.
        zero: ZeRO's stage among replicas; all of them are worked out if left out.

    Raises:
        WrongOption: the device is not known, or lacks the dtype; there are none; a share is not
            above 0 and at most 1; the cluster cannot hold the model.
        BadFacts: there is no such run, or its file lacks what the FLOP are made of.
        BrokenModel, ProfilingError: its network cannot be imported or counted.
    """
    return planned(find_run(str(run)), on, utilisation, goodput, dtype, tensor, pipeline, zero)


def planned(
    run: TrainingRun,
    on: str,
    utilisation: str | float,
    goodput: float,
    dtype: str | None,
    tensor: int,
    pipeline: int,
    zero: int | None,
    profiles: Profiles = cached_profile,
) -> Plan:
    """The same of a run that was read; what is wrong with the options is said before it counts."""
    name, devices = _cluster(on)
    low, high = parse_utilisation(utilisation)
    check_share("goodput", goodput)
    check_least({"tensor": (tensor, 1), "pipeline": (pipeline, 1), "zero": (zero, 0)})
    if zero is not None and zero not in STAGES:
        raise WrongOption(f"--zero {zero} is no stage of ZeRO; say 0, 1, 2 or 3")
    if devices % (tensor * pipeline):
        raise WrongOption(
            f"{devices} devices are no whole number of replicas of {tensor} x {pipeline}; change "
            "--tensor or --pipeline"
        )
    own = run.hardware.precision if run.hardware is not None else None
    product = dtype_of(dtype or own or "bf16")
    device = named_device(name, product, needs_bandwidth=False)
    ledger = ledgers([run], profiles)[run.name]
    if ledger.total is None or ledger.total_flops is None or ledger.params is None:
        raise BadFacts(
            f"{run.file}: its gradient steps are not known, and without them there is no FLOP to "
            "plan; give [samples], or what they are made of"
        )
    low_flop, high_flop = flop_interval(ledger)
    value = ledger.total_flops
    flop = Interval(value=value, low=min(low_flop, value), high=max(high_flop, value))
    rate = devices * device.flops_per_second.value * goodput * SECONDS  # FLOP an hour, all at peak
    return Plan(
        run=run.name,
        device=device,
        devices=devices,
        dtype=product,
        params=ledger.params,
        flop=flop,
        utilisation=(low, high),
        goodput=goodput,
        hours=Interval(
            value=flop.value / (rate * sqrt(low * high)),
            low=flop.low / (rate * high),
            high=flop.high / (rate * low),
        ),
        splits=_splits(ledger.params, device, devices, tensor, pipeline, zero),
        notes=_notes(device, dtype is None and own is None, goodput),
    )


def parse_utilisation(given: str | float) -> tuple[float, float]:
    """The ends of "0.35..0.5"; one share is both.

    >>> parse_utilisation("0.35..0.5"), parse_utilisation(0.4)
    ((0.35, 0.5), (0.4, 0.4))

    Raises:
        WrongOption: it is no share above 0 and at most 1, or the first exceeds the second.
    """
    words = str(given).split("..")
    try:
        ends = [float(word) for word in words]
    except ValueError:
        ends = []
    if len(ends) not in (1, 2):
        raise WrongOption(f"--utilisation {brief(given)} is no share; say 0.4, or 0.35..0.5")
    for end in ends:
        check_share("utilisation", end)
    if ends[0] > ends[-1]:
        raise WrongOption(f"--utilisation {given}: its first end exceeds the second; exchange them")
    return ends[0], ends[-1]


def _cluster(on: str) -> tuple[str, int]:
    name, colon, count = on.rpartition(":")
    if not (colon and count.isascii() and count.isdigit() and name):
        device = on.partition(":")[0] or "h100-sxm"
        raise WrongOption(f"--on {brief(on)} does not say how many; say {device}:64")
    check_least({"on": (int(count), 1)})
    return name, int(count)


def _splits(
    params: int, device: NamedDevice, devices: int, tensor: int, pipeline: int, zero: int | None
) -> tuple[Split, ...]:
    memory = None if device.memory_bytes is None else device.memory_bytes.value
    splits = {stage: split_of(params, devices, tensor, pipeline, stage, memory) for stage in STAGES}
    if memory is None:
        return tuple(splits.values()) if zero is None else (splits[zero],)
    least = splits[max(STAGES)]
    own = f"a device, and {device.name} has {memory / 1e9:.4g}"
    if not least.fits:
        raise WrongOption(
            f"{devices} x {device.name} cannot hold the model: divided among all of them its "
            f"weights, gradients and optimiser's state are {least.device_bytes / 1e9:.4g} GB "
            f"{own}; take more devices"
        )
    if zero is None:
        return tuple(splits.values())
    if not splits[zero].fits:
        stage = next(stage for stage, split in splits.items() if split.fits)
        raise WrongOption(
            f"--zero {zero} leaves {splits[zero].device_bytes / 1e9:.4g} GB {own}; say --zero "
            f"{stage}, or divide the model by --tensor and --pipeline"
        )
    return (splits[zero],)


def _notes(device: NamedDevice, assumed_dtype: bool, goodput: float) -> tuple[str, ...]:
    notes = [
        "FLOP are the ledger's: matrix products forward and backward, attention's full square, "
        "nothing computed again; a utilisation of other FLOP (6 N D, the causal half) is another",
        "utilisation (MFU) is of the hours in which steps are made that count; goodput is their "
        f"share of all hours, {goodput:g} here"
        + (": no restart, no work lost, no evaluation" * (goodput == 1)),
        "memory is mixed-precision Adam's 16 bytes a parameter, evenly divided; activations, "
        "buffers and what is gathered for a while come on top",
    ]
    if device.watts is not None:
        notes.append(
            f"energy is the devices' alone at their thermal design power, {device.watts.value:g} W "
            f"({device.watts.source}): host, network and cooling come on top"
        )
    if device.memory_bytes is None:
        notes.append(
            f"the memory of {device.name} is not known, nor what fits; {fuller(device.name)}"
        )
    if assumed_dtype:
        notes.append("the run's file does not say its precision: bfloat16 is assumed")
    notes.append("peak and memory: " + "; ".join(device.sources()))
    return tuple(notes)
