"""Laps in other people's loops: real Trainers, and loggers that write down what they are told."""

import csv
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import flopledger
import pytest
import torch
from flopledger import callbacks, meter
from torch import nn

WIDTH, LAYERS, LENGTH, BATCH, WORDS = 8, 2, 6, 2, 11
# MACs of a forward pass of a GPT-2: in each block 12 width^2 a token for its layers and
# 2 length x width for attention, which is full; then the logits
FORWARD = BATCH * LENGTH * (LAYERS * (12 * WIDTH**2 + 2 * LENGTH * WIDTH) + WIDTH * WORDS)
# each product has two in the backward pass, towards either factor; 2 FLOPs a MAC
STEP = 2 * 3 * FORWARD


@pytest.fixture(scope="module", autouse=True)
def _mended():
    """Both Trainers import torchvision, which does not load beside a torch of another build."""
    from flopledger.zoo.libraries import imported

    imported("torchvision", "torchvision")


def gpt2():
    transformers = pytest.importorskip("transformers")
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=LENGTH, n_embd=WIDTH, n_layer=LAYERS, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config)


def texts(number):
    ids = torch.arange(number * LENGTH).reshape(number, LENGTH) % WORDS
    return [{"input_ids": row, "labels": row} for row in ids]


@pytest.fixture
def trainer_of(tmp_path):
    pytest.importorskip("accelerate")
    transformers = pytest.importorskip("transformers")

    def build(model=None, **options):
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path), max_steps=6, logging_steps=2, save_strategy="no",
            per_device_train_batch_size=BATCH, per_device_eval_batch_size=BATCH, use_cpu=True,
            report_to="none", disable_tqdm=True, **options,
        )  # fmt: skip
        trainer = transformers.Trainer(
            model=model,
            model_init=None if model else gpt2,
            args=arguments,
            train_dataset=texts(12),
            eval_dataset=texts(2),
            callbacks=[callbacks.transformers(model, peak=1e12)] if model else [],
        )
        if model is None:  # after the callback that prints, which takes out what it prints
            trainer.add_callback(callbacks.transformers(trainer.model, peak=1e12))
        return trainer

    return build


def test_a_gpt2_in_the_trainer_logs_its_laps_and_totals_by_hand(trainer_of, capsys):
    model = gpt2()
    trainer = trainer_of(model)
    trainer.train()
    *laps, end = trainer.state.log_history
    assert [lap["model_flops"] for lap in laps] == [2 * STEP] * 3
    for lap in laps:
        assert {"loss", "mfu", "tokens_per_second", "step"} <= set(lap)
        assert lap["mfu"] == pytest.approx(lap["model_flops"] / lap["seconds"] / 1e12)
        assert lap["tokens"] == 2 * BATCH * LENGTH
    assert (end["train_model_flops"], end["train_recomputed_flops"]) == (6 * STEP, 0)
    assert 0 < end["train_mfu"] < 1
    assert "'tokens_per_second': " in capsys.readouterr().out  # beside the loss that is printed
    assert not model._forward_hooks


def test_accumulated_steps_and_evaluations_have_their_own(trainer_of):
    model = gpt2()
    trainer = trainer_of(model, gradient_accumulation_steps=2, eval_strategy="steps", eval_steps=2)
    trainer.train()
    logs = trainer.state.log_history
    assert [log["model_flops"] for log in logs if "loss" in log] == [2 * 2 * STEP] * 3
    assert [log["eval_model_flops"] for log in logs if "eval_loss" in log] == [2 * FORWARD] * 3
    assert logs[-1]["train_model_flops"] == 3 * (4 * STEP + 2 * FORWARD)


def test_an_evaluation_between_logged_steps_takes_nothing_from_their_laps(trainer_of):
    trainer = trainer_of(gpt2(), eval_strategy="steps", eval_steps=3)
    trainer.train()
    logs = trainer.state.log_history
    laps = [log for log in logs if "loss" in log]
    assert [log["model_flops"] for log in laps] == [2 * STEP] * 3
    assert [log["tokens"] for log in laps] == [2 * BATCH * LENGTH] * 3
    assert [log["eval_model_flops"] for log in logs if "eval_loss" in log] == [FORWARD * 2] * 2


def test_an_evaluation_after_a_training_broke_off_has_no_figures_of_its_steps(trainer_of):
    class Broken(pytest.importorskip("transformers").TrainerCallback):
        def on_step_end(self, _, state, control, **__):
            if state.global_step == 3:
                raise KeyboardInterrupt

    model = gpt2()
    trainer = trainer_of(model)
    trainer.add_callback(Broken())
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert not any("flops" in name for name in trainer.evaluate())
    trainer.pop_callback(Broken)
    trainer.train()
    assert trainer.state.log_history[-1]["train_model_flops"] == 6 * STEP
    assert not model._forward_hooks


