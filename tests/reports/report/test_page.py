"""The page in a real browser, offline: it shows what the tables say, whole, on any screen."""

import base64
import json
import re
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

# with the other tests that count every run: one worker counts them
pytestmark = pytest.mark.xdist_group("runs")

VERSIONS = ("alphazero-go-preprint", "alphazero-go-science", "alphazero-chess", "alphazero-shogi")
ACCOUNTINGS = ("all", "training")
WIDTHS, THEMES = (390, 768, 1280), ("light", "dark")
COUNTING = ("samples per position", "positions per outcome", "outcomes")

# every text of a chart that is cut off: by its picture's frame, or by an ellipsis
CUT = """
const cut = [];
for (const svg of document.querySelectorAll(".chart svg")) {
  const frame = svg.getBoundingClientRect();
  if (frame.width === 0) { continue; }
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBoundingClientRect();
    if (text.getAttribute("opacity") === "0" || box.width === 0) { continue; }
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1 || text.textContent.includes("\\u2026")) {
      cut.push(`${svg.closest("figure").id}: ${text.textContent}`);
    }
  }
}
return cut;
"""
# of the version that is chosen: its chart's labels, its table, its answer
SHOWN = """
const shown = (selector) =>
  [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
const table = shown("section[data-version] table")[0];
return {
  versions: shown("section[data-version]").map((e) => e.dataset.version),
  labels: shown("[data-version] .chart .mark-text.role-mark text").map((e) => e.textContent),
  cells: [...table.querySelectorAll("td")].map((e) => e.textContent),
  hovers: [...table.querySelectorAll("td")].map((e) => e.title),
  answers: shown(".answer[data-version]").map((e) => e.textContent),
};
"""
# what reaches beyond the screen and is in nothing that scrolls
WIDE = """
return [...document.querySelectorAll("body *")].filter((element) =>
  element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".table, pre, svg"))
  .map((element) => element.outerHTML.slice(0, 80));
"""


def _choose(page, value):
    page.find_element("css selector", f"input[value='{value}']").click()


def _shown(page, selector):
    return [e for e in page.find_elements("css selector", selector) if e.is_displayed()]


def _labels(chart):
    return [text.text for text in chart.find_elements("css selector", ".mark-text.role-mark text")]


