"""Where a tensor lives while a network is counted: floats on meta, integers and constants real."""

import pytest
import torch
from flopledger.counting.shapes.meta_devices import (
    GivenReal,
    IntegersReal,
    on_one_device,
    tensors_in,
)

META = torch.empty(2, 3, device="meta")
REAL = torch.tensor([[1, 0, 2]])


def made(function):
    with torch.device("meta"), GivenReal(), IntegersReal():
        return function()


@pytest.mark.parametrize(
    ("function", "on_meta"),
    [
        (lambda: torch.zeros(2, 3), True),
        (lambda: torch.empty(2, 3), True),
        (lambda: torch.rand(2, 3), True),
        (lambda: torch.randn(2, 3), True),
        (lambda: torch.eye(3), True),
        (lambda: torch.full((2, 3), 0.5), True),
        (lambda: torch.zeros(2, 3, dtype=torch.complex64), True),
        (lambda: torch.full((2, 3), 1, dtype=torch.float32), True),
        # integers and booleans are read by code
        (lambda: torch.zeros(2, 3, dtype=torch.int64), False),
        (lambda: torch.ones(2, 3, dtype=torch.bool), False),
        (lambda: torch.full((2, 3), 7), False),
        (lambda: torch.arange(5), False),
        # so are constants, where they are small
        (lambda: torch.ones(2, 3), False),
        (lambda: torch.linspace(0.0, 1.0, 5), False),
        (lambda: torch.logspace(0.0, 1.0, 5), False),
        (lambda: torch.arange(0.0, 5.0), False),
        (lambda: torch.ones(2**20), False),
        (lambda: torch.ones(2, 2**19 + 1), True),
        (lambda: torch.linspace(0.0, 1.0, 2**20), False),
        (lambda: torch.linspace(0.0, 1.0, 2**20 + 1), True),
        (lambda: torch.logspace(0.0, 1.0, 2**20 + 1), True),
        (lambda: torch.arange(2.0**20), False),
        (lambda: torch.arange(2.0**20 + 1), True),
        (lambda: torch.arange(7.0, 2.0**20 + 7), False),
        (lambda: torch.arange(7.0, 2.0**20 + 8), True),
        (lambda: torch.arange(0.0, 2.0**21, 2.0), False),
        (lambda: torch.arange(0.0, 2.0**20, 0.5), True),
        # what is given is known
        (lambda: torch.tensor([1.5, 2.5]), False),
        (lambda: torch.as_tensor([1.5, 2.5]), False),
        (lambda: torch.tensor([1.5], device="meta"), True),
        (lambda: torch.zeros(2, 3, device="cpu"), False),
    ],
)
def test_where_a_tensor_is_made(function, on_meta):
    assert made(function).is_meta == on_meta


def test_constants_have_their_values():
    assert made(lambda: torch.arange(2.0, 4.0)).tolist() == [2, 3]
    assert made(lambda: torch.ones(2) + torch.tensor([1.0, 2.0])).tolist() == [2, 3]


def test_what_mixes_the_two_goes_to_meta():
    args, kwargs = on_one_device("aten::mul", (META, REAL), {"other": REAL, "alpha": 2})
    assert all(t.is_meta for t in (*args, kwargs["other"]))
    assert kwargs["alpha"] == 2
    assert args[1].dtype is torch.int64


def test_what_is_of_one_kind_stays():
    for args in ((META, META), (REAL, REAL)):
        assert on_one_device("aten::mul", args, {}) == (args, {})
    # lengths and masks are read by what takes them
    args = (META, REAL)
    assert on_one_device("aten::masked_select", args, {})[0] is args
    assert on_one_device("aten::_pack_padded_sequence", args, {})[0] is args
    assert on_one_device("aten::view", (3,), {"a": 1}) == ((3,), {"a": 1})


def test_a_device_that_is_asked_for_is_where_its_kin_is():
    moved = on_one_device("aten::_to_copy", (META,), {"device": torch.device("cpu")})
    assert moved == ((META,), {"device": torch.device("meta")})
    moved = on_one_device("aten::_to_copy", (REAL,), {"device": torch.device("meta")})
    assert moved == ((REAL,), {"device": torch.device("cpu")})
    assert on_one_device("aten::_to_copy", (REAL,), {"device": None})[1] == {"device": None}


def test_integers_like_a_shape_are_numbers_all_the_same():
    args, kwargs = on_one_device("aten::zeros_like", (META,), {"dtype": torch.int64})
    assert (args, kwargs) == ((META,), {"dtype": torch.int64, "device": torch.device("cpu")})


def test_a_histogram_of_integers_is_one_of_floats():
    args, _ = on_one_device("aten::histc", (REAL, 3), {})
    assert args[0].dtype is torch.float32
    assert args[0].tolist() == REAL.tolist()
    assert args[1] == 3
    known = torch.zeros(2)
    assert on_one_device("aten::histc", (known, 3), {})[0][0] is known


def test_known_values_are_not_overwritten_by_unknown_ones():
    with pytest.raises(RuntimeError, match="aten::add_ writes values on the meta device"):
        on_one_device("aten::add_", (torch.zeros(2, 3), META), {})
    assert on_one_device("aten::add_", (META, REAL), {})[0][1].is_meta


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8])
def test_a_mask_that_indexes_becomes_positions(dtype):
    mask = torch.tensor([[1, 0, 1], [0, 1, 0]], dtype=dtype)
    (_, (rows, columns)), _ = on_one_device("aten::index", (META, [mask]), {})
    assert rows.is_meta
    assert rows.shape == columns.shape == (3,)
    # no mask, and one without values, stand as they are
    (_, indices), _ = on_one_device("aten::index", (META, [None, REAL[0]]), {})
    assert indices[0] is None
    assert indices[1].shape == (3,)
    unknown = mask.to("meta")
    (_, indices), _ = on_one_device("aten::index_put", (META, (unknown, REAL)), {})
    assert indices[0] is unknown


def test_tensors_are_found_one_list_deep():
    tensors = tensors_in(META, 3, [REAL, None, META], (META,), "a")
    assert [t is META for t in tensors] == [True, False, True, True]


def test_what_is_given_by_name_counts_as_well():
    (x,), kwargs = on_one_device("aten::mul", (META,), {"other": REAL})
    assert x.is_meta
    assert kwargs["other"].is_meta
    (x,), kwargs = on_one_device("aten::mul", (REAL,), {"other": META})
    assert x.is_meta
    assert kwargs["other"] is META
