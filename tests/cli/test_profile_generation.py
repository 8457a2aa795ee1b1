"""`flopledger profile --prefill --decode`: a token's cost, its formats, and what is refused."""

import csv
import io
import json

import pytest

ATTEND = """
import torch
from torch import nn
from torch.nn import functional as F


class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(50, 16), nn.Linear(16, 50)

    def forward(self, ids, past=None):
        x = self.table(ids)
        keys = x if past is None else torch.cat([past, x], 1)
        y = F.scaled_dot_product_attention(x, keys, keys, is_causal=past is None)
        return self.head(y), keys


class Forgets(Attend):
    def forward(self, ids, past=None):
        return super().forward(ids)[0]


def arguments(batch, tokens, last):
    ids = torch.ones(batch, tokens, dtype=torch.int64)
    return (ids,) if last is None else (ids, last[1])


def alone(batch, tokens, last):
    return torch.ones(batch, tokens, dtype=torch.int64)


def wrong(batch):
    return batch
"""
HEAD, PAIR = 16 * 50, 2 * 16


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("attend") / "attend.py"
    path.write_text(ATTEND)
    return path


@pytest.fixture
def asked(file, run):
    def of(*words, name="Attend", inputs="arguments"):
        return run("profile", f"{file}:{name}", "--inputs", f"{file}:{inputs}", *words)

    return of


def test_json_has_every_pass(asked):
    code, out, err = asked("--prefill", "6", "--decode", "5", "--batch", "2", "--format", "json")
    whole = json.loads(out)
    passes = {row["pass"]: row for row in whole["passes"]}
    steps = [2 * (HEAD + PAIR * (n + 1)) for n in range(6, 11)]
    assert (code, err) == (0, [])
    assert passes["prompt"]["macs"] == 2 * (6 * HEAD + PAIR * 36)
    assert passes["prompt"]["needed_macs"] == 2 * (6 * HEAD + PAIR * 21)
    assert passes["first new token"]["macs"] == steps[0]
    assert passes["last new token"]["macs"] == steps[-1]
    assert passes["all new tokens"]["macs"] == sum(steps)
    assert whole["cache"] == [
        {"tokens": n, "bytes": 2 * n * 64, "paged_bytes": 2 * n * 64} for n in (6, 11)
    ]
    law = next(law for law in whole["laws"] if law["quantity"] == "macs")
    assert law["coefficients"] == {"1": 2 * PAIR, "0": 2 * (HEAD + PAIR)}
    assert all(check["agrees"] for check in whole["checks"])


def test_several_models_are_a_list(file, run):
    models = [f"{file}:Attend"] * 2
    words = ("--inputs", f"{file}:arguments", "--prefill", "2", "--format", "json")
    code, out, _ = run("profile", *models, *words)
    assert (code, [len(own["passes"]) for own in json.loads(out)]) == (0, [1, 1])


def test_a_prompt_alone(asked):
    code, out, _ = asked("--prefill", "6", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (code, row["pass"], int(row["macs"])) == (0, "prompt", 6 * HEAD + PAIR * 36)


def test_the_table_says_what_each_figure_means(asked):
    code, out, _ = asked("--prefill", "6", "--decode", "5", "--strict")
    assert code == 0
    assert "a prompt of 6 tokens and 5 new, counted by fvcore, dispatch agrees" in out
    assert "MACs of a new token = 32 n + 832, exactly, with n = 6 to 10 tokens cached" in out


def test_on_a_device_at_most(asked):
    words = ("--prefill", "6", "--decode", "5", "--on", "l4", "--utilisation", "0.4")
    code, out, err = asked(*words)
    assert (code, err) == (0, [])
    assert "on l4, float32 at 40.0% of its peaks (assumed): the prompt takes at least" in out
    assert "weights and cache fit" in out
    _, out, _ = asked(*words, "--format", "json")
    (limits,) = json.loads(out)["limits"]
    assert limits["device"]["name"] == "l4"
    assert limits["held_bytes"] == 4 * (2 * HEAD + 50) + 11 * 64


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--on", "l5"], "no device is called 'l5'"),
        (["--on", "l4", "--dtype", "fp64"], "float64"),
        (["--on", "l4", "--dtype", "int8"], "with --prefill say bf16, fp16 or fp32"),
        (["--on", "l4", "--format", "svg"], "--on with --prefill is shown by --format table, json"),
        (["--on", "l4", "--fused"], "leave --fused out"),
    ],
)
def test_a_device_that_does_not_fit_is_refused(words, complaint, asked):
    code, _, (line,) = asked("--prefill", "6", *words)
    assert code == 2
    assert complaint in line


@pytest.mark.parametrize(
    ("form", "begins"),
    [("markdown", "## "), ("html", "<!DOCTYPE"), ("latex", r"\begin{table}"), ("chrome", "{")],
)
def test_further_formats(form, begins, asked):
    code, out, _ = asked("--prefill", "3", "--decode", "1", "--format", form)
    assert code == 0
    assert out.startswith(begins)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--prefill", "0"], "--prefill 0 is too small; give 1 or more"),
        (["--prefill", "4", "--decode", "-1"], "--decode -1 is too small; give 0 or more"),
        (["--prefill", "4", "--batch", "0"], "--batch 0 is too small; give 1 or more"),
        (["--prefill", "4.5"], "'--prefill'"),
        (["--decode", "4"], "give --prefill, too"),
        (["--prefill", "4", "--memory"], "leave --memory out"),
        (["--prefill", "4", "--input", "1,4"], "leave --input out"),
    ],
)
def test_what_is_no_number_of_tokens_is_refused(words, complaint, asked):
    code, out, (line,) = asked(*words)
    assert (code, out) == (2, "")
    assert complaint in line


def test_a_model_without_a_cache_is_refused(asked, run):
    code, _, (line,) = run("profile", "gpt2", "--prefill", "4", "--decode", "2")
    assert code == 2
    assert "its forward takes no cache" in line
    code, _, (line,) = asked("--prefill", "4", name="Forgets", inputs="alone")
    assert code == 2
    assert "it keeps no cache" in line


def test_a_wrong_function_of_arguments_is_refused(asked):
    code, _, (line,) = asked("--prefill", "4", inputs="wrong")
    assert code == 2
    assert "the function takes (batch, tokens, last)" in line
    code, _, (line,) = asked("--prefill", "4", inputs="nothing")
    assert code == 2
    assert "it has no 'nothing'" in line


def test_a_prompt_beyond_the_positions_is_refused(run, tmp_path):
    pytest.importorskip("transformers")
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 8, "n_layer": 1,
              "n_head": 1, "vocab_size": 9}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    for words, tokens in (
        (["--prefill", "1100"], "1,100"),
        (["--prefill", "1000", "--decode", "25"], "1,025"),
    ):
        code, _, (line,) = run("profile", f"hf:{tmp_path}", *words)
        assert code == 2
        assert f"has positions for 1,024 tokens, not for {tokens}" in line
    for tokens in (1100, 2048):  # without a cache, too
        code, _, (line,) = run("profile", f"hf:{tmp_path}", "--input", f"1,{tokens}:int64")
        assert code == 1
        assert "wpe" in line
