"""The site that make docs has built: whole, without a network, and on a phone."""

import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import flopledger
import pytest
import typer
from flopledger.cli.main import app

BUILT = os.environ.get("FLOPLEDGER_SITE")
DOCS = Path(__file__).parent.parent.parent / "docs"
MISSING = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]

pytestmark = pytest.mark.skipif(BUILT is None, reason="make docs builds the site and runs this")


class Page(HTMLParser):
    """What a page links to, what it loads, and what may be linked to in it."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.ids.add(known.get("id"))
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        elif tag == "link" and known.get("rel") in ("stylesheet", "icon", "preload"):
            self.loaded.append(known["href"])
        elif tag in ("script", "img", "iframe", "source", "video") and "src" in known:
            self.loaded.append(known["src"])


@pytest.fixture(scope="module")
def pages():
    site = Path(BUILT).resolve()
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_page_is_there(pages):
    written = {path.stem for path in DOCS.iterdir() if path.suffix in (".md", ".ipynb")}
    assert written <= {path.stem for path in pages}


def test_nothing_is_loaded_from_a_network(pages):
    assert [url for page in pages.values() for url in page.loaded if urlsplit(url).netloc] == []
    for style in Path(BUILT).rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", style.read_text(), flags=re.DOTALL)
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", text), style


def test_every_link_within_the_site_leads_somewhere(pages):
    dead = []
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            there = target.is_file()
            if there and url.fragment and target.suffix == ".html":
                there = unquote(url.fragment) in pages[target].ids
            if not there:
                dead.append(f"{path.name}: {link}")
    assert dead == []


def test_every_verb_and_every_public_name_has_its_place(pages):
    site = Path(BUILT).resolve()
    for verb in typer.main.get_command(app).commands:
        assert f"flopledger-{verb}" in pages[site / "command-line.html"].ids
    for name in dir(flopledger):
        public = name if name != "callbacks" else "callbacks.transformers"
        assert f"flopledger.{public}" in pages[site / "api.html"].ids
    index = (site / "searchindex.js").read_text()
    assert all(word in index for word in ("Adding a claim", "flopledger", "checkpoint"))


@pytest.mark.skipif(bool(MISSING), reason=f"no {' and no '.join(MISSING)}")
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_start_page_is_wider_than_its_screen(width):
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    driver = Chrome(options, ChromeService(shutil.which("chromedriver")))
    try:
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for name in ("index", "install", "start-engineer", "start-writer", "start-researcher"):
            driver.get((Path(BUILT).resolve() / f"{name}.html").as_uri())
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            assert wide <= width, name
            if name == "index":
                folder = Path(BUILT).parent
                driver.save_screenshot(str(folder / f"docs-{width}.png"))
    finally:
        driver.quit()