@contextmanager
def _screen(page, width=1280, theme="light"):
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    features = [{"name": "prefers-color-scheme", "value": theme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        yield
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@contextmanager
def _all_versions(page):
    page.execute_script(
        "const all = document.createElement('style'); all.id = 'all'; all.textContent ="
        "'[data-version], [data-scale], [data-fieldscale] { display: block !important; }';"
        "document.head.append(all);"
    )
    try:
        yield
    finally:
        page.execute_script("document.getElementById('all').remove();")


def test_it_asks_the_network_for_nothing_and_logs_no_error(page):
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    addresses = {
        event["params"]["request"]["url"].split(":")[0]
        for event in asked
        if event["method"] == "Network.requestWillBeSent"
    }
    assert addresses <= {"file", "data", "blob", "chrome"}
    assert [e for e in page.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.parametrize(("version", "accounting"), product(VERSIONS, ACCOUNTINGS))
def test_game_and_accounting_are_switched_to_and_the_numbers_are_the_tables(
    page, report, version, accounting
):
    _choose(page, version)
    _choose(page, accounting)
    section = page.execute_script(SHOWN)
    assert section["versions"] == [f"{version}-{accounting}"]
    factors = pd.read_csv(report / "tables" / f"compare-alexnet-{version}-{accounting}.csv")
    orders = dict(zip(factors["factor"], factors["orders"], strict=True))
    bars = [value for name, value in orders.items() if name not in COUNTING]
    bars.insert(2, sum(orders[name] for name in COUNTING))  # the three are one bar
    assert section["labels"] == [f"{value:+.2f}" for value in (*bars, sum(orders.values()))]
    for value in factors["orders"]:
        assert f"{value:+.3f}" in section["cells"]
    assert set(factors["source_a"]) | set(factors["source_b"]) <= set(section["hovers"])
    (answer,) = section["answers"]
    assert f"took {sum(orders.values()):.1f} orders of magnitude" in answer


def test_the_scale_is_switched(page):
    for scale in ("linear", "log"):
        _choose(page, scale)
        (shown,) = _shown(page, "[data-scale]")
        assert shown.get_attribute("data-scale") == scale
        assert _shown(page, f"[data-chart='compute-{scale}'] svg")


def test_verdicts_are_the_tables_and_their_rule_stands_above_them(page, report):
    claims = pd.read_csv(report / "tables" / "claims.csv", dtype=str)
    read = page.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('article.claim')].map((claim) =>"
        "[claim.id, [...claim.querySelectorAll('.verdict, .found')].map((e) => e.textContent)]));"
    )
    for row in claims.itertuples():
        assert read[row.id] == [row.verdict] + ([row.found] if isinstance(row.found, str) else [])
    above = page.find_element("css selector", "#claims ~ .claims").find_elements(
        "xpath", "preceding-sibling::p"
    )
    assert "within 0.5 orders" in above[-1].text
    assert "within a factor of 1.5" in above[-1].text


@pytest.mark.parametrize("chain", ["tpu", "v100"])
def test_a_chains_bars_are_its_tables(page, report, chain):
    frame = pd.read_csv(report / "tables" / f"chain-{chain}.csv", index_col="factor")
    steps = [column for column in frame.columns if column != "all"]
    orders = [
        value for column in steps for value in frame[column].drop("hours") if abs(value) >= 0.005
    ]
    (chart,) = _shown(page, f"[data-chart='chain-{chain}'] svg")
    assert _labels(chart) == [f"{value:+.2f}" for value in [*orders, frame.loc["hours", "all"]]]
    section = chart.find_element("xpath", "ancestor::section").text
    assert f"{10 ** -frame.loc['hours', 'all']:.2f} times as fast" in section


def test_the_address_follows_the_choice_and_opens_it_again(page):
    _choose(page, "alphazero-shogi")
    assert "version=alphazero-shogi" in page.current_url
    page.refresh()
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version").startswith("alphazero-shogi")
    _choose(page, "alphazero-go-preprint")


def test_it_is_worked_by_keyboard(page):
    _choose(page, "alphazero-chess")
    _choose(page, "all")
    chess = page.find_element("css selector", "input[value='alphazero-chess']")
    chess.send_keys(Keys.ARROW_RIGHT)
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version") == "alphazero-shogi-all"
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert page.execute_script(outline) == "solid"
    # the first stop skips the contents, and is seen when it is reached
    skip = page.find_element("css selector", "a, input, summary, [tabindex]")
    assert skip.text == ""
    page.execute_script("arguments[0].focus()", skip)
    assert skip.text == "To the answer"
    skip.send_keys(Keys.ENTER)
    ActionChains(page).send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element.get_attribute("name") == "version"
    # nothing that is to be pressed is left out of the order
    assert not page.find_elements("css selector", "a[tabindex], input[tabindex], summary[tabindex]")


def test_every_chart_has_a_text_and_a_table_behind_it(page):
    alone = page.execute_script(
        "const tables = [...document.querySelectorAll('caption')];"
        "return [...document.querySelectorAll('[data-chart]')].filter((chart) =>"
        "!chart.getAttribute('aria-label').includes('table') ||"
        "!tables.some((table) => chart.compareDocumentPosition(table) & 4)).length"
    )
    assert alone == 0
    assert page.find_elements("css selector", "[data-chart]")


def test_every_figure_says_what_is_compared_and_by_whose_figures(page):
    told = [c.get_attribute("textContent") for c in page.find_elements("tag name", "figcaption")]
    assert told
    assert [text for text in told if "Sources: " not in text] == []
    (chain,) = page.find_elements("css selector", "#chain-v100 figcaption")
    lines = chain.text.splitlines()  # a run's letter begins a line of its own
    assert [line[0] for line in lines if re.match("[A-Z] ", line)] == ["A", "B", "C"]


@pytest.mark.parametrize(("width", "theme"), product(WIDTHS, THEMES))
def test_no_screen_cuts_a_label_or_is_wider_than_itself(page, width, theme):
    with _screen(page, width, theme), _all_versions(page):
        assert page.execute_script(CUT) == []
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.execute_script(WIDE) == []


def test_a_phone_shows_the_orders_of_the_first_table(page):
    with _screen(page, 390):
        (section,) = _shown(page, "section[data-version]")
        heads = section.find_elements("css selector", "th")
        (orders,) = (head for head in heads if head.text == "orders")
        assert orders.rect["x"] + orders.rect["width"] <= 390


def test_dark_mode_is_dark(page):
    with _screen(page, theme="dark"):
        paper = page.find_element("css selector", "body").value_of_css_property("background-color")
        assert max(map(int, re.findall(r"\d+", paper)[:3])) < 64
        label = _shown(page, "[data-chart='shares'] .role-axis-label text")[0]
        ink = label.value_of_css_property("fill")
        assert min(map(int, re.findall(r"\d+", ink)[:3])) > 200


def test_axe_finds_nothing(page):
    axe = pytest.importorskip("axe_playwright_python", reason="no axe-core: make install has it")
    # charts are pictures to it, and a table's rows alike: without most of them it takes a tenth
    page.execute_script(
        "document.querySelectorAll('.chart > *, tr:nth-child(n + 4)').forEach((e) => e.remove());"
        + Path(axe.__file__).with_name("axe.min.js").read_text()
    )
    found = {}
    for width, theme in ((390, "light"), (1280, "dark")):
        with _screen(page, width, theme):
            found[theme] = page.execute_async_script(
                "const done = arguments[0]; axe.run({resultTypes: ['violations']}).then((all) =>"
                "done(all.violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 200)}`)));"
            )
    page.refresh()
    assert found == {"light": [], "dark": []}


def test_without_javascript_it_is_read_and_switched_all_the_same(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.refresh()
    _choose(page, "alphazero-chess")
    (section,) = _shown(page, "section[data-version]")
    assert section.get_attribute("data-version") == "alphazero-chess-all"
    (chart,) = _shown(page, "[data-version] [data-chart^='waterfall-'] svg")
    assert "+" in _labels(chart)[0]
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    page.refresh()


def test_it_prints_on_twelve_pages_at_most(page):
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}
    printed = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    assert 5 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12
