"""What every registered model is held to, unasked."""

import pytest
import torch
from flopledger import find_model, list_models, profile
from flopledger.counting.dispatch import dispatch_counter
from flopledger.counting.subject import built
from flopledger.zoo.published import contradictions, held_against
from torch.utils._pytree import tree_leaves

NAMES = [listing.name for listing in list_models()]
zoo = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def counted_whole():
    """Each model's profile with its backward pass, and its state before and after the count."""
    counts = {}

    def count(name):
        if name not in counts:
            spec = find_model(name)
            module = built(name, spec.factory)
            before = _state(module)
            counts[name] = profile(module, spec.inputs(), backward=True), before, _state(module)
        return counts[name]

    return count


@pytest.fixture
def counted(counted_whole):
    """A model's profile."""
    return lambda name: counted_whole(name)[0]


@zoo
def test_both_counters_agree_and_nothing_is_uncounted(name, counted):
    count = counted(name)
    assert count.check.agrees, count.check
    assert count.complete, count.unsupported()
    assert count.unused == ()
    assert count.uncalled() == []


@zoo
def test_published_figures_hold_or_their_difference_is_explained(name, counted):
    rows = held_against(find_model(name), counted(name))
    assert contradictions(rows) == []


@zoo
def test_the_tables_sum_to_the_totals(name, counted):
    count = counted(name)
    for table in (count.by_layer(), count.by_layer(1), count.by_kind()):
        for column in ("params", "macs", "flops", "other_flops", "activations"):
            assert table[column].sum() == count.total(column)
    for column in ("macs", "flops", "other_flops"):
        assert count.by_operator()[column].sum() == count.total(column)


@zoo
def test_the_work_grows_with_the_batch(name, counted):
    spec = find_model(name)
    three = tuple(torch.cat([x] * 3) for x in spec.inputs())
    calls = dispatch_counter.count(built(name, spec.factory), three, {})
    assert sum(call.macs for call in calls) == 3 * counted(name).total("macs")


@zoo
def test_the_spec_says_what_it_is(name):
    spec = find_model(name)
    assert len(spec.axes) == len(spec.inputs())
    for axes, example in zip(spec.axes, spec.inputs(), strict=True):
        # a remark in brackets may hold commas of its own
        bare = "".join(part.rpartition(")")[2] for part in axes.split("(")) if "(" in axes else axes
        assert len(bare.split(",")) == example.dim()
        assert example.shape[0] == 1
    assert spec.year
    assert spec.paper
    assert spec.description.endswith(".")
    for figure in spec.published:
        assert figure.source


@zoo
def test_a_real_forward_pass_gives_finite_numbers(name):
    spec = find_model(name)
    torch.manual_seed(0)
    module = spec.factory().eval()
    # a text's first tokens are as good as a thousand
    inputs = [x if x.is_floating_point() else x[:, :64] for x in spec.inputs()]
    with torch.no_grad():
        out = module(*inputs)
    assert all(torch.isfinite(t).all() for t in tree_leaves(out))


@zoo
def test_a_count_leaves_no_trace(name, counted_whole):
    _, before, after = counted_whole(name)
    assert after == before


def _state(module):
    tensors = {name: id(t) for name, t in (*module.named_parameters(), *module.named_buffers())}
    children = [
        (path, child.training, set(vars(child)), len(child._forward_hooks),
         len(child._forward_pre_hooks))
        for path, child in module.named_modules()
    ]  # fmt: skip
    return tensors, children, [p.grad for p in module.parameters()]
