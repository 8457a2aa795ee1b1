"""Games of a strong player with itself, into a table that imitation learns from."""

import os
import sys

here = os.path.dirname(os.path.realpath(__file__))  # profile.py here hides the standard library's
sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) != here]

import csv
import io
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

GAMES = (("hex", 3), ("hex", 4), ("hex", 5), ("connect_four", None))


def main(
    games: Annotated[int, typer.Option(help="Of each kind.")] = 400,
    output: Annotated[Path, typer.Option(help="The table.")] = Path("facts/measured/teacher.csv"),
) -> None:
    """Play so many games of each kind, and write a row for each."""
    from flopledger.experiments.stored_teacher import ROLLOUTS, play_teacher
    from flopledger.play.games import find_game
    from flopledger.storage.files import write_whole

    rows = []
    for name, board in GAMES:
        game = find_game(name, board)
        for index in range(games):
            start = time.process_time()
            opening, actions = play_teacher(game, index)
            rows.append(
                {
                    "game": game.name,
                    "index": index,
                    "rollouts": ROLLOUTS,
                    "opening": opening,
                    "actions": " ".join(map(str, actions)),
                    "seconds": f"{time.process_time() - start:.3f}",
                    "command": f"python scripts/measure_teacher.py --games {games}",
                    "open_spiel": version("open_spiel"),
                    "date": datetime.now(UTC).date().isoformat(),
                }
            )
        print(f"{game.name}: done", file=sys.stderr)
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(output, text.getvalue())


if __name__ == "__main__":
    typer.run(main)
