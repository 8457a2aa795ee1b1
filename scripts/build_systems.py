"""Writes facts/systems.csv from Epoch AI's two tables of models, figures only.

python scripts/build_systems.py NOTABLE.csv ALL.csv

The first is the newer one ("Notable AI models", epoch-2026 in facts/sources.toml), the second the
older one ("All AI models", epoch-2025). A newer download of either takes its place: give it, and
put its day into facts/sources.toml.
"""

import csv
import sys
from io import StringIO
from pathlib import Path

from flopledger.errors import FlopledgerError
from flopledger.field.epoch_download import read_download
from flopledger.field.published_systems import COLUMNS, OLDER, PRIMARY, PublishedSystem
from flopledger.storage.facts import facts_folder, read_toml
from flopledger.storage.files import write_whole


def main() -> int:
    """Read both, write facts/systems.csv; 2 where one cannot be read."""
    if len(sys.argv) != 3:
        print("usage: python scripts/build_systems.py NOTABLE.csv ALL.csv", file=sys.stderr)
        return 2
    systems: list[PublishedSystem] = []
    try:
        for path, table in zip(sys.argv[1:], (PRIMARY, OLDER), strict=True):
            read, notes = read_download(Path(path), table)
            systems += read
            for note in notes:
                print(note, file=sys.stderr)
    except FlopledgerError as error:
        print(error, file=sys.stderr)
        return 2
    write_whole(facts_folder("systems.csv"), head() + written(systems))
    return 0


def head() -> str:
    """Whose figures they are, under which licence, and from which days."""
    sources = read_toml(facts_folder("sources.toml"))
    lines = [
        "Systems with both parameters and training compute, made by scripts/build_systems.py.",
        "Data: Epoch AI, https://epoch.ai/data/ai-models, licence CC BY 4.0; figures, names and",
        "links only, none of their texts.",
        *(
            f"{table}: {sources[table]['cite']}, as downloaded by {sources[table]['retrieved']}"
            for table in (PRIMARY, OLDER)
        ),
        "accounting: training is compute of gradient steps only, all has the making of data, too.",
        "steps_per_outcome is ours: facts/steps_per_outcome.csv, and 1 for language and pictures.",
    ]
    return "".join(f"# {line}\n" for line in lines)


def written(systems: list[PublishedSystem]) -> str:
    """The rows as CSV; a number as short as it is exact, nothing for what is not known."""
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for system in systems:
        rows.writerow(map(_cell, (getattr(system, column) for column in COLUMNS)))
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
