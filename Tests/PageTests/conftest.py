"""Who takes part: the server, and a browser for each story, once at a desk and once on a phone."""

import os
import pathlib

import pytest

from browser import SCREENS, Browser, start
from server import Server


@pytest.fixture(scope="session")
def server():
    return Server(os.environ["PAGES_SERVER"], os.environ["PAGES_OUTBOX"])


@pytest.fixture(scope="session")
def driver():
    driver = start()
    yield driver
    driver.quit()


@pytest.fixture(params=SCREENS, ids=lambda screen: screen.name)
def browser(request, driver, server):
    browser = Browser(driver, server.url, request.param)
    yield browser
    browser.expect_calm_console()


@pytest.fixture
def address(request):
    """Nobody else's."""
    return "".join(sign if sign.isalnum() else "." for sign in request.node.name).strip(".") + "@home.example"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed and "browser" in item.funcargs:
        picture = pathlib.Path(os.environ["PAGES_PICTURES"], f"{item.name}.png")
        item.funcargs["browser"].photograph(picture)
        report.sections.append(("What it looked like", str(picture)))
    return report
