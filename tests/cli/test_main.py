"""The command line as a whole: its verbs are the files of cli/, found and not listed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from flopledger.cli import main

CLI = Path(__file__).parent.parent.parent / "profiler" / "flopledger" / "cli"


def test_every_file_that_defines_its_own_name_is_a_verb(run):
    defined = {
        path.stem
        for path in CLI.glob("*.py")
        if path.stem != "main"
        and re.search(rf"^(def {path.stem}\(|{path.stem} = typer\.)", path.read_text(), re.M)
    }
    commands = typer.main.get_command(main.app).commands
    assert set(commands) == defined
    assert all(command.help for command in commands.values())


@pytest.mark.parametrize("words", [["--help"], ["claims", "--help"], ["sweep", "--help"]])
def test_help_imports_neither_torch_nor_pandas(words):
    code = f"""import sys
from flopledger.cli.main import main
try:
    main({words})
except SystemExit:
    sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ran.returncode == 0
