"""The lists of the admin's pages, asked by staff: 100,000 customers, subscriptions, rooms and lines of the audit."""

from urllib.parse import urlencode

from benchmarks.asking import TWO_WORDS, Ask, Path, in_turn, same, staff
from benchmarks.sites import Site
from portal.edge import cursors

CUSTOMERS, SUBSCRIPTIONS, ROOMS, AUDIT = (f"/admin/{noun}" for noun in ("customers", "subscriptions", "rooms", "audit"))


def deep_customers(site: Site, connection: int, turn: int) -> Ask:
    """Pages of the list of customers that begin in the middle, at a customer that has a room's name and uuid."""
    room = site.seeded.deep[(connection + turn) % len(site.seeded.deep)]
    with site.app.app_context():
        after = cursors.encode((room.sort_name, room.uuid), of="admin customers", order="name")
    return Ask(site.staff, f"{CUSTOMERS}?{urlencode({'after': after})}")


def of(address: str, *asked: str) -> tuple[str, ...]:
    """The list at this address, plain and with each of these queries."""
    return (address, *(f"{address}?{query}" for query in asked))


DESK = [
    Path("desk customers", same(staff, *of(CUSTOMERS, "sort=-since", "status=active")), 0.15, 2, desk=True),
    Path("desk customers deep", in_turn(deep_customers), 0.15, 2, desk=True),
    Path("desk customers search", same(staff, *of(CUSTOMERS, *TWO_WORDS)[1:]), 0.12, 2, desk=True),
    Path(
        "desk subscriptions",
        same(staff, *of(SUBSCRIPTIONS, "sort=end", "status=ending&sort=end", "status=inactive")),
        0.12,
        3,
        desk=True,
    ),
    Path("desk sold search", same(staff, *of(SUBSCRIPTIONS, *TWO_WORDS)[1:]), 0.08, 3, desk=True),
    Path("desk rooms", same(staff, *of(ROOMS, "sort=-created", "status=live", "type=meet")), 0.12, 3, desk=True),
    Path("desk rooms search", same(staff, *of(ROOMS, *TWO_WORDS)[1:]), 0.10, 3, desk=True),
    Path("desk audit", same(staff, *of(AUDIT, "time=day", "kind=rooms", "kind=webhook_endpoints")), 0.12, 2, desk=True),
]
