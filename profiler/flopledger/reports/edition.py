"""Which report this is: the day, the version, the commit; and how it is cited."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

TITLE = "Where did the compute go?"
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, kw_only=True)
class Edition:
    """What tells one report from another.

    Attributes:
        day: on which it was made, ISO.
        version: of flopledger.
        commit: of the clone that made it, abbreviated, with "+" where files were changed since;
            None where there is no clone.
    """

    day: str
    version: str
    commit: str | None

    @property
    def line(self) -> str:
        """Flopledger 0.1.0 (commit 1a2b3c4), 2026-11-26."""
        commit = f" (commit {self.commit})" if self.commit else ""
        return f"flopledger {self.version}{commit}, {self.day}"

    def bibtex(self, name: str, title: str) -> str:
        """An entry for a figure, or for the whole report.

        Args:
            name: the figure's; "" is the report.
            title: what it shows.
        """
        key = f"flopledger-{name}" if name else "flopledger"
        shown = title.replace("{", "").replace("}", "")
        return (
            f"@misc{{{key},\n  author = {{{{The flopledger authors}}}},\n"
            f"  title = {{{{{shown}}}}},\n  year = {{{self.day[:4]}}},\n"
            f"  note = {{{self.line}}}\n}}"
        )


def edition() -> Edition:
    """That of a report made now."""
    return Edition(
        day=datetime.now(UTC).date().isoformat(), version=version("flopledger"), commit=_commit()
    )


def _commit() -> str | None:
    """As git has it, where the library is read from a clone of its own."""
    if not (_ROOT / ".git").exists():
        return None
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):  # no git
        return None
    return told.stdout.strip() or None if told.returncode == 0 else None
