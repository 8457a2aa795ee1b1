"""What every test is held to, and the golden files' switch."""

import os

import pytest

# workers of pytest-xdist share the cores: threads of one wait for those of another
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory, worker_id):
    """Profiles are remembered for this run of the tests alone, by all its workers together."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield


@pytest.fixture(autouse=True)
def _no_trace_left():
    """No hook, mode, trace or changed default outlives a test."""
    yield
    import torch
    from torch.utils._python_dispatch import _len_torch_dispatch_stack

    assert _len_torch_dispatch_stack() == 0
    assert torch._C._get_tracing_state() is None
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() is torch.float32
    assert torch.get_default_device() == torch.device("cpu")
    assert not torch.nn.modules.module._global_forward_hooks
    assert not torch.nn.modules.module._global_forward_pre_hooks


def pytest_terminal_summary(terminalreporter):
    """One line on the networks that were held against published figures."""
    reports = [r for group in ("passed", "failed") for r in terminalreporter.stats.get(group, [])]
    found = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "architecture"
    ]
    if found:
        name, worst = max(found, key=lambda one: one[1])
        terminalreporter.write_line(
            f"{len(found)} architectures held against published figures; beyond their rounding "
            f"the worst deviates by {worst:.2%}" + (f" ({name})" if worst else "")
        )
