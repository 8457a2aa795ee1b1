"""The collector of cycles is paused, and goes on as it was."""

import gc

import pytest
from flopledger.counting.shapes.garbage import collected, uncollected


def test_it_is_paused_and_goes_on_where_values_are():
    with uncollected():
        assert not gc.isenabled()
        with uncollected(), collected():
            assert not gc.isenabled()  # one pause of two is lifted
        with collected():
            assert gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_exception():
    with pytest.raises(ArithmeticError), uncollected(), collected():
        raise ArithmeticError
    assert gc.isenabled()


def test_what_somebody_else_has_turned_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            with collected():
                assert not gc.isenabled()
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
