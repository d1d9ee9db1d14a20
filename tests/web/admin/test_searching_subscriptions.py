"""Searching the list of subscriptions: those found in several ways come once, in the list's order, over all pages."""

import csv
import io
from datetime import timedelta
from itertools import chain

import pytest
import sqlalchemy as sa

from portal.clock import now
from portal.customers.models import Customer
from portal.db import session, transaction
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.selling import create_subscription
from portal.web.admin import list_page
from tests.cast import Cast
from tests.conftest import BOTH
from tests.web.admin.test_lists import link, names, walk

LIST = "/admin/subscriptions"


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_page, "PAGE", 3)
    monkeypatch.setattr(list_page, "CHUNK", 2)


@pytest.fixture
def tied(cast: Cast) -> list[str]:
    """Names of subscriptions that “gold” finds by their own words, by their customer's, or by both; newest first.

    All but two were sold at one moment and end at another, so that ties lie over the edges of pages.
    """
    at = now()
    with cast.app.app_context(), transaction():
        package = session.scalars(sa.select(ServicePackage)).first()
        acme, globex = session.scalars(sa.select(Customer).order_by(Customer.company_name)).unique()
        globex.company_name = "Golden Globe"
        assert package is not None
        sold = [
            create_subscription(customer=customer, package=package, name=f"{word} {number}")
            for number in range(4)
            for customer, word in ((acme, "Gold"), (globex, "Silver"), (globex, "Gold"), (acme, "Silver"))
        ]
        for one in sold:
            one.created_at, one.ends_at = at, at + timedelta(days=90)
        sold[1].created_at, sold[6].created_at = at + timedelta(days=1), at - timedelta(days=1)
        sold[1].ends_at, sold[6].ends_at = at + timedelta(days=99), at + timedelta(days=80)
        own = session.scalars(sa.select(Subscription).where(Subscription.customer_uuid == globex.uuid)).unique()
        found = {*own, *(one for one in sold if one.name.startswith("Gold"))}
        return [one.name for one in sorted(found, key=lambda one: (one.created_at, one.uuid), reverse=True)]


def together(pages: list[list[str]]) -> list[str]:
    """The names on all pages, in order."""
    return list(chain.from_iterable(pages))


@BOTH
def test_ties_over_the_edge_of_a_page_come_once_and_in_order(cast: Cast, tied: list[str]) -> None:
    ada = cast.sign_in("admin")
    assert len(tied) == 13, "the four of each that are found, and what Globex had before"
    for sort, expected in (("-since", tied), ("since", tied[::-1])):
        there = walk(ada, f"{LIST}?search=gold&sort={sort}", "Next")
        assert [len(page) for page in there] == [3, 3, 3, 3, 1]
        assert together(there) == expected, sort
        last = f"{LIST}?search=gold&sort={sort}"
        for _ in there[1:]:
            last = link(ada.get(last).text, "Next")
        assert walk(ada, last, "Previous") == there[::-1], sort
        rows = list(csv.reader(io.StringIO(ada.get(f"{LIST}/export.csv?search=gold&sort={sort}").text)))
        assert [row[0] for row in rows[1:]] == expected, sort


@BOTH
def test_ties_are_kept_apart_in_every_order_and_with_a_filter(cast: Cast, tied: list[str]) -> None:
    ada = cast.sign_in("admin")
    ends = [walk(ada, f"{LIST}?search=gold&sort={sort}", "Next") for sort in ("end", "-end")]
    up, down = map(together, ends)
    assert up == down[::-1]
    assert sorted(up) == sorted(tied)
    with cast.app.app_context():
        acme = session.scalars(sa.select(Customer.id).where(Customer.company_name == "Acme")).one()
    narrowed = together(walk(ada, f"{LIST}?search=gold&customer={acme}", "Next"))
    assert sorted(narrowed) == [f"Gold {number}" for number in range(4)]
    assert names(ada.get(f"{LIST}?search=gold+globe+silver").text) == []
