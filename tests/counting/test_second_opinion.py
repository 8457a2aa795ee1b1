"""Which of two counters the tables are made of, and what the other one's figure is worth."""

import pytest
from flopledger.calls import OpCall
from flopledger.counting.attempts import Attempt
from flopledger.counting.second_opinion import check_of, main_of, reason_of, trusted


def call(path="a", **fields):
    return OpCall(path=path, op="mine::op", inputs=(), outputs=(), **fields)


def attempt(counter, *calls):
    return Attempt(counter=counter, calls=calls)


WHOLE, PART = call(macs=6), call(macs=5, counted=False)
STOPPED = RuntimeError("no such thing\nand more")


@pytest.mark.parametrize(
    ("counter", "fvcore", "dispatch", "main"),
    [
        ("auto", WHOLE, WHOLE, "fvcore"),
        ("auto", PART, WHOLE, "dispatch"),
        ("auto", PART, PART, "fvcore"),
        ("auto", None, PART, "dispatch"),
        ("auto", WHOLE, None, "fvcore"),
        ("auto", None, None, "dispatch"),  # what stopped it is the network's own word
        ("fvcore", None, None, "dispatch"),
        ("fvcore", None, WHOLE, "fvcore"),
        ("fvcore", PART, WHOLE, "fvcore"),
        ("dispatch", WHOLE, None, "dispatch"),
    ],
)
def test_the_counter_asked_for_or_the_one_that_counted_more(counter, fvcore, dispatch, main):
    def made(name, calls):
        return Attempt(counter=name, error=STOPPED) if calls is None else attempt(name, calls)

    pair = (made("fvcore", fvcore), made("dispatch", dispatch))
    chosen, other = main_of(counter, *pair)
    assert chosen.counter == main
    assert {chosen.counter, other.counter} == {"fvcore", "dispatch"}


def test_the_reason_names_what_decided():
    whole, part = attempt("dispatch", WHOLE), attempt("fvcore", PART)
    stopped = Attempt(counter="fvcore", error=STOPPED)
    good = attempt("fvcore", WHOLE)
    lame = Attempt(counter="dispatch", error=STOPPED)
    assert reason_of(whole, stopped, whole) == (
        "auto: fvcore cannot trace it (RuntimeError: no such thing)"
    )
    assert reason_of(whole, part, whole) == "auto: fvcore's trace has mine::op, without a formula"
    assert reason_of(good, good, lame) == (
        "auto: dispatch cannot count it (RuntimeError: no such thing)"
    )
    assert reason_of(good, good, whole) == "auto: fvcore can trace it"


def test_equal_totals_agree_wherever_they_lie():
    check = check_of(
        attempt("fvcore", call("a", macs=6)),
        attempt("dispatch", call("b", macs=4), call("c", macs=2), call("a", macs=9, backward=True)),
    )
    assert (check.counter, check.macs, check.agrees) == ("dispatch", 6, True)


def test_other_totals_differ_at_those_layers():
    check = check_of(
        attempt("fvcore", call("", macs=1), call("b", macs=2), call("c", macs=3)),
        attempt("dispatch", call("", macs=2), call("b", macs=2), call("c", macs=5)),
    )
    assert (check.macs, check.agrees) == (2 + 2 + 5, False)
    assert check.reason == "they differ at its top, c"


def test_where_the_other_counter_lacks_a_formula_nothing_is_said():
    check = check_of(attempt("dispatch", WHOLE), attempt("fvcore", PART))
    assert (check.counter, check.macs) == ("fvcore", None)
    assert check.agrees is None  # not False: it neither agrees nor disagrees
    assert check.reason == "it has no formula for mine::op, and counts 5 MACs without"
    more = check_of(attempt("dispatch", call(macs=4)), attempt("fvcore", PART))
    assert more.agrees is False  # what it counts without is too much already


def test_a_counter_that_was_stopped_says_why():
    stopped = check_of(attempt("dispatch", WHOLE), Attempt(counter="fvcore", error=STOPPED))
    assert (stopped.agrees, stopped.reason) == (None, "RuntimeError: no such thing")


def test_a_counter_that_was_not_asked_says_nothing():
    whole, silent = attempt("dispatch", WHOLE), Attempt(counter="fvcore")
    assert main_of("auto", silent, whole) == (whole, silent)
    assert reason_of(whole, silent, whole) == "dispatch alone, as asked"
    check = check_of(whole, silent)
    assert (check.macs, check.agrees, check.reason) == (None, None, "not asked for")


def test_a_trace_that_lost_gradients_is_not_trusted_where_the_two_differ():
    trace, six = attempt("fvcore", call(macs=5)), call(macs=6)
    taken = Attempt(counter="dispatch", calls=(six,), gradients=True)
    untold = trusted(trace, taken)
    assert (untold.counter, untold.calls) == ("fvcore", None)
    assert "gradients are taken in forward" in str(untold.error)
    assert trusted(attempt("fvcore", six), taken).error is None
    assert trusted(trace, attempt("dispatch", six)).error is None
