"""A report, and a browser that has its page open: made once for all tests of it."""

import shutil

import pytest
from flopledger.cli.main import main

MISSING = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--window-size=1280,1400")  # fmt: skip


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The folder of a report."""
    folder = tmp_path_factory.mktemp("report")
    with pytest.raises(SystemExit) as stop:
        main(["report", "--output", str(folder)])
    assert stop.value.code == 0
    return folder


@pytest.fixture(scope="session")
def page(tmp_path_factory, report):
    """A browser with the page open, at 1280 pixels; what a test changes it undoes."""
    if MISSING:
        pytest.skip(f"no {' and no '.join(MISSING)} here (Debian: chromium, chromium-driver)")
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options, ChromeService(shutil.which("chromedriver")))
    driver.get((report / "index.html").as_uri())
    yield driver
    driver.quit()
