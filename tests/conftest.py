"""What every test is held to, and the golden files' switch."""

import ast
import gc
import os
import signal
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from flopledger.cli.main import main

LIBRARY = Path(__file__).parent.parent / "profiler" / "flopledger"

# workers of pytest-xdist share the cores: threads of one wait for those of another
os.environ.setdefault("OMP_NUM_THREADS", "1")

# a shell has what it starts in the background ignore Ctrl-C, which tests send
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes says how busy the machine is, not whether the code is right
hypothesis.settings.register_profile("flopledger", deadline=None)
hypothesis.settings.load_profile("flopledger")


# a network that fails at sizes of its own, in a file as a user would have it
NETWORK = '''
import os, sys, time
import torch
from torch import nn

print("this file was run")


class Net(nn.Module):
    """A 3 x 3 convolution, and at some sizes something else."""

    def __init__(self, fails=0, how="", slow=0.0):
        super().__init__()
        self.conv, self.fails, self.how, self.slow = nn.Conv2d(3, 4, 3, padding=1), fails, how, slow

    def forward(self, x):
        print("a pass")
        time.sleep(self.slow)
        if x.shape[-1] == self.fails:
            if self.how == "exit":
                os._exit(3)
            if self.how == "exit quietly":
                os._exit(0)
            if self.how == "kill":
                os.kill(os.getpid(), 9)
            if self.how == "leave":
                sys.exit("bye")
            if self.how == "memory":
                raise MemoryError
            if self.how == "allocate":
                torch.zeros(2**50)
            if self.how == "hang":
                time.sleep(3600)
            raise ValueError("of all sizes, this one")
        return self.conv(x)
'''


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items):
    """A worker runs whole files (--dist loadgroup), and one worker what counts every run.

    Workers that count the same networks at once would each do so.
    """
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


def pytest_collection():
    """What is imported stays: the collector of cycles need not go through it again and again."""
    gc.disable()


def pytest_collection_finish():
    """Nor later; what tests make is searched."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(100_000, 50, 100)  # most of what a test makes is gone with it


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


@pytest.fixture(scope="session", autouse=True)
def _quick_peaks():
    """What this machine does at most is measured on little: no test asks how fast it is."""
    from flopledger.clock import device_peaks

    with pytest.MonkeyPatch.context() as patch:
        for name, little in {"_SIZES": (64,), "_COPIED": 1 << 16, "_TRIES": 1}.items():
            patch.setattr(device_peaks, name, little)
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


@pytest.fixture
def run(capsys):
    """Run a command line; its exit code, what it wrote to stdout, and its lines on stderr."""

    def call(*words):
        with pytest.raises(SystemExit) as stop:
            main(words)
        printed = capsys.readouterr()
        return stop.value.code, printed.out, printed.err.splitlines()

    return call


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """FILE.py:Net."""
    path = tmp_path_factory.mktemp("nets") / "net.py"
    path.write_text(NETWORK)
    return f"{path}:Net"


@pytest.fixture(scope="session")
def points(network):
    """Points of that network at some sizes; its MACs are size^2 x 9 x 3 x 4."""

    def make(*sizes, **kwargs):
        from flopledger.sweeping.rows import Point

        return [
            Point(
                model=network,
                sizes={"N": n},
                inputs=(f"1,3,{n},{n}",),
                kwargs=tuple(f"{name}={value}" for name, value in kwargs.items()),
            )
            for n in sizes
        ]

    return make


@cache
def _file_of(module: str) -> Path | None:
    path = LIBRARY.joinpath(*module.split(".")[1:])
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)


def _runs_at_import(node: ast.AST):
    """The statements that run when a module is imported: no function's body, no type checker's."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _runs_at_import(child)


@cache
def _imports(file: Path) -> frozenset[str]:
    """The modules that this file imports when it is imported, by their full names."""
    modules = set()
    for node in _runs_at_import(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner.startswith("flopledger.") and _file_of(inner)
                modules.add(inner if is_module else node.module)
    return frozenset(modules)


def _reached(file: Path) -> dict[str, list[str]]:
    """Every module that importing this file imports, with the way to it."""
    ways: dict[str, list[str]] = {}
    waiting = [(name, [name]) for name in _imports(file)]
    while waiting:
        name, way = waiting.pop()
        if name in ways:
            continue
        ways[name] = way
        inner = _file_of(name) if name.startswith("flopledger.") else None
        waiting += [(further, [*way, further]) for further in (_imports(inner) if inner else ())]
    return ways


@pytest.fixture(scope="session")
def imports():
    """The modules that a file imports when it is imported."""
    return _imports


@pytest.fixture(scope="session")
def reached():
    """Every module that importing a file imports, and the way to each."""
    return _reached


def pytest_terminal_summary(terminalreporter):
    """One line on the networks that were held against published figures."""
    reports = [r for group in ("passed", "failed") for r in terminalreporter.stats.get(group, [])]
    architectures = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == "architecture"
    ]
    if architectures:
        name, worst = max(architectures, key=lambda architecture: architecture[1])
        terminalreporter.write_line(
            f"{len(architectures)} architectures held against published figures; beyond their "
            f"rounding the worst deviates by {worst:.2%}" + (f" ({name})" if worst else "")
        )
