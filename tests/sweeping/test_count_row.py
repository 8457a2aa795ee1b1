"""One row's work: figures by hand, and whatever may go wrong."""

import gc

import pytest
from flopledger.sweeping.count_row import measured
from flopledger.sweeping.rows import Point


def test_a_rows_figures_by_hand(points, capsys):
    row = measured(points(8)[0])
    assert row.error is None
    assert (row.sizes, row.input, row.samples) == ({"N": 8}, "1x3x8x8 float32", 1)
    weights = 4 * (3 * 9) + 4
    assert (row.params, row.trainable_params) == (weights, weights)
    assert (row.macs, row.flops) == (8 * 8 * 9 * 3 * 4, 2 * 8 * 8 * 9 * 3 * 4)
    assert row.activations == 4 * 8 * 8
    assert row.flops_per_param == row.flops / weights
    assert (row.counter, row.agrees, row.uncounted) == ("fvcore", True, ())
    printed = capsys.readouterr()
    assert printed.out == ""  # stdout is the table's
    assert "a pass" in printed.err


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("", "it cannot take N=5: of all sizes, this one (stopped at layer"),
        ("leave", "it cannot take N=5: SystemExit: bye"),
        ("memory", "memory is too small"),
        ("allocate", "memory is too small"),
    ],
)
def test_a_failure_is_the_rows_own(points, how, complaint):
    (point,) = points(5, fails=5, how=how)
    row = measured(point)
    assert row.error.startswith(complaint)
    assert "\n" not in row.error
    assert (row.flops, row.agrees) == (None, None)


def _networks():
    """How many there are of classes of that name, other files' among them."""
    return sum(type(thing).__name__ == "Net" for thing in gc.get_objects())


def test_a_network_that_failed_is_not_held(points):
    gc.collect()
    gc.disable()  # so that nothing is collected but what the row's end asks for
    try:
        before = _networks()
        (point,) = points(5, fails=5)
        assert measured(point).error
        assert _networks() == before
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("model", "inputs", "complaint"),
    [
        ("alexnet", "1,3,128,128", "it cannot take N=128: mat1 and mat2 shapes cannot be multip"),
        ("alexnet", "2,2", "it cannot take N=128: "),
        ("timm:nosuch", "1,3,128,128", "timm has no model 'nosuch'"),
        ("nosuch:Net", "1,3,128,128", "no package is called 'nosuch'"),
        ("resnet5", "1,3,128,128", "no model is called 'resnet5'"),
    ],
)
def test_other_networks_failures(model, inputs, complaint):
    row = measured(Point(model=model, sizes={"N": 128}, inputs=(inputs,)))
    assert complaint in row.error


def test_a_file_is_run_once_and_options_reach_its_factory(points, capsys):
    for point in points(4, 6, slow=0.001):
        assert measured(point).error is None
    assert capsys.readouterr().err.count("this file was run") == 1
    (point,) = points(4, nope=1)
    assert "unexpected keyword argument 'nope'" in measured(point).error


def test_in_anothers_process_its_other_threads_may_connect(points):
    import socket
    import threading

    from flopledger.zoo.libraries import WrongSource
    from flopledger.zoo.sources import offline

    server = socket.create_server(("127.0.0.1", 0))
    address, connected = server.getsockname(), []

    def connect():
        socket.getaddrinfo(*address)
        with socket.create_connection(address):
            connected.append(True)

    with server:
        with offline(own_thread=True):
            with pytest.raises(WrongSource):
                socket.create_connection(address)
            thread = threading.Thread(target=connect)
            thread.start()
            thread.join()
        assert connected
        connect()
