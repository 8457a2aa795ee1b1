"""A network that fails at sizes of its own, in a file as a user would have it."""

import pytest

from profiler.sweeping.rows import Point

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


@pytest.fixture(scope="package")
def network(tmp_path_factory):
    """FILE.py:Net."""
    path = tmp_path_factory.mktemp("nets") / "net.py"
    path.write_text(NETWORK)
    return f"{path}:Net"


@pytest.fixture(scope="package")
def points(network):
    """Points of that network at some sizes; its MACs are size^2 x 9 x 3 x 4."""

    def make(*sizes, **kwargs):
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