def test_an_evaluation_goes_by_the_name_that_it_is_given():
    pytest.importorskip("transformers")
    net = nn.Linear(4, 5)
    callback = callbacks.transformers(net)
    callback.on_train_begin()
    net(torch.zeros(3, 4))
    logs = {"held_out_loss": 1.0, "held_out_runtime": 1.0}
    callback.on_log(None, SimpleNamespace(log_history=[dict(logs)]), None, logs=logs)
    callback.on_train_end()
    assert logs["held_out_model_flops"] == 2 * 3 * 4 * 5


def test_a_second_training_has_its_own_meter_and_an_evaluation_alone_none(trainer_of):
    model = gpt2()
    trainer = trainer_of(model)
    for _ in range(2):
        for begins in ("eval", "train"):  # before a training, and after one
            trainer.evaluate(metric_key_prefix=begins)
            assert not any("flops" in name for name in trainer.state.log_history[-1])
        trainer.train()
        assert trainer.state.log_history[-1]["train_model_flops"] == 6 * STEP


def test_what_the_trainer_makes_itself_is_metered_by_a_callback_added_later(trainer_of):
    trainer = trainer_of()
    model = trainer.model
    trainer.train()
    *laps, end = trainer.state.log_history
    assert trainer.model is not model
    assert [lap["model_flops"] for lap in laps] == [2 * STEP] * 3
    assert end["train_model_flops"] == 6 * STEP


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 5)

    def forward(self, x):
        return self.layer(x)


def test_what_the_trainer_compiles_is_metered():
    pytest.importorskip("transformers")
    net = Small()
    compiled = torch.compile(net, backend="eager")
    callback = callbacks.transformers(net, peak=1e12)
    callback.on_train_begin()
    for _ in range(3):
        compiled(torch.zeros(3, 4)).sum().backward()
    logs = {"loss": 1.0}
    callback.on_log(None, SimpleNamespace(log_history=[dict(logs)]), None, logs=logs)
    callback.on_train_end()
    # forward, and the gradient of the weight alone
    assert (logs["samples"], logs["model_flops"]) == (3 * 3, 3 * 2 * 2 * (3 * 4 * 5))


def test_what_the_trainer_says_itself_is_kept():
    pytest.importorskip("transformers")
    net = nn.Linear(4, 5)
    callback = callbacks.transformers(net)
    callback.on_train_begin()
    net(torch.zeros(3, 4))
    for logs in ({"loss": 1.0, "flops": -1.0}, {"other": 2.0}):
        state = SimpleNamespace(log_history=[dict(logs)])
        callback.on_log(None, state, None, logs=logs)
        assert state.log_history == [logs]
        if "loss" in logs:
            assert (logs["flops"], logs["passes"]) == (-1.0, 1)
    assert logs == {"other": 2.0}
    callback.on_train_end()


def logger_of(library):
    class Logger(library.loggers.logger.Logger):
        name, version = "told", 0

        def __init__(self):
            self.told = []

        def log_metrics(self, metrics, step=None):
            self.told.append((step, metrics))

        def log_hyperparams(self, *_):
            pass

    return Logger()


