"""Networks counted at many input sizes, from options to the result: flopledger.sweep."""

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

from flopledger.calls import Counter
from flopledger.errors import WrongOption
from flopledger.options import (
    brief,
    check_choice,
    check_file,
    check_least,
    check_seconds,
    checks_arguments,
)
from flopledger.progress import (
    Interrupted,
    OnProgress,
    Progress,
    Unfinished,
    interrupts_held,
    unheard,
)
from flopledger.storage.alone import alone
from flopledger.sweeping import axes, on_dask, rows_file
from flopledger.sweeping.findings import findings, further_sizes
from flopledger.sweeping.rows import Key, Point, Row
from flopledger.sweeping.sweep_result import Sweep
from flopledger.zoo.sources import check_names, parse_options


@checks_arguments
def sweep(
    models: str | Sequence[str],
    inputs: str | Sequence[str],
    over: Mapping[str, Sequence[int]] | str | Sequence[str],
    *,
    factory_kwargs: Mapping[str, Any] | Sequence[str] = (),
    counter: Counter = "auto",
    jobs: int | None = None,
    scheduler: str | None = None,
    timeout: float | None = None,
    output: str | Path | None = None,
    resume: bool = False,
    progress: OnProgress = unheard,
) -> Sweep:
    """Count networks at many input sizes, and find by which law the counts grow.

    A network that fails at a size costs that row alone. Networks are named, not given, for each
    process builds its own. A script that uses several processes guards its own code with
    `if __name__ == "__main__":`, as every script that uses multiprocessing does.

    Args:
        models: what `flopledger profile` takes: "resnet50", "net.py:Net", "timm:vit_tiny".
        inputs: texts such as "1,3,N,N" or "input_ids=1,T:int64"; letters stand for sizes.
        over: the sizes of each letter, {"N": range(128, 289, 32)}, or texts such as
            "N=128,160,224" and "T=128:1025:128".
        factory_kwargs: arguments of every model's factory, {"depth": 18}, or texts such as
            "depth=18".
        counter: whose count is shown; the other one checks it.
        jobs: processes that share the rows; 1 for this process alone, if there is no `timeout`;
            as many as there are cores if left out.
        scheduler: "tcp://HOST:PORT" of a Dask cluster that does the work instead.
        timeout: seconds for each row, after which its process is ended.
        output: a file that gets a line of JSON after every row.
        resume: whether to go on with the rows in `output`.
        progress: called after every row.

    Raises:
        WrongOption: an option's value is none, or `output` cannot be written.
        Busy: another sweep writes to `output`.
        WrongSweep: there is nothing to sweep, or too much.
        WrongInputs: an input is none.
        WrongSource: `factory_kwargs` are none, or a file of a model is not there.
        UnknownModel: the zoo has no such network.
        MissingDask: a scheduler is given, and dask.distributed is not installed.
        BadRows: `output` holds something else.
        Unfinished: the cluster was lost, or the disk is full; has the rows that were done.
        Interrupted: by Ctrl-C; has the same.
    """
    models, inputs = _listed("models", models), _listed("input", inputs)
    path = Path(output) if output is not None else None
    check_choice("counter", counter, get_args(Counter))
    check_least({"jobs": (jobs, 1)})
    check_seconds("timeout", timeout)
    check_file(path, resume, "output")
    check_names(models)
    options = _texts(factory_kwargs)
    parse_options(options)
    if scheduler is not None:
        _check_scheduler(jobs, timeout)
    swept = _axes(over)
    points = axes.grid(models, inputs, swept, options, counter)
    work = _Work(
        points=points,
        spans={a.letter: max(axes.spans(text, a.letter) for text in inputs) for a in swept},
        at=lambda model, sizes: axes.at(model, inputs, sizes, options, counter),
    )
    with alone(path):
        if path is not None:
            header = rows_file.Header(
                inputs=tuple(inputs), kwargs=tuple(options), counter=counter,
                versions={name: version(name) for name in ("flopledger", "torch", "fvcore")},
            )  # fmt: skip
            work.done, work.torn = rows_file.begin(path, header, resume)
        left = [point for point in points if point.key not in work.done]
        before = number = len(points) - len(left)
        try:
            with closing(_rows(left, jobs, scheduler, timeout, work.further)) as rows:
                for row in rows:
                    asked = row.key not in work.checks
                    with interrupts_held():
                        work.done[row.key] = row
                        if path is not None:
                            rows_file.append(path, row)
                        number += asked
                    if asked:
                        progress(Progress(done=number, total=len(points)))
        except KeyboardInterrupt as stop:
            came = f"{number - before} of {len(left)} rows"
            raise Interrupted(f"interrupted with {came} done", work.result()) from stop
        except OSError as error:  # the disk is full
            came = f"{number - before} of {len(left)} rows"
            why = f"{error.filename or path}: {error.strerror}"
            raise Unfinished(f"{why}; {came} were done", work.result()) from error
        except on_dask.LostCluster as lost:
            came = f"{number - before} of {len(left)} rows"
            raise Unfinished(f"{lost}; {came} were done", work.result()) from lost
        return work.result()


