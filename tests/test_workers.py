"""How the tests are given out to pytest-xdist's workers."""


def test_a_worker_runs_whole_files(request):
    # by loadgroup, what stands behind the last @ of a test's name is its group
    if request.config.getoption("loadgroup", default=False):
        name, _, group = request.node.nodeid.rpartition("@")
        assert group == "tests/test_workers.py" == name.partition("::")[0]
