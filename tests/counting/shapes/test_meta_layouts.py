"""Our shape rules against PyTorch's CPU kernels: shapes, dtypes, and how results lie in memory."""

import random

import pytest
import torch
from flopledger.counting.formulas.elementwise import POINTWISE
from flopledger.counting.shapes.meta_layouts import channels_last
from flopledger.counting.shapes.meta_shapes import infer
from hypothesis import given, settings
from hypothesis import strategies as st

aten = torch.ops.aten

# composite ones, which never reach the dispatcher, and such as no network uses
LEFT_OUT = {"prelu", "rrelu", "rrelu_with_noise_backward", "mvlgamma", "ldexp", "glu_backward"}


def laid_out(draw, shape, dtype=torch.float32):
    """Numbers of that shape: whole, permuted, with gaps, spread, or channels last."""
    axes = list(range(len(shape)))
    way = draw.choice(("whole", "permuted", "gaps", "spread", "last")) if axes else "whole"
    if way == "permuted":
        draw.shuffle(axes)
        back = [axes.index(i) for i in range(len(axes))]
        return torch.rand([shape[i] for i in axes], dtype=dtype).permute(back)
    if way == "gaps":
        return torch.rand([2 * shape[0], *shape[1:]], dtype=dtype)[::2]
    if way == "spread":
        return torch.rand([*shape[:-1], 1], dtype=dtype).expand(shape)
    if way == "last" and len(shape) == 4:
        return torch.rand(shape, dtype=dtype).contiguous(memory_format=torch.channels_last)
    return torch.rand(shape, dtype=dtype)


def on_meta(value):
    if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
        return [on_meta(item) for item in value]
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return value
    return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="meta")


def described(out):
    # the stride of an axis of one element says nothing
    return [
        (tuple(t.shape), t.dtype, [s for s, n in zip(t.stride(), t.shape, strict=True) if n != 1])
        for t in (out if isinstance(out, tuple | list) else [out])
    ]


def compare(overload, *args, **kwargs):
    """See that ours is the kernel's; False where there is no rule, or the kernel refuses."""
    try:
        theirs = overload(*args, **kwargs)
    except Exception:  # these numbers, or this dtype, are not for that operator
        return False
    schema = overload._schema
    placed = tuple(on_meta(a) for a in args), {k: on_meta(v) for k, v in kwargs.items()}
    ours = infer(schema.name, schema.overload_name, *placed)
    if ours is NotImplemented:
        return False
    call = (schema.name, schema.overload_name, placed)
    assert described(ours) == described(theirs), call
    return True


def broadcast(draw, number):
    """That many shapes that broadcast to one."""
    sides = [draw.randint(1, 4) for _ in range(draw.randint(0, 4))]
    shapes = []
    for _ in range(number):
        shape = [1 if draw.random() < 0.2 else n for n in sides]
        shapes.append(shape[draw.randint(0, len(shape)) if draw.random() < 0.2 else 0 :])
    return shapes


def arguments(draw, schema, dtype):
    tensors = [a for a in schema.arguments if "Tensor" in str(a.type)]
    shapes = iter(broadcast(draw, len(tensors)))
    args, kwargs = [], {}
    for a in schema.arguments:
        kind = str(a.type)
        if "Tensor" in kind:
            value = laid_out(draw, next(shapes), dtype)
        elif a.has_default_value():
            value = a.default_value
        else:
            value = {"number": 0.5, "float": 0.5, "int": 1, "bool": False}.get(kind)
        if a.kwarg_only:
            kwargs[a.name] = value
        else:
            args.append(value)
    return args, kwargs


def elementwise():
    for name in sorted(POINTWISE):
        base = name.removeprefix("aten::")
        for form in (base, f"{base}_"):
            packet = getattr(aten, form, None)
            for overload in packet.overloads() if packet and base not in LEFT_OUT else ():
                known = getattr(packet, overload)
                kinds = [(str(a.type), a.is_out) for a in known._schema.arguments]
                if ("Tensor", False) in kinds and not any(out for _, out in kinds):
                    yield known


ELEMENTWISE = list(elementwise())


