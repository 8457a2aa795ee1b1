"""How each tool is asked for a network's MACs."""

from collections.abc import Callable
from typing import Any

from cases import Case

OURS = "flopledger"  # the dispatch counter alone
CHECKED = "flopledger, checked"  # by profile(): both counters


def inputs_of(case: Case, device: str) -> dict[str, Any]:
    """Its inputs by name, all zeros."""
    import torch

    floats = ("x", "pixel_values", "input_features")
    return {
        name: torch.zeros(shape, dtype=None if name in floats else torch.int64, device=device)
        for name, shape in case.inputs.items()
    }


def _plain(torch: Any, factory: Callable[[], Any], inputs: dict[str, Any]) -> tuple[Any, Any]:
    """The network as one that takes tensors by position and returns one; its inputs."""
    module = factory().eval()
    if "x" in inputs:
        return module, tuple(inputs.values())

    class Plain(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *tensors: Any) -> Any:
            return self.module(**dict(zip(inputs, tensors, strict=True)), return_dict=False)[0]

    return Plain().eval(), tuple(inputs.values())


Count = Callable[[Callable[[], Any], dict[str, Any]], float]


def _ours(torch: Any) -> Count:
    from flopledger.counting.dispatch import dispatch_counter
    from flopledger.counting.shapes.weightless import build

    def count(factory: Any, inputs: Any) -> float:
        module = build(factory).eval()
        args = (inputs["x"],) if "x" in inputs else ()
        return sum(c.macs for c in dispatch_counter.count(module, args, {} if args else inputs))

    return count


def _checked(torch: Any) -> Count:
    from flopledger.counting.profiling import counted
    from flopledger.counting.subject import built

    def count(factory: Any, inputs: Any) -> float:
        args = (inputs["x"],) if "x" in inputs else ()
        profile = counted("it", built("it", factory), (args, {} if args else inputs))
        return float(profile.totals.macs)

    return count


def _flop_counter_mode(torch: Any) -> Count:
    from torch.utils.flop_counter import FlopCounterMode

    def count(factory: Any, inputs: Any) -> float:
        device = next(iter(inputs.values())).device
        with torch.device(device):
            module, args = _plain(torch, factory, inputs)
        with torch.no_grad(), FlopCounterMode(display=False) as mode:
            module(*args)
        return mode.get_total_flops() / 2

    return count


def _peer(call: Callable[[Any, Any], float]) -> Callable[[Any], Count]:
    def prepare(torch: Any) -> Count:
        return lambda factory, inputs: call(*_plain(torch, factory, inputs))

    return prepare


def _fvcore(module: Any, args: Any) -> float:
    from fvcore.nn import FlopCountAnalysis

    quiet = FlopCountAnalysis(module, args).unsupported_ops_warnings(False)
    return float(quiet.uncalled_modules_warnings(False).total())


def _torchinfo(module: Any, args: Any) -> float:
    import torchinfo

    return float(torchinfo.summary(module, input_data=args, verbose=0).total_mult_adds)


def _ptflops(module: Any, args: Any) -> float:
    from ptflops import get_model_complexity_info

    class One:  # it calls the network by keywords, or with the one tensor that it is given
        def __call__(self, _: Any) -> Any:
            return args[0] if len(args) == 1 else args

    macs, _ = get_model_complexity_info(
        module, tuple(args[0].shape[1:]), print_per_layer_stat=False, as_strings=False,
        input_constructor=One(), verbose=False,
    )  # fmt: skip
    return float(macs)


def _calflops(module: Any, args: Any) -> float:
    from calflops import calculate_flops

    return float(
        calculate_flops(module, args=list(args), print_results=False, output_as_string=False)[1]
    )


def _thop(module: Any, args: Any) -> float:
    import thop

    return float(thop.profile(module, inputs=args, verbose=False)[0])


def _deepspeed(module: Any, args: Any) -> float:
    from deepspeed.profiling.flops_profiler import get_model_profile

    return float(
        get_model_profile(module, args=list(args), print_profile=False, as_string=False, warm_up=0)[
            1
        ]
    )


def _torchlens(module: Any, args: Any) -> float:
    import torchlens

    return float(torchlens.trace(module, list(args)).total_macs_forward)


COUNTERS: dict[str, Callable[[Any], Count]] = {
    OURS: _ours,
    CHECKED: _checked,
    "FlopCounterMode, meta": _flop_counter_mode,
    "FlopCounterMode, CPU": _flop_counter_mode,
    "fvcore": _peer(_fvcore),
    "torchinfo": _peer(_torchinfo),
    "ptflops": _peer(_ptflops),
    "calflops": _peer(_calflops),
    "thop": _peer(_thop),
    "DeepSpeed": _peer(_deepspeed),
    "torchlens": _peer(_torchlens),
}
