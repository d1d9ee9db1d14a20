"""Real browsers against the real server. Each test gets a portal of its own, furnished with the demo world."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from tests.e2e.people import Person
from tests.programs import CHROMIUM_ARGS, chromium
from tests.servers import Portal

STATIC = Path(__file__).parents[2] / "static"
PATIENCE = 20_000  # ms: what comes at once on a quiet machine takes seconds where four browsers share two cores
expect.set_options(timeout=PATIENCE)


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
    portal.kill()  # nobody is left whom an end in order would serve
    print(portal.log()[-6000:])  # shown beside what failed


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browsers that know nothing of one another; all are closed at the end."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        options.setdefault("permissions", ["camera", "microphone"])
        options.setdefault("viewport", {"width": 1280, "height": 720})
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
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


@pytest.fixture
def modules(new_context: Callable[..., BrowserContext]) -> Page:
    """An empty page that can import the modules of scripts, by their paths below `static/`, without a portal."""
    page = new_context(permissions=[]).new_page()

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path.lstrip("/")
        if path:
            route.fulfill(path=STATIC / path)
        else:
            route.fulfill(body="<!doctype html><title>Modules</title>", content_type="text/html")

    page.route("**/*", answer)
    page.goto("http://modules.example/")
    return page


AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],  # of what is well, nothing needs to be told
}
SCHEMES = ("light", "dark")


@pytest.fixture(params=[360, 1280])
def seen(request: pytest.FixtureRequest) -> Iterator[Callable[[Page, str], None]]:
    """Looks at a page in light and dark. The journey of the test runs once in each width, so that people click there.

    All complaints are told together at the end. With SCREENSHOTS=folder the pictures are kept.
    """
    complaints: list[str] = []
    width = request.param

    def at(page: Page, name: str) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_load_state()
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            if folder := os.environ.get("SCREENSHOTS"):
                Path(folder).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png", full_page=name != "conference")
            found = Axe().run(page, options=AXE).response["violations"]
            complaints.extend(f"{name} ({scheme}): {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            complaints.append(f"{name}: {wide} px wider than the screen")

    yield at
    assert complaints == []
