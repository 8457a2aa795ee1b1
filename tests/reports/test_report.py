"""The report's files, and its page in a real browser, offline: it shows what the tables say."""

import json
import re
import shutil
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import get_args

import pytest
from flopledger import compare, ledger_of
from flopledger.cli.main import main
from flopledger.reports import charts
from flopledger.reports.report import figures
from flopledger.zoo.registry import list_models

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

VERSIONS = ("alphazero-go-preprint", "alphazero-go-science", "alphazero-chess", "alphazero-shogi")
ACCOUNTINGS = ("all", "training")
TPU = (
    "google_resnet50_tpu_tensorflow17",
    "google_resnet50_tpu_tensorflow18",
    "google_resnet50_tpu_tensorflow111",
    "google_resnet50_tpu_tensorflow111_fastai",
)
MISSING = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.raises(SystemExit) as stop:
        main(["report", "--output", str(folder)])
    assert stop.value.code == 0
    return folder


def test_every_model_and_comparison_has_its_table(report):
    tables = {path.stem for path in (report / "tables").iterdir()}
    models = {listing.name for listing in list_models()}
    assert models | {"summary", "published", "runs", "facts", "claims", "dawnbench"} <= tables
    assert {"systems", "systems-trend", "systems-domains", "systems-runs"} <= tables
    assert {"chain-tpu", "chain-v100"} <= tables
    assert {f"compare-alexnet-{name}-{how}" for name in VERSIONS for how in ACCOUNTINGS} <= tables


def test_the_report_in_markdown_answers_and_accounts(report):
    text = (report / "report.md").read_text()
    assert f"agree to the last MAC on {len(list_models())} of them" in text
    assert "and 0 contradicted" in text
    for name in ("AlphaZero (chess)", "AlphaZero (shogi)", "AlphaZero (Go, Science 2018)"):
        assert f"{name} took " in text
    # cited totals and claims carry their links
    for link in ("https://www.lesswrong.com/posts/", "https://epoch.ai/data/ai-models"):
        assert link in text


def test_every_figure_is_drawn_once_on_the_page_and_is_two_pictures(report):
    page = (report / "index.html").read_text()
    names = re.findall(r'data-chart="([\w-]+)"', page)
    assert len(names) == len(set(names))
    pictures = {path.name for path in (report / "figures").iterdir()}
    assert pictures == {f"{name}.{suffix}" for name in names for suffix in ("svg", "png", "csv")}
    for path in (report / "figures").iterdir():
        start = path.read_bytes()[:8]
        if path.suffix == ".csv":
            assert len(path.read_text().splitlines()) > 1
            continue
        assert start.startswith(b"<svg") if path.suffix == ".svg" else start == b"\x89PNG\r\n\x1a\n"


def test_every_place_for_charts_is_on_the_page_and_has_some(report):
    placed = {place for place, _, _ in figures._charts}
    assert placed == set(get_args(figures.Place))
    template = Path(figures.__file__).with_name("page.html").read_text()
    assert set(re.findall(r'drawn\("(\w+)"', template)) == placed


def test_a_waterfall_is_a_chain_from_zero_to_the_total():
    comparison = compare(ledger_of("alexnet"), ledger_of("alphazero-chess"))
    spec = charts.waterfall(comparison).to_dict()
    (rows,) = spec["datasets"].values()
    *steps, total = rows
    assert steps[0]["start"] == total["start"] == 0
    for before, after in pairwise(steps):
        assert after["start"] == before["end"]
    assert steps[-1]["end"] == pytest.approx(total["end"])
    assert total["end"] == comparison.orders


def test_a_chains_waterfall_falls_step_by_step_to_the_total():
    from flopledger.ledger.build import hours_of
    from flopledger.ledger.chain import chain

    whole = chain(hours_of(TPU))
    spec = charts.chain_waterfall(whole, "ABCD").to_dict()
    (rows,) = spec["datasets"].values()
    *steps, total = rows
    assert steps[0]["start"] == total["start"] == 0
    for before, after in pairwise(steps):  # what changes nothing is left out, and moves nothing
        assert after["start"] == pytest.approx(before["end"], abs=0.005)
    assert steps[-1]["end"] == pytest.approx(total["end"], abs=0.005)
    assert total["end"] == pytest.approx(log10(2.741805 / 12.444167))
    names = [row["factor"] for row in steps]
    assert "C to D: forward FLOPs per image" in names
    assert not [name for name in names if "chip" in name or "precision" in name]


def test_the_page_needs_nothing_from_outside(report):
    page = (report / "index.html").read_text()
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "</script>" not in page
    # links lead out, but nothing is fetched from there
    assert not re.findall(r'<(?!a )[^>]*(?:src|href)="(?!#)', page)


