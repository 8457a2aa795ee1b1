"""Letters, sizes and grids."""

import pytest
from flopledger.sweeping.axes import Axis, WrongSweep, filled, grid, parse_axis, spans
from flopledger.zoo.inputs import WrongInputs
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("N=128", (128,)),
        ("N=128,160, 224", (128, 160, 224)),
        ("N=3:6", (3, 4, 5)),
        ("N=128:289:32", (128, 160, 192, 224, 256, 288)),
        ("N=8,1:4,8,2", (8, 1, 2, 3)),
    ],
)
def test_sizes(text, sizes):
    assert parse_axis(text) == Axis(letter="N", sizes=sizes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("128", "say LETTER=SIZES"),
        ("=128", "say LETTER=SIZES"),
        ("2N=128", "say LETTER=SIZES"),
        ("N=", "'' is no size"),
        ("N=a", "'a' is no size"),
        ("N=-1", "'-1' is no size"),
        ("N=1.5", "'1.5' is no size"),
        ("N=1:2:3:4", "'1:2:3:4' is no size"),
        ("N=0", "from 1 up"),
        ("N=1:9:0", "from 1 up"),
        ("N=5:5", "no sizes"),
        ("params=5", "a column of its own"),
        ("N=9:5", "no sizes"),
        ("N=1:1000000", "more than 100,000 sizes"),
        ("N=" + "9" * 40, "is no size"),
    ],
)
def test_no_sizes(text, complaint):
    with pytest.raises(WrongSweep, match=complaint):
        parse_axis(text)


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 99), st.integers(1, 9)), min_size=1))
def test_ranges_are_pythons(parts):
    text = "T=" + ",".join(f"{a}:{a + more}:{step}" for a, more, step in parts)
    sizes = dict.fromkeys(n for a, more, step in parts for n in range(a, a + more, step))
    if sizes:
        assert parse_axis(text).sizes == tuple(sizes)
    else:
        with pytest.raises(WrongSweep):
            parse_axis(text)


@given(st.text(max_size=20))
def test_anything_else_is_refused_in_one_line(text):
    try:
        axis = parse_axis(text)
    except WrongSweep as error:
        assert str(error).startswith("--over")
    else:
        assert axis.sizes
        assert min(axis.sizes) > 0


def test_letters_are_filled_in():
    assert filled("1,3,N,N", {"N": 64}) == "1,3,64,64"
    assert filled("ids=B, T:int64", {"B": 2, "T": 9}) == "ids=2,9:int64"
    assert filled("N=1,N", {"N": 7}) == "N=1,7"  # an argument may be called N
    assert (spans("1,3,N,N", "N"), spans("1,3,N,320", "N"), spans("x=B,N", "M")) == (2, 1, 0)


def test_a_grid_has_every_model_at_every_size():
    axes = [parse_axis("B=1,2"), parse_axis("N=32,64,96")]
    points = grid(["a", "b"], ["B,3,N,N", "B,5"], axes, ["depth=3"], "dispatch")
    assert len(points) == len({point.key for point in points}) == 2 * 2 * 3
    second = points[1]
    assert (second.model, second.sizes) == ("a", {"B": 1, "N": 64})
    assert second.inputs == ("1,3,64,64", "1,5")
    assert (second.kwargs, second.counter, second.size) == (("depth=3",), "dispatch", "B=1, N=64")
    assert points[-1].inputs == ("2,3,96,96", "2,5")
    assert len(grid(["a", "a"], ["1,N"], [parse_axis("N=1")])) == 1


@pytest.mark.parametrize(
    ("inputs", "over", "complaint"),
    [
        (["1,3,N,N"], ["M=1"], "no --input has an axis M"),
        ([], ["N=1"], "no --input has an axis N"),
        (["1,3,N,N"], ["N=1", "N=2"], "given twice"),
        (["1,3,N,M"], ["N=1"], "M is not swept; give --over M=SIZES"),
        (["1,3,N,0"], ["N=1"], "'0' is not a size"),
        (["1,3,N:float12"], ["N=1"], "no dtype is called 'float12'"),
        (["A,B"], ["A=1:1001", "B=1:1001"], "more than 100,000 rows"),
    ],
)
def test_no_grid(inputs, over, complaint):
    with pytest.raises((WrongSweep, WrongInputs), match=complaint):
        grid(["a"], inputs, [parse_axis(text) for text in over])
