"""README and docs: every example runs, every verb and option is documented, output is real."""

import re
import subprocess
import sys
from pathlib import Path

import flopledger
import pytest
from flopledger.zoo import registry

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
COMPARED = (DOCS / "compare.md").read_text()


@pytest.fixture
def printed(tmp_path, monkeypatch, capsys):
    """The lines that a page's example prints, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(code):
        exec(compile(code, "example", "exec"), {"__name__": "__main__"})
        return capsys.readouterr().out.splitlines()

    return run


def blocks(file, language="python"):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / file).read_text(), flags=re.DOTALL)


def test_readmes_table_is_what_the_command_prints():
    # tests/scripts/test_profile.py holds the golden file against the command
    golden = (ROOT / "tests" / "golden" / "profile-alexnet.txt").read_text()
    assert f"```\n$ flopledger profile alexnet\n{golden}```" in README


def test_a_profiles_example_prints_what_it_says(tmp_path):
    code = blocks("docs/profile.md")[0]
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    promises = re.findall(r"print\(.*\)  # (\S+)", code)
    printed = ran.stdout.split()
    assert len(promises) == len(printed) == 3
    for promised, real in zip(promises, printed, strict=True):
        assert real.startswith(promised.removesuffix("..."))
    # by hand: 36 points x 8 filters x 27, and 288 x 10; the first layer wants no input gradient
    convolution, linear = 36 * 8 * 27, 8 * 36 * 10
    assert int(printed[0]) == convolution + linear
    assert float(printed[2]) == pytest.approx((convolution + 2 * linear) / (convolution + linear))


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "tictactoe"), (1, "lenet")],
)
def test_an_example_model_is_found_listed_and_counted(index, name, tmp_path, monkeypatch):
    from flopledger import profile
    from flopledger.zoo.published import contradictions, held_against

    code = blocks("docs/adding-a-model.md")[index]
    assert len([line for line in code.splitlines() if line.strip()]) < 36
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setattr(registry, "_zoo_files", lambda: registry._files_in(registry._ZOO, tmp_path))
    monkeypatch.setattr(registry, "_ZOO", f"zoo_of_{name}")
    package = type(sys)(f"zoo_of_{name}")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, f"zoo_of_{name}", package)
    monkeypatch.setattr(registry, "_specs", {})
    assert [listing.name for listing in registry.list_models()] == [name]
    counted = profile(name)
    assert counted.check.agrees
    assert contradictions(held_against(registry.find_model(name), counted)) == []
    if name == "tictactoe":
        assert len([line for line in code.splitlines() if line.strip()]) < 20
        assert counted.total("macs") == 9 * 32 * 27 + 288 * 9


def test_the_comparison_is_what_the_command_prints(capsys):
    from flopledger.cli.main import main

    with pytest.raises(SystemExit):
        main(["compare", "alexnet", "alphazero-go-preprint"])
    printed = capsys.readouterr().out.split("\n\n")[0]
    assert f"$ flopledger compare alexnet alphazero-go-preprint\n{printed}\n" in COMPARED


def test_the_claims_are_what_the_command_prints(capsys):
    from flopledger.cli.main import main

    with pytest.raises(SystemExit):
        main(["claims"])
    printed = "\n".join(capsys.readouterr().out.splitlines()[:8])
    assert f"```\n$ flopledger claims | head -8\n{printed}\n```" in COMPARED


def test_the_trainings_beside_each_other_are_what_the_command_prints(capsys):
    from flopledger.cli.main import main

    words = ["compare", "alexnet-digits-metered", "alphazero-connect-four-metered"]
    with pytest.raises(SystemExit):
        main(words)
    page = (DOCS / "training.md").read_text()
    assert f"$ flopledger {' '.join(words)}\n{capsys.readouterr().out}```" in page


@pytest.mark.parametrize("text", blocks("docs/adding-a-run.md", "toml"))
def test_an_example_run_is_counted(text, tmp_path):
    from flopledger import ledger_of

    (tmp_path / "mine.toml").write_text(text)
    ledger = ledger_of(str(tmp_path / "mine.toml"))
    assert ledger.total > 0
    assert ledger.params > 0


def test_every_method_and_fact_has_its_row():
    from flopledger.ledger.methods import METHODS, UNITS

    page = (DOCS / "adding-a-run.md").read_text().partition("## Phases")[0]
    rows = [row.split("|")[1].strip() for row in page.splitlines() if row.startswith("| ")]
    named = {word for cell in rows for word in cell.split(", ")}
    assert set(UNITS) | set(METHODS) <= named


def test_the_examples_of_claims_are_judged(tmp_path):
    from flopledger import claims

    (text,) = blocks("docs/adding-a-claim.md", "toml")
    (tmp_path / "mine.toml").write_text(text)
    assert [verdict.word for verdict in claims(tmp_path / "mine.toml")] == ["holds", "holds"]


def test_every_function_and_key_of_a_claim_has_its_row():
    from flopledger.statements.claim import Claim
    from flopledger.statements.figures import Figures

    page = (DOCS / "adding-a-claim.md").read_text()
    cells = [row.split("|")[1] for row in page.splitlines() if row.startswith("| ")]
    functions = {name for cell in cells for name in re.findall(r"\b(\w+)\(", cell)}
    functions |= {name for cell in cells for name in re.findall(r"\b(min|max|abs)\b", cell)}
    assert functions == set(Figures(None).functions)
    named = {word for cell in cells for word in cell.strip().split(", ")}
    assert set(Claim.model_fields) <= named


def test_the_notebook_runs_and_shows_what_it_stores():
    import nbclient
    import nbformat

    notebook = nbformat.read(ROOT / "docs" / "five-orders.ipynb", as_version=4)
    stored = _shown(notebook)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert _shown(notebook) == stored
    assert any("alphazero-go-science" in text for text in stored)
    assert "D2.14" in stored[-1]


def _shown(notebook):
    return [cell.outputs[0]["data"]["text/plain"] for cell in notebook.cells if "outputs" in cell]


def test_the_worked_example_is_what_the_ledger_says():
    from flopledger import compare, ledger_of

    text = (ROOT / "docs" / "method.md").read_text()
    for share in compare(ledger_of("alexnet"), ledger_of("alphazero-chess")).factors:
        (row,) = re.findall(rf"^\| {re.escape(share.factor)} \|.*$", text, flags=re.MULTILINE)
        assert row.endswith(f"| {share.orders:+.3f} |")


def test_the_split_of_hours_is_what_the_ledgers_say(capsys):
    from flopledger.cli.main import main

    words = re.search(r"^\$ flopledger (compare .*--quantity hours)$", COMPARED, flags=re.MULTILINE)
    with pytest.raises(SystemExit):
        main(words[1].split())
    assert f"```\n$ flopledger {words[1]}\n{capsys.readouterr().out}```" in COMPARED

    from flopledger import compare
    from flopledger.ledger.build import hours_of

    text = (ROOT / "docs" / "method.md").read_text()
    for share in compare(*hours_of(words[1].split()[1:3])).factors:
        for row in re.findall(rf"^\| {share.factor} \|.*$", text, flags=re.MULTILINE):
            assert row.endswith(f"| {share.orders:+.3f} |")


def test_every_column_of_an_entry_is_documented():
    from flopledger.ledger.dawnbench import COLUMNS

    table = (ROOT / "docs" / "adding-a-run.md").read_text().partition("## An entry")[2]
    named = {word for row in re.findall(r"^\| ([\w, ]+) \|", table, flags=re.MULTILINE)
             for word in row.split(", ")}  # fmt: skip
    assert set(COLUMNS) <= named


def test_every_verb_and_run_and_model_has_its_words(capsys):
    from flopledger.cli.main import app

    docs = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md")) + README
    for command in app.registered_commands:
        assert f"flopledger {command.callback.__name__}" in docs
        assert command.callback.__doc__


def test_every_verb_of_the_makefile_is_documented():
    verbs = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    help_text = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True).stdout
    for verb in verbs:
        assert re.search(rf"^{verb}\b", help_text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "file", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in DOCS.glob("*.md"))]
)
def test_every_file_that_the_docs_name_exists(file):
    folders = "profiler|tests|docs|models|facts|scripts"
    for path in re.findall(rf"(?<![\w/.-])(?:{folders})/[\w/.-]+\w", (ROOT / file).read_text()):
        named = re.split("(test_)?NAME|PACKAGE", path)[0].rstrip("/")
        # the examples' own, and what make new-model would write
        example = re.fullmatch(r"(models|tests/models)/(test_)?(tictactoe|lenet)\.py", path)
        assert (ROOT / named).exists() or example, path


def test_a_sweep_prints_what_its_page_says(capfd):
    from flopledger.cli.main import main

    command, *printed = blocks("docs/sweep.md", "")[0].splitlines()
    with pytest.raises(SystemExit):
        main([*command.removeprefix("$ flopledger ").split(), "--jobs", "1"])
    assert capfd.readouterr().out.splitlines() == printed


def test_the_meters_example_prints_what_it_says(printed):
    code = blocks("docs/meter.md")[0]
    lines = printed(code)
    promises = re.findall(r"print\(.*\)  # (\S+)", code)
    assert " ".join(lines).split() == promises
    # 21 moves and 4 steps of 16, through 9 x 32 and 32 x 9; backward, x wants no gradient
    samples, layer = 5 + 7 + 9 + 4 * 16, 9 * 32
    assert [int(word) for word in promises[:3]] == [25, samples * 2 * layer, 2 * 64 * 3 * layer]


def test_the_example_of_a_difference_prints_what_it_says(printed):
    code = blocks("docs/diff.md")[0]
    lines = printed(code)
    assert " ".join(lines).split() == re.findall(r"print\(.*\)  # (\S+)", code)
    # torchvision's figures: 21,797,672 parameters of ResNet-34, 11,689,512 of ResNet-18
    assert " ".join(lines).split()[0] == str(21_797_672 - 11_689_512)


def test_every_function_has_its_example_and_prints_what_it_says(printed):
    code = "\n".join(blocks("docs/python.md"))
    lines = printed(code)
    assert lines == re.findall(r"print\(.*\)  # (.+)", code)
    table = (ROOT / "CONTRIBUTING.md").read_text()
    verbs = re.findall(r"^\| [^|]+ \| (\w+) \|", table, re.MULTILINE)
    for name in {*verbs, "compare_chain"} & set(dir(flopledger)):
        assert f"flopledger.{name}(" in code
    # by hand: 36 points x 8 filters x 27 and 288 x 10; 8 x 27 + 8 and 288 x 10 + 10 floats of 4
    # bytes, Adam's state twice that; three passes
    macs, params = 36 * 8 * 27 + 288 * 10, 8 * 27 + 8 + 288 * 10 + 10
    assert lines[0] == str(macs)
    assert lines[2] == f"{4 * params} {2 * 4 * params}"
    assert lines[4].split()[0] == str(2 * macs)
    assert float(lines[7]) == 3 * 2 * macs


@pytest.mark.parametrize("page", ["sweep", "selfplay", "systems", "tune", "training"])
def test_a_programs_example_prints_what_its_page_says(page, printed):
    code = blocks(f"docs/{page}.md")[0]
    lines = printed(code)
    assert lines == re.findall(r"print\(.*\)  # (.+)", code)
    if page == "sweep":
        # AlexNet by hand: its kernels over 55, 27 and 13 pixels a side, the towers' halves apart
        convolutions = 55**2 * 96 * 363 + 27**2 * 256 * 25 * 48
        convolutions += 13**2 * 9 * (384 * 256 + 384 * 192 + 256 * 192)
        assert int(lines[0]) == convolutions + 9216 * 4096 + 4096**2 + 4096 * 1000