@pytest.fixture
def lightning(tmp_path):
    """Trains by Lightning, and tells what its logger was told and the laps among it."""
    library = pytest.importorskip("pytorch_lightning")

    class Module(library.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = nn.Linear(4, 5)

        def training_step(self, batch, _):
            loss = self.network(batch).square().mean()
            if not self.automatic_optimization:
                self.manual_backward(loss)
                for _ in range(2):  # as of two networks, each of which has its optimiser
                    self.optimizers().step()
            self.log("loss", loss)
            return loss

        def validation_step(self, batch, _):
            self.network(batch)

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    class Training:
        module = Module()
        callback = callbacks.lightning(module.network, peak=1e12)

        def fit(self, **options):
            logger = logger_of(library)
            trainer = library.Trainer(
                max_epochs=2, accelerator="cpu", logger=logger, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False,
                default_root_dir=tmp_path, callbacks=[self.callback], **options,
            )  # fmt: skip
            batches = torch.utils.data.DataLoader(torch.rand(12, 4), batch_size=3)
            trainer.fit(self.module, batches, batches)
            assert not self.module.network._forward_hooks
            laps = [(step, figures) for step, figures in logger.told if "mfu" in figures]
            return laps, logger.told

    return Training()


# forward, and the gradient of the weight alone: the batch wants none
BATCH_FLOPS = 2 * 2 * (3 * 4 * 5)
quiet = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@quiet
def test_lightning_logs_a_lap_where_it_logs(lightning):
    for _ in range(2):  # two trainings by one callback
        laps, _ = lightning.fit(accumulate_grad_batches=2, log_every_n_steps=2)
        assert [step for step, _ in laps] == [1, 3]
        assert [figures["model_flops"] for _, figures in laps] == [2 * 2 * BATCH_FLOPS] * 2


@quiet
def test_a_network_that_no_step_calls_is_told_of_and_logs_nothing(lightning):
    lightning.callback = callbacks.lightning(lightning.module)  # whose network is called
    with pytest.warns(UserWarning, match="has not called the Module that is metered"):
        assert lightning.fit(log_every_n_steps=2)[0] == []


@quiet
def test_a_validation_is_in_no_lap_of_lightnings(lightning):
    laps, _ = lightning.fit(log_every_n_steps=2, val_check_interval=1)
    assert [figures["model_flops"] for _, figures in laps] == [2 * BATCH_FLOPS] * 4
    assert [figures["samples"] for _, figures in laps] == [2 * 3] * 4


@quiet
def test_lightnings_laps_have_the_numbers_of_its_own_figures(lightning):
    lightning.module.automatic_optimization = False
    laps, told = lightning.fit(log_every_n_steps=2)
    own = [step for step, figures in told if "loss" in figures]
    assert [step for step, _ in laps] == own == [1, 3, 5, 7]
    assert [figures["model_flops"] for _, figures in laps] == [2 * BATCH_FLOPS] * 4
    assert lightning.fit(log_every_n_steps=0)[0] == []


class Told:
    """What of an Accelerator, a run of W&B, a SummaryWriter and MLflow is called."""

    def __init__(self):
        self.calls = []

    def log(self, values, step):
        self.calls.append((values, step))

    log_metrics = log

    def add_scalar(self, name, value, step):
        self.calls.append((name, value, step))


@pytest.fixture
def lap():
    net = nn.Linear(4, 5)
    with meter(net, peak=1e12) as m:
        net(torch.zeros(3, 4))
        return m.lap()


def test_trackers_are_told_what_is_known(lap, monkeypatch):
    told = Told()
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(log_metrics=told.log_metrics))
    for write in (callbacks.accelerate(told), callbacks.wandb(told), callbacks.mlflow()):
        write(lap, 7)
    assert told.calls == [(lap.to_dict(), 7)] * 3
    assert lap.to_dict()["flops"] == 2 * 3 * 4 * 5
    assert "tokens" not in lap.to_dict()


def test_tensorboard_gets_each_figure(lap):
    told = Told()
    callbacks.tensorboard(told)(lap, 7)
    assert ("lap/mfu", lap.mfu, 7) in told.calls
    assert len(told.calls) == len(lap.to_dict())


def test_a_csv_file_has_a_row_a_lap_and_nothing_for_the_unknown(lap, tmp_path):
    path = tmp_path / "laps.csv"
    path.write_text("of another run\n")
    write = callbacks.csv(path)
    write(lap, 10)
    write(lap, 20)
    first, second = csv.DictReader(path.read_text().splitlines())
    assert (first["step"], second["step"]) == ("10", "20")
    assert (float(first["flops"]), first["tokens"]) == (2 * 3 * 4 * 5, "")


def test_what_is_wrong_is_said_when_it_is_made():
    pytest.importorskip("transformers")
    with pytest.raises(flopledger.MeterError, match="a peak of 0 FLOP/s is none"):
        callbacks.transformers(nn.Linear(2, 2), peak=0)
    with pytest.raises(flopledger.FlopledgerError, match="--path None is no text or path"):
        callbacks.csv(None)
    for write, method in (
        (callbacks.accelerate, "log"),
        (callbacks.wandb, "log"),
        (callbacks.tensorboard, "add_scalar"),
        (flopledger.metering.loggers.tensorboard, "add_scalar"),
        (flopledger.metering.loggers.progress, "set_postfix"),
    ):
        with pytest.raises(flopledger.FlopledgerError, match=rf"'runs' has no {method}\(\); give"):
            write("runs")


@quiet
@pytest.mark.parametrize("library", ["transformers", "lightning"])
def test_a_copy_of_a_callback_meters_the_model_copied_with_it(library):
    pytest.importorskip("transformers" if library == "transformers" else "pytorch_lightning")
    net = nn.Linear(4, 5)
    callback = getattr(callbacks, library)(net, peak=1e12)
    copied, callback = pickle.loads(pickle.dumps((net, callback)))  # as to a rank that is spawned
    (callback.on_train_start if library == "lightning" else callback.on_train_begin)()
    assert (len(copied._forward_hooks), len(net._forward_hooks)) == (1, 0)
    callback.on_train_end()
    assert not copied._forward_hooks


def test_noimported_is_imported_before_it_is_asked_for(reached):
    imported = {name.split(".")[0] for name in reached(Path(callbacks.__file__))}
    assert "torch" in imported
    assert not imported & {"transformers", "lightning", "pytorch_lightning", "mlflow"}
