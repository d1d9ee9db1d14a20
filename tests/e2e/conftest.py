"""Real browsers against the real server. Each test gets a portal of its own, furnished with the demo world."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.people import Person
from tests.servers import CHROMIUM_ARGS, Portal, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def portal(tmp_path: Path, furnished_sqlite: Path) -> Iterator[Portal]:
    """The portal on SQLite, as `make demo` runs it."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    portal = Portal(data)
    portal.start()
    yield portal
    portal.stop()
    print(portal.log()[-6000:])  # shown beside what failed


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers that know nothing of one another; all are closed at the end."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        options.setdefault("permissions", ["camera", "microphone"])
        options.setdefault("viewport", {"width": 1280, "height": 720})
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def person(portal: Portal, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Person]]:
    """Makes people with a browser each, who complain about every error in it."""
    made: list[Person] = []

    def make(name: str = "", **options: object) -> Person:
        one = Person(new_context(**options), portal.address, name)
        made.append(one)
        return one

    yield make
    complaints = [complaint for one in made for complaint in one.complaints]
    assert complaints == []


@pytest.fixture
def page(person: Callable[..., Person]) -> Page:
    return person().page