def test_every_link_on_the_page_has_a_date_or_is_from_memory(report):
    page = (report / "index.html").read_text()
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    # what a link stands in: a table's row, or a paragraph
    pieces = re.findall(r"<tr>.*?</tr>|<p.*?</p>", page, flags=re.DOTALL)
    away = '<a href="http'  # the others lead to a chapter, or to a figure's files
    linked = [piece for piece in pieces if away in piece]
    assert sum(piece.count(away) for piece in linked) == page.count(away) > 50
    for piece in linked:
        assert re.search(r"\d{4}-\d\d-\d\d|from memory", piece), piece
        for address in re.findall(r'href="((?!#|figures/)[^"]+)"', piece):
            assert address.startswith("https://")


def test_the_answer_says_what_makes_the_orders(report):
    """By hand for Go's preprint: 2.455 search, 1.475 weights, 1.424 samples; chess 2.576, 0.731."""
    page = (report / "index.html").read_text()
    answers = dict(re.findall(r'class="answer" data-version="([\w-]+)">(.*?)</p>', page))
    assert set(answers) == {f"{name}-{how}" for name in VERSIONS for how in ACCOUNTINGS}
    for name, whole, parts in (
        ("alphazero-go-preprint-all", "5.4", ("2.5", "1.5", "1.4")),
        ("alphazero-go-preprint-training", "2.9", ("1.5", "1.4")),
        ("alphazero-chess-all", "4.8", ("2.6", "1.4", "0.7")),
    ):
        assert f"took {whole} orders of magnitude" in answers[name]
        assert tuple(re.findall(r"(\d\.\d) from", answers[name])) == parts
    # the discussion asks of Go: it is what a reader sees first
    assert next(iter(answers)) == "alphazero-go-preprint-all"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if MISSING:
        pytest.skip(f"no {' and no '.join(MISSING)} here (Debian: chromium, chromium-driver)")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    home = tmp_path_factory.mktemp("chromium")
    for word in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--window-size=1100,1400", f"--user-data-dir={home}"):  # fmt: skip
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page(browser, report):
    """The page, drawn."""
    browser.get((report / "index.html").as_uri())
    _drawn(browser, 1)
    return browser


def _drawn(browser, times):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 20).until(
        lambda b: (
            int(b.execute_script("return document.documentElement.dataset.drawn || 0")) >= times
        )
    )


def _choose(page, value):
    button = page.find_element("css selector", f"input[value='{value}']")
    if not button.is_selected():
        times = int(page.execute_script("return document.documentElement.dataset.drawn"))
        button.click()
        _drawn(page, times + 1)


def _shown(page, selector):
    return [e for e in page.find_elements("css selector", selector) if e.is_displayed()]


def test_it_asks_the_network_for_nothing(page):
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    addresses = {
        event["params"]["request"]["url"].split(":")[0]
        for event in asked
        if event["method"] == "Network.requestWillBeSent"
    }
    assert addresses <= {"file", "data", "blob", "chrome"}


