"""The first page of staff: what needs attention now, and which rooms are live. Made of blocks, which nouns add.

A block is shown to those who may read its noun, and only while it has something to say; it shows no numbers that
nobody acts upon.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.clock import now
from portal.edge import actor
from portal.edge.i18n import last_day
from portal.edge.staff_guard import staff, staff_can
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.status.subscription_usage import reached_limits
from portal.subscriptions.dates import zone_of
from portal.subscriptions.endings import WARNINGS, end_of
from portal.subscriptions.models import Subscription
from portal.subscriptions.phases import Phase, phase_of
from portal.subscriptions.queries import (
    ended_subscriptions,
    ending_subscriptions,
    failing_providers,
    inactive_default_providers,
)
from portal.web.admin.first_steps import first_steps
from portal.web.manage.room_filter import RoomFilter, StatusFilter
from portal.web.manage.room_list import page_of_rooms
from portal.web.manage.room_rows import Row

bp = Blueprint("admin", __name__, url_prefix="/admin")

MOST = 8
"""How many things a block shows at most; it reads one more, to say that there are others."""


@dataclass(frozen=True)
class HomeBlock:
    """One block: its template gets as `things` what `find` returns, at most `MOST`, and as `more` if there are others.

    `urgent`: whether the things need somebody to act, so that the page is not calm.
    """

    template: str
    permission: StaffPermission
    find: Callable[[Actor], Sequence[Any]]
    urgent: bool = True


@dataclass(frozen=True)
class FoundBlock:
    """A block that has something to say."""

    template: str
    things: Sequence[Any]
    more: bool
    urgent: bool


def _live_rooms(somebody: Actor) -> Sequence[Row]:
    return page_of_rooms(somebody, asked=RoomFilter(status=StatusFilter.LIVE)).live


@dataclass(frozen=True)
class DatedSubscription:
    """A subscription that ends soon or ended lately, with the last days of its term and of the grace it is in."""

    id: str
    name: str
    customer_name: str
    last_day: str
    last_day_of_grace: str


def _ending_subscriptions(_somebody: Actor) -> Sequence[DatedSubscription]:
    return [_dated(one) for one in ending_subscriptions(now(), days=WARNINGS[0], limit=MOST + 1)]


def _ended_subscriptions(_somebody: Actor) -> Sequence[DatedSubscription]:
    return [_dated(one) for one in ended_subscriptions(now(), days=WARNINGS[0], limit=MOST + 1)]


def _dated(one: Subscription) -> DatedSubscription:
    zone, end = zone_of(one.customer), end_of(one)
    grace = one.grace_until if phase_of(one, now()) is Phase.GRACE else None
    days = (last_day(moment, zone) if moment is not None else "" for moment in (end, grace))
    return DatedSubscription(one.id, one.name, one.customer.display_name, *days)


BLOCKS = (
    HomeBlock("admin/home/_first_steps.html", StaffPermission.DASHBOARD_ACCESS, first_steps),
    HomeBlock(
        "admin/home/_inactive_services.html",
        StaffPermission.PROVIDERS_READ,
        lambda _somebody: inactive_default_providers(limit=MOST + 1),
    ),
    HomeBlock(
        "admin/home/_failing_services.html",
        StaffPermission.PROVIDERS_READ,
        lambda _somebody: failing_providers(limit=MOST + 1),
    ),
    HomeBlock("admin/home/_ended_subscriptions.html", StaffPermission.SUBSCRIPTIONS_READ, _ended_subscriptions),
    HomeBlock("admin/home/_ending_subscriptions.html", StaffPermission.SUBSCRIPTIONS_READ, _ending_subscriptions),
    HomeBlock(
        "admin/home/_reached_limits.html",
        StaffPermission.SUBSCRIPTIONS_READ,
        lambda _somebody: reached_limits(MOST + 1),
    ),
    HomeBlock("admin/home/_live_rooms.html", StaffPermission.ROOMS_READ, _live_rooms, urgent=False),
)
"""In the order of the page: first what needs somebody to act."""


@bp.get("")
@staff(StaffPermission.DASHBOARD_ACCESS)
def index() -> ResponseReturnValue:
    """Show what needs attention, and the rooms that are live."""
    somebody = actor.someone()
    found = [
        FoundBlock(block.template, things[:MOST], len(things) > MOST, block.urgent)
        for block in BLOCKS
        if staff_can(block.permission) and (things := block.find(somebody))
    ]
    return render_template("admin/home/index.html", blocks=found, calm=not any(block.urgent for block in found))
