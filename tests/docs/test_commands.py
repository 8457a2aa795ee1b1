"""Every command and every block of Python that README and docs show is run, on small networks."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from flopledger.cli.main import app, main

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text() for page in PAGES}
VERBS = typer.main.get_command(app).commands
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ENDS = re.compile(r" #| \| | >> ")  # of a command's own words

# networks of the docs, and what stands for them here: files that pages do not write themselves
NETWORKS = """
import torch
from torch import nn


def Net(width=4, dynamic_img_size=True):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


def Tokens():
    return Sums()


class Sums(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(9, 4), nn.Linear(4, 9)

    def forward(self, input_ids):
        return self.head(self.embedding(input_ids))


def batch():
    return torch.zeros(2, 3, 8, 8)


build = Net
"""
IMAGES = r"(timm|torchvision):\w+|alexnet|alphazero-go|vgg16|resnet\d+"
TOKENS = r"hf:llama/config.json|gpt2"

# the last of an option that is given twice is taken
SMALL = {
    "profile": "--repeats 1",
    "sweep": "--jobs 1",
    "selfplay": "--board 3 --blocks 1 --filters 4 --simulations 2 --games 1 --moves 2",
}
CARDS = "--prefill 2048 --decode 512 --on l40s --on h100-sxm --dtype bf16"
ON_CARDS = (
    f"hf:facts/configs/qwen3-30b-a3b.json {CARDS}",
    f"hf:facts/configs/qwen3-30b-a3b.json {CARDS} --batch 16",
    f"{CARDS} --batch 64",
    f"{CARDS} --batch 64 --utilisation 0.6",
)
# what needs a cluster, a report's time, or a training: the test that runs it, on little
ELSEWHERE = {
    "profile hf:facts/configs/gemma3-1b.json --prefill 2048 --decode 512 --kwargs dtype=bfloat16":
        "tests/cli/test_profile_generation.py",
    **{
        f"profile hf:facts/configs/llama3-8b.json {words}": "tests/cli/test_profile_generation.py"
        for words in ON_CARDS
    },
    "plan llama3-405b --on h100-sxm:16384 --utilisation 0.38..0.43 --goodput 0.9 --tensor 8 "
    "--pipeline 16": "tests/facts/test_published_trainings.py",
    "horizon digits --output build/horizon.jsonl": "tests/cli/test_horizon.py",
    "systems --from notable_ai_models.csv": "tests/cli/test_systems.py",
    "systems --domain games --since 2016": "tests/cli/test_systems.py",
    "systems --format svg --output field.svg": "tests/cli/test_systems.py",
    "systems --format csv --output mine.csv": "tests/cli/test_systems.py",
    "report": "tests/reports/test_report.py",
    "sweep resnet50 --input 1,3,N,N --over N=128:513:32 --scheduler tcp://host:8786":
        "tests/sweeping/test_on_dask.py",
    "train alexnet --dataset digits": "tests/cli/test_train.py",
    "train alphazero --game connect_four": "tests/cli/test_train.py",
    "tune --checkpoint build/train/alphazero-connect-four.pt --storage tune.db":
        "tests/cli/test_tune.py",
    "tune --checkpoint build/train/alphazero-connect-four.pt": "tests/cli/test_tune.py",
    "compare build/train/alexnet-digits-metered.toml "
    "build/train/alphazero-connect-four-metered.toml": "tests/cli/test_train.py",
}  # fmt: skip


def commands(text):
    """The arguments of flopledger in the blocks of a page, without what the shell does to them."""
    lines = [line for _, language, block in FENCED.findall(text) if not language
             for line in block.splitlines()]  # fmt: skip
    lines += re.findall(r"^    (flopledger .*)$", FENCED.sub("", text), flags=re.MULTILINE)
    stripped = [line.strip().removeprefix("$ ") for line in lines]
    return [ENDS.split(line)[0].removeprefix("flopledger ").strip()
            for line in stripped if line.startswith("flopledger ")]  # fmt: skip


def in_passing(text):
    """Those between backticks, in a sentence."""
    quoted = re.findall(r"`flopledger ([a-z]+ [^`]+)`", FENCED.sub("", text))
    return [ENDS.split(" ".join(words.split()))[0] for words in quoted]


def files_of(text):
    """What a page tells to save, by the name that it gives: `net.py`, then the block."""
    named = r"`([\w-]+\.(?:py|toml))`[^`]*\n\n```(?:python|toml)\n(.*?)^```$"
    return dict(re.findall(named, text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if "flopledger " in text])
def test_the_command_line_takes_every_command(name):
    for command in commands(TEXTS[name]) + in_passing(TEXTS[name]):
        verb, *words = shlex.split(command)
        if verb == "train" and words:
            VERBS[verb].commands[words[0]].make_context(words[0], words[1:])
        else:
            VERBS[verb].make_context(verb, words)


def small(command):
    """The command's words, on networks of this test in place of the zoo's and of libraries'."""
    verb, *words = shlex.split(command)
    if verb in ("profile", "sweep", "diff"):
        words = [re.sub(f"^({IMAGES})$", "nets.py:Net", word) for word in words]
        words = [re.sub(f"^({TOKENS})$", "nets.py:Tokens", word) for word in words]
        words = [re.sub(r"^1,T$", "1,T:int64", word) for word in words]
        words = [re.sub(r"=\d+:\d+:\d+$", "=16,24,32", word) for word in words]
        held_against = verb == "diff" and any(word.endswith(".json") for word in words)
        if not held_against and "--input" not in words and "--inputs" not in words:
            words += ["--input", "1,8:int64" if "nets.py:Tokens" in words else "1,3,16,16"]
    return [verb, *words, *SMALL.get(verb, "").split()]


def test_what_is_run_elsewhere_is_run_there():
    shown = {command for text in TEXTS.values() for command in commands(text)}
    assert set(ELSEWHERE) <= shown
    assert all((ROOT / file).is_file() for file in ELSEWHERE.values())


def test_every_command_ends_well(tmp_path, monkeypatch, capsys):
    """Status 3 is well, too: the limit of a diff is there to be exceeded."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    for file in ("nets.py", "my/file.py", "my_package/nets.py", "mymodels/net.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(NETWORKS)
    ran, failed = set(ELSEWHERE), []
    for text in TEXTS.values():
        for file, content in files_of(text).items():
            (tmp_path / file).write_text(content)
        for command in commands(text):
            if command in ran:
                continue
            ran.add(command)
            with pytest.raises(SystemExit) as ended:
                main(small(command))
            if ended.value.code not in (0, 3):
                failed.append((command, capsys.readouterr().err))
    assert failed == []


def expected(code):
    """What a block says that it prints: beside a print, or in lines of comment after it."""
    found = re.findall(r"^\s*print\(.*\)  # (.+)$|^# (.+)$", code, flags=re.MULTILINE)
    return [beside or after for beside, after in found]


# blocks that other tests run, and add up by hand
BY_HAND = {
    **dict.fromkeys("diff meter profile selfplay sweep training tune".split(), 1),
    "adding-a-model": 2,
    "python": 99,
}
BLOCKS = [(name, number, code)
          for name, text in TEXTS.items()
          for number, (_, language, code) in enumerate(
              block for block in FENCED.findall(text) if block[1] == "python")
          if number >= BY_HAND.get(name.removesuffix(".md"), 0)]  # fmt: skip


@pytest.mark.parametrize(("name", "number", "code"), BLOCKS)
def test_every_block_of_python_prints_what_it_says(
    name, number, code, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, f"{name}, block {number}", "exec"), {"__name__": "__main__"})
    lines = capsys.readouterr().out.splitlines()
    promised = expected(code)
    assert len(lines) == len(promised)
    for line, words in zip(lines, promised, strict=True):
        assert line.startswith(words.removesuffix("..."))