@dataclass
class _Work:
    """What is counted so far.

    Attributes:
        points: what was asked for.
        spans: as in `Sweep`.
        at: makes a point of a model and its sizes.
        done: rows of these points, of further ones, and of others that the file has.
        checks: further points, at which the laws are held against what is counted.
        torn: a word on a line of the file that was dropped.
    """

    points: Sequence[Point]
    spans: Mapping[str, int]
    at: Callable[[str, dict[str, int]], Point]
    done: dict[Key, Row] = field(default_factory=dict)
    checks: dict[Key, Point] = field(default_factory=dict)
    torn: str = ""

    def result(self) -> Sweep:
        """The rows that are there."""
        return Sweep(
            rows=tuple(self.done[p.key] for p in self.points if p.key in self.done),
            spans=self.spans,
            further=tuple(self.done[key] for key in self.checks if key in self.done),
            notes=(self.torn,) if self.torn else (),
        )

    def further(self) -> list[Point]:
        """Points that the laws are still to be held against; none when they have been."""
        while points := self._unchecked():
            self.checks.update({point.key: point for point in points})
            if left := [point for point in points if point.key not in self.done]:
                return left
        return []

    def _unchecked(self) -> list[Point]:
        swept = self.result()
        laws = findings(swept.rows, swept.spans, swept.further)
        points = []
        for model in dict.fromkeys(finding.model for finding in laws):
            own = [finding for finding in laws if finding.model == model]
            letter = own[0].letter
            usual = next(row.sizes for row in swept.rows if row.model == model)
            known = (*self.points, *self.checks.values())
            tried = {point.sizes[letter] for point in known if point.model == model}
            points += [self.at(model, usual | {letter: size}) for size in further_sizes(own, tried)]
        return points


def _rows(
    points: Sequence[Point],
    jobs: int | None,
    scheduler: str | None,
    timeout: float | None,
    further: Callable[[], Sequence[Point]],
) -> Generator[Row, None, None]:
    """The points' rows, as they are done; then those of further points, as long as there are."""
    while points := points or further():
        if scheduler is not None:
            yield from on_dask.on_cluster(points, scheduler)
        elif (jobs := jobs or _cores()) > 1 or timeout is not None:
            from flopledger.sweeping.on_processes import on_processes

            yield from on_processes(points, jobs, timeout)
        else:
            from flopledger.sweeping import count_row

            for point in points:
                yield count_row.measured(point)
        points = ()


def _cores() -> int:
    has_affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1


def _axes(over: Mapping[str, Sequence[int]] | str | Sequence[str]) -> list[axes.Axis]:
    if isinstance(over, Mapping):
        over = [f"{letter}={_sizes(letter, sizes)}" for letter, sizes in over.items()]
    return [axes.parse_axis(text) for text in _listed("over", over)]


def _sizes(letter: str, sizes: Iterable[int]) -> str:
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        raise WrongOption(f"--over {letter}={brief(sizes)} is no list of sizes; give one")
    return ",".join(map(str, sizes))


def _texts(factory_kwargs: Mapping[str, Any] | Sequence[str]) -> list[str]:
    """As the command line has them.

    Raises:
        WrongOption: a value is no number, boolean or text that a text can say.
    """
    if not isinstance(factory_kwargs, Mapping):
        return _listed("kwargs", factory_kwargs)
    texts = [f"{name}={value}" for name, value in factory_kwargs.items()]
    for text, (name, value) in zip(texts, factory_kwargs.items(), strict=True):
        if parse_options([text])[name] != value:
            raise WrongOption(
                f"--kwargs {text}: {value!r} cannot be told to a process; give a number, a "
                "boolean or a word"
            )
    return texts


def _listed(name: str, given: str | Sequence[str]) -> list[str]:
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
        raise WrongOption(f"--{name} {brief(given)} is no text; give one, or a list of them")
    return list(words)


def _check_scheduler(jobs: int | None, timeout: float | None) -> None:
    if jobs is not None:
        raise WrongOption("--jobs are this machine's processes; --scheduler has workers")
    if timeout is not None:
        raise WrongOption("--timeout ends this machine's processes, not --scheduler's")
    on_dask.check_installed()