def test_it_logs_no_error(page):
    assert [e for e in page.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.parametrize("accounting", ACCOUNTINGS)
@pytest.mark.parametrize("version", VERSIONS)
def test_game_and_accounting_are_switched_to_and_the_numbers_are_the_tables(
    page, report, version, accounting
):
    import pandas as pd

    _choose(page, version)
    _choose(page, accounting)
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version") == f"{version}-{accounting}"
    factors = pd.read_csv(report / "tables" / f"compare-alexnet-{version}-{accounting}.csv")
    orders = dict(zip(factors["factor"], factors["orders"], strict=True))
    (chart,) = _shown(page, "[data-version] [data-chart^='waterfall-'] svg")
    labels = [
        text.text for text in chart.find_elements("css selector", ".mark-text.role-mark text")
    ]
    counting = ("samples per position", "positions per outcome", "outcomes")
    samples = sum(orders[name] for name in counting)
    bars = [value for name, value in orders.items() if name not in counting]
    bars.insert(2, samples)  # the three that count samples are one bar
    assert labels == [f"{value:+.2f}" for value in (*bars, sum(orders.values()))]
    rows = section.find_element("css selector", "table").text
    for value in factors["orders"]:
        assert f"{value:+.3f}" in rows
    hovers = [cell.get_attribute("title") for cell in section.find_elements("css selector", "td")]
    assert set(factors["source_a"]) | set(factors["source_b"]) <= set(hovers)
    (answer,) = (e for e in _shown(page, ".answer[data-version]"))
    assert f"took {sum(orders.values()):.1f} orders of magnitude" in answer.text


def test_the_scale_is_switched(page):
    for scale in ("linear", "log"):
        _choose(page, scale)
        (shown,) = _shown(page, "[data-scale]")
        assert shown.get_attribute("data-scale") == scale
        assert _shown(page, f"[data-chart='compute-{scale}'] svg")


def test_verdicts_are_the_tables(page, report):
    import pandas as pd

    claims = pd.read_csv(report / "tables" / "claims.csv", dtype=str)
    for row in claims.itertuples():
        article = page.find_element("id", row.id)
        assert article.find_element("css selector", ".verdict").text == row.verdict
        shown = [element.text for element in article.find_elements("css selector", ".found")]
        assert shown == ([row.found] if isinstance(row.found, str) else [])


@pytest.mark.parametrize("chain", ["tpu", "v100"])
def test_a_chains_bars_are_its_tables(page, report, chain):
    import pandas as pd

    frame = pd.read_csv(report / "tables" / f"chain-{chain}.csv", index_col="factor")
    steps = [column for column in frame.columns if column != "all"]
    orders = [
        value for column in steps for value in frame[column].drop("hours") if abs(value) >= 0.005
    ]
    (chart,) = _shown(page, f"[data-chart='chain-{chain}'] svg")
    labels = [
        text.text for text in chart.find_elements("css selector", ".mark-text.role-mark text")
    ]
    assert labels == [f"{value:+.2f}" for value in [*orders, frame.loc["hours", "all"]]]
    section = chart.find_element("xpath", "ancestor::section").text
    assert f"{10 ** -frame.loc['hours', 'all']:.2f} times as fast" in section


def test_it_is_worked_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    _choose(page, "alphazero-chess")
    _choose(page, "all")
    times = int(page.execute_script("return document.documentElement.dataset.drawn"))
    page.find_element("css selector", "input[value='alphazero-chess']").send_keys(Keys.ARROW_RIGHT)
    _drawn(page, times + 1)
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version") == "alphazero-shogi-all"


def test_every_chart_has_a_text_and_a_table_behind_it(page):
    charts = page.find_elements("css selector", "[data-chart]")
    assert charts
    assert all("table" in chart.get_attribute("aria-label") for chart in charts)
    for chart in charts:  # the nearest heading's chapter has a table
        after = chart.find_elements("xpath", "following::table/caption")
        assert after, chart.get_attribute("data-chart")


@pytest.mark.parametrize("width", [360, 1400])
def test_no_width_makes_the_page_scroll_sideways(page, width):
    size = page.get_window_size()
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    page.refresh()
    _drawn(page, 1)
    over = partial(page.execute_script, "return document.documentElement.scrollWidth")
    assert over() <= width
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.set_window_size(size["width"], size["height"])


def test_dark_mode_is_dark(page):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    page.refresh()
    _drawn(page, 1)
    red = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert max(map(int, red.removeprefix("rgb(").removesuffix(")").split(","))) < 64
    label = _shown(page, "[data-chart='shares'] .role-axis-label text")[0]
    assert label.get_attribute("fill") == "#e8e8e8"
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_says_which_edition_it_is_and_how_to_cite_each_figure(report):
    page = (report / "index.html").read_text()
    assert f"flopledger {version('flopledger')}" in page
    assert "MIT licence" in page
    for name in re.findall(r'data-chart="([\w-]+)"', page):
        assert f"@misc{{flopledger-{name}," in page
        for suffix in ("png", "svg", "csv"):
            assert f'href="figures/{name}.{suffix}"' in page
    assert 'property="og:title"' in page
    assert 'property="og:image"' in page


def test_a_picture_says_what_it_shows_and_whose_it_is(report):
    picture = (report / "figures" / "waterfall-alphazero-chess-all.svg").read_text()
    assert "from AlexNet to alphazero-chess-all" in picture
    assert f"flopledger {version('flopledger')}" in picture


def test_the_contents_lead_to_every_chapter(report):
    page = (report / "index.html").read_text().partition("<script")[0]
    chapters = re.findall(r'<h2 id="(\w+)"', page)
    assert len(chapters) == page.count("<h2")
    contents = page.partition('<nav aria-label="Contents">')[2].partition("</nav>")[0]
    assert re.findall(r'href="#(\w+)"', contents) == [c for c in chapters if c != "cite"]


def test_the_address_follows_the_choice_and_opens_it_again(page):
    _choose(page, "alphazero-shogi")
    assert "version=alphazero-shogi" in page.current_url
    page.refresh()
    _drawn(page, 1)
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version").startswith("alphazero-shogi")
    _choose(page, "alphazero-go-preprint")