@settings(max_examples=4, deadline=None, derandomize=True)
@given(st.integers(0, 2**30))
def test_elementwise_results_lie_as_the_kernels_do(seed):
    draw = random.Random(seed)
    torch.manual_seed(seed)
    dtype = draw.choice((torch.float32, torch.float64, torch.bfloat16))
    held = sum(compare(op, *args, **kwargs) for op in ELEMENTWISE
               for args, kwargs in [arguments(draw, op._schema, dtype)])  # fmt: skip
    assert held > len(ELEMENTWISE) / 2


def products(draw, a, b, c, n):
    yield aten.mm.default, laid_out(draw, [a, b]), laid_out(draw, [b, c])
    yield aten.bmm.default, laid_out(draw, [n, a, b]), laid_out(draw, [n, b, c])
    yield aten.addmm.default, torch.rand(c), laid_out(draw, [a, b]), laid_out(draw, [b, c])
    shape = [n, a, b, c][: draw.randint(1, 4)]
    axis = draw.randrange(len(shape))
    x, y = laid_out(draw, shape), laid_out(draw, shape)
    yield aten._softmax.default, x, axis, False
    yield aten._log_softmax.default, x, -1 - axis, False
    yield aten.stack.default, [x, y], axis
    yield aten.cat.default, [x, y], axis
    yield aten.where.self, x > 0.5, x, y
    yield aten.mean.dim, x, [axis], draw.random() < 0.5
    yield aten.sum.dim_IntList, x, [axis]
    yield aten.tril.default, x, 1
    yield aten.masked_select.default, x, y > 0.5
    yield aten.embedding.default, laid_out(draw, [7, a]), torch.randint(7, shape)
    yield aten.native_layer_norm.default, x, shape[axis:], None, None, 1e-5
    yield aten._prelu_kernel_backward.default, y, x, laid_out(draw, shape)
    yield aten.log_sigmoid_forward.default, x
    yield aten.glu_backward.default, laid_out(draw, [n, a]), laid_out(draw, [n, 2 * a]), 1
    yield aten.copy_.default, torch.rand(shape), x


def windows(draw, a, b, c, n):
    image = laid_out(draw, [n, a, 4 + b, 4 + c])
    pool = [draw.randint(2, 3)], [draw.randint(1, 2)], [draw.randint(0, 1)]
    yield aten.avg_pool2d.default, image, *pool
    yield aten.max_pool2d_with_indices.default, image, *pool
    yield aten.native_batch_norm.default, image, None, None, None, None, True, 0.1, 1e-5
    weight = torch.rand(2 * b, a, 2, 3)
    if draw.random() < 0.5:
        weight = weight.contiguous(memory_format=torch.channels_last)
    yield aten.convolution.default, image, weight, None, [1], [1], [1], False, [0], 1
    line, taps = laid_out(draw, [n, a, 5]), torch.rand(2, a, 3)
    yield aten.convolution.default, line, taps, None, [2], [1], [1], False, [0], 1


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**30), *[st.integers(1, 4)] * 3, st.integers(2, 3))
def test_the_other_rules_give_what_the_kernels_give(seed, a, b, c, n):
    draw = random.Random(seed)
    torch.manual_seed(seed)
    for call in (*products(draw, a, b, c, n), *windows(draw, a, b, c, n)):
        compare(*call)


def test_where_one_channel_makes_it_a_matter_of_taste_they_are_not_last():
    image = torch.rand(2, 3, 4, 5)
    assert not channels_last(image)
    assert channels_last(image.contiguous(memory_format=torch.channels_last))
    assert not channels_last(image[:, :1].contiguous(memory_format=torch.channels_last))
    volume = torch.rand(2, 3, 4, 5, 6).contiguous(memory_format=torch.channels_last_3d)
    assert channels_last(volume)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 0, 1), (1, 2, 0)])
def test_a_permuted_result_can_be_viewed_as_its_operand_can(order):
    # x + 1 lies as x does: undone, the permutation leaves it whole
    x = on_meta(torch.rand(2, 3, 4).permute(order))
    back = [order.index(i) for i in range(3)]
    assert infer("aten::add", "Scalar", (x, 1), {}).permute(back).is_contiguous()
