"""A conversation with a time limit: the player warns twice, and says why it is over."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from portal.clock import now
from portal.status.models import RoomSession
from tests.e2e.people import Person
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def let_it_last(portal: Portal, minutes: float) -> None:
    """The running conversation has lasted so long, of sixty minutes that it may."""
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}")
    with engine.begin() as connection:
        connection.execute(sa.update(RoomSession).values(started_at=now() - timedelta(minutes=minutes)))
    engine.dispose()


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def test_the_player_warns_ten_and_two_minutes_before_and_says_why_it_is_over(
    portal: Portal, person: Callable[..., Person]
) -> None:
    gus = person("Gus")
    links = board_links(portal)
    gus.join(links["guest"])
    page, warning = gus.page, gus.page.locator("#ending")
    expect(page.get_by_role("button", name="Stop camera")).to_be_enabled()
    expect(warning).to_be_hidden()
    for lasted, words in ((50.5, "in 10 minutes."), (58.5, "in 2 minutes.")):
        let_it_last(portal, lasted)
        page.reload()
        expect(warning).to_contain_text(words)
        picture(page, f"ends {words}")
        warning.get_by_role("button", name="OK").click()
        expect(warning).to_be_hidden()
        page.get_by_role("button", name="Stop camera").click()
        other = person("Fay")
        other.join(links["guest"])
        expect(page.locator(".tile")).to_have_count(2)  # a new roster came
        expect(warning).to_be_hidden()
        other.leave()
        expect(page.get_by_role("button", name="Start camera")).to_be_visible()
        page.get_by_role("button", name="Start camera").click()
    let_it_last(portal, 61)
    expect(page.get_by_role("heading", name="The conversation has reached its time limit.")).to_be_visible(
        timeout=30_000
    )
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text("Conversations in this room end after 60 minutes.")).to_be_visible()
    picture(page, "after the time limit")
    page.get_by_role("link", name="Rejoin").click()
    expect(page.get_by_text("Ends 60 minutes after it has begun.")).to_be_visible()
    picture(page, "door with a time limit")
