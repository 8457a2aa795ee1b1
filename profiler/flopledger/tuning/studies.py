"""Where a tuning is kept: Optuna's studies, one a sampler, in memory or in a SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from optuna.trial import TrialState

from flopledger.errors import FlopledgerError
from flopledger.storage.journal import contradiction
from flopledger.tuning.outcome import Task
from flopledger.tuning.tuner import SAMPLERS


class BadStorage(FlopledgerError, ValueError):
    """The file cannot be gone on with; the message says what to change."""


class StorageFailed(FlopledgerError):
    """The file could not be read or written on the way; what it held before, it holds."""

    exit_code = 1


@contextmanager
def studies(path: Path | None, task: Task, resume: bool) -> Iterator[dict[str, optuna.Study]]:
    """The study of each sampler, empty or as far as it came.

    Args:
        path: of the SQLite file; None for none.
        task: what is tuned.
        resume: whether a file that is there is to be gone on with.

    Raises:
        BadStorage: the file is there and is not to be gone on with, or cannot be.
        StorageFailed: it fails, then or later: the disk is full, or another process writes to it.
    """
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would say every trial, and its own way
    storage = InMemoryStorage() if path is None else _opened(path, resume)
    try:
        yield {name: _study(storage, name, task, path) for name in SAMPLERS}
    except StorageInternalError as error:
        why = getattr(error.__cause__, "orig", error)  # SQLite's own words
        raise StorageFailed(f"{path}: {why}; mend it, and --resume goes on") from error
    finally:
        if isinstance(storage, RDBStorage):
            storage.remove_session()
            storage.engine.dispose()
        optuna.logging.set_verbosity(before)


def _opened(path: Path, resume: bool) -> BaseStorage:
    there = path.exists() and path.stat().st_size > 0
    if there and not resume:
        raise BadStorage(f"{path} is there; --resume goes on, or name another file")
    if there:
        _check(path)
    try:
        return RDBStorage(f"sqlite:///{path.absolute()}")
    except ImportError as error:
        raise BadStorage("--storage needs SQLAlchemy; pip install 'flopledger[tune]'") from error
    except RuntimeError as error:  # of another version of Optuna
        raise BadStorage(f"{path}: {str(error).splitlines()[0]}") from error


def _check(path: Path) -> None:
    """See that it is Optuna's, before Optuna makes its tables in somebody else's file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            names = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        raise BadStorage(
            f"{path} cannot be read as a SQLite file ({error}); name another"
        ) from error
    if "studies" not in names:
        raise BadStorage(f"{path} is no storage of flopledger tune; name another")


def _study(storage: BaseStorage, name: str, task: Task, path: Path | None) -> optuna.Study:
    study = optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True
    )
    known = study.user_attrs.get("task")
    if known is None and study.get_trials(deepcopy=False):
        raise BadStorage(f"{path} has another study called {name!r}; name another file")
    if known is None:
        study.set_user_attr("task", asdict(task))
        return study
    if (differs := contradiction(path, known, asdict(task))) is not None:
        raise BadStorage(differs)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        # a process that was killed left it: nobody plays it any more
        study.tell(trial.number, state=TrialState.FAIL)
    return study
