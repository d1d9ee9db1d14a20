"""The measured paths. To add one, add a line to `PATHS`: what is sent, by whom, and what it may cost.

Whatever only reads comes first, and whatever fills rooms comes last, so that no path changes what another one measures.
A connection sends different requests in turn, as many people would, and a change changes something.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from benchmarks.asking import TURNS, TWO_WORDS, Ask, Path, in_turn, member, owner, same, staff
from benchmarks.desk_paths import DESK
from benchmarks.seeding import CODE, LINKED
from benchmarks.sites import Browser, Site
from portal.edge import cursors
from portal.rooms.models import Role, Room
from portal.web.manage.room_list import cursor_after

ROOMS = "/manage/rooms"
API = "/api/v1/rooms"
BY_NAME = f"{API}?orderBy=room_name&cursor="
DEVICES = 60
"""How many people press Join on one connection in one round: more than a round has time for."""
NAMED = 4
"""Every so manieth guest is known by name from an earlier visit, and so gets a join page of their own."""


def _room(site: Site, number: int) -> Room:
    return site.seeded.rooms[number % LINKED]


# ---- what is asked of the portal ----


def by_programs(*addresses: str) -> Callable[[Site, int], list[Ask]]:
    """These addresses by all of the owner's programs in turn."""
    return in_turn(
        lambda site, connection, turn: Ask(_program(site, connection, turn), addresses[turn % len(addresses)])
    )


def _program(site: Site, connection: int, turn: int) -> Browser:
    return site.programs[(connection * TURNS // 8 + turn) % len(site.programs)]


def join_page(site: Site, connection: int, turn: int) -> Ask:
    """The page behind a link, on a device that has never entered; some guests are known by name."""
    at = (connection + turn) % LINKED
    name = f"Guest {connection}-{turn}" if turn % NAMED == 0 else ""
    room = site.seeded.rooms[at]
    return Ask(site.device(room, site.seeded.tokens[Role.GUEST][at], name), room.path)


def joins(role: Role, fields: dict[str, str], first: int = 0) -> Callable[[Site, int], list[Ask]]:
    """Join, pressed by one new device after the other, each connection in a room of its own, from the `first` on."""

    def asks(site: Site, connection: int) -> list[Ask]:
        at = first + connection % LINKED
        room, token = site.seeded.rooms[at], site.seeded.tokens[role][at]
        return [
            Ask(site.device(room, token), room.path, {"name": f"Guest {number}", **fields}) for number in range(DEVICES)
        ]

    return asks


def deep(by: Callable[[Site], Browser]) -> Callable[[Site, int], list[Ask]]:
    """Pages of the list that begin in the middle of all rooms."""

    def asks(site: Site, connection: int, turn: int) -> Ask:
        room = site.seeded.deep[(connection + turn) % len(site.seeded.deep)]
        with site.app.app_context():
            return Ask(by(site), f"{ROOMS}?{urlencode({'after': cursor_after((room.sort_name, room.uuid))})}")

    return in_turn(asks)


def deep_api(site: Site, connection: int, turn: int) -> Ask:
    """Pages of the API's list that begin, by a cursor, in the middle of all rooms."""
    room = site.seeded.deep[(connection + turn) % len(site.seeded.deep)]
    with site.app.app_context():
        cursor = cursors.encode((room.sort_name, room.uuid), of="api.rooms.index", order="room_name asc")
    return Ask(_program(site, connection, turn), f"{API}?{urlencode({'cursor': cursor})}")


def status(site: Site, connection: int, turn: int) -> Ask:
    """A room's status card."""
    return Ask(site.owner, f"{ROOMS}/{_room(site, connection + turn).id}/status")


def api_room(rest: str = "") -> Callable[[Site, int], list[Ask]]:
    """An address of the API below one room after the other."""

    def ask(site: Site, connection: int, turn: int) -> Ask:
        return Ask(_program(site, connection, turn), f"{API}/{_room(site, connection + turn).id}{rest}")

    return in_turn(ask)


def update(site: Site, connection: int, turn: int) -> Ask:
    """Another name and description for the connection's room."""
    fields = {"room_name": f"Board meeting {turn}", "slug": "board", "description": f"Version {turn}.", "active": "y"}
    return Ask(site.owner, f"{ROOMS}/{_room(site, connection).id}/settings", fields)


def api_update(site: Site, connection: int, turn: int) -> Ask:
    """Another name and description for the connection's room."""
    fields = {"room_name": f"Board meeting {turn}", "room_settings": {"description": f"Version {turn}."}}
    return Ask(_program(site, connection, turn), f"{API}/{_room(site, connection).id}", fields, verb="PATCH")


def create_link(site: Site, connection: int, turn: int) -> Ask:
    """A guest link for the connection's room."""
    return Ask(site.owner, f"{ROOMS}/{_room(site, connection).id}/links/new", {"role": "guest", "label": f"No. {turn}"})


def api_create_token(site: Site, connection: int, turn: int) -> Ask:
    """A guest token for the connection's room."""
    fields = {"role": "guest", "label": f"No. {turn}"}
    return Ask(_program(site, connection, turn), f"{API}/{_room(site, connection).id}/tokens", fields)


def create_room(site: Site, connection: int, turn: int) -> Ask:
    """A room of a small owner's: each connection fills an account of its own."""
    return Ask(site.makers[connection % len(site.makers)], f"{ROOMS}/new", {"room_name": f"Bench {turn}"})


def api_create_room(site: Site, connection: int, turn: int) -> Ask:
    """A room of a small owner's: each connection fills an account of its own."""
    return Ask(site.maker_programs[connection % len(site.makers)], API, {"room_name": f"Bench {turn}"})


# ---- what is asked of the reference ----


def _reference(
    site: Site, address: str, fields: dict[str, Any] | None = None, *, json: bool = False, **verb: str
) -> Ask:
    return Ask(Browser(site.reference_port, bearer="any" if json else ""), address, fields, **verb)


def plain(ask: Callable[[Site, Room, str, int], Ask]) -> Callable[[Site, int], list[Ask]]:
    """Requests to the reference: `ask(site, room, by, turn)`, where `by` names alice in the query."""

    def asks(site: Site, connection: int, turn: int) -> Ask:
        return ask(site, _room(site, connection + turn), f"by={_room(site, 0).owner_uuid}", turn)

    return in_turn(asks)


def plain_deep(address: str) -> Callable[[Site, int], list[Ask]]:
    """The reference's list from the middle of all rooms."""

    def asks(site: Site, connection: int, turn: int) -> Ask:
        room = site.seeded.deep[(connection + turn) % len(site.seeded.deep)]
        place = urlencode({"by": room.owner_uuid, "after": f"{room.sort_name}|{room.uuid}"})
        return _reference(site, f"{address}?{place}")

    return in_turn(asks)


def plain_create(address: str, *, json: bool) -> Callable[[Site, int], list[Ask]]:
    """A room of a small owner's."""

    def asks(site: Site, connection: int, turn: int) -> Ask:
        maker = site.seeded.makers[connection % len(site.makers)]
        return _reference(site, f"{address}?by={maker.user_uuid}", {"room_name": f"Bench {turn}"}, json=json)

    return in_turn(asks)


def _text(turn: int) -> dict[str, str]:
    return {"room_name": f"Board meeting {turn}", "description": f"Version {turn}."}


plain_join = plain(lambda site, room, by, _turn: _reference(site, f"/join/{room.id}?{by}"))
plain_list = plain(lambda site, _room, by, _turn: _reference(site, f"/rooms?{by}"))
plain_update = plain(lambda site, room, by, turn: _reference(site, f"/rooms/{room.id}?{by}", _text(turn)))
plain_link = plain(lambda site, room, by, _turn: _reference(site, f"/rooms/{room.id}/links?{by}", {"role": "guest"}))
plain_api_list = plain(lambda site, _room, by, _turn: _reference(site, f"/api/rooms?{by}"))
plain_api_room = plain(lambda site, room, by, _turn: _reference(site, f"/api/rooms/{room.id}?{by}"))
plain_api_token = plain(
    lambda site, room, by, _turn: _reference(site, f"/api/rooms/{room.id}/tokens?{by}", {"role": "guest"}, json=True)
)
plain_api_update = plain(
    lambda site, room, by, turn: _reference(
        site,
        f"/api/rooms/{room.id}?{by}",
        {"room_name": f"Board meeting {turn}", "room_settings": {"description": f"Version {turn}."}},
        json=True,
        verb="PATCH",
    )
)

OK, CREATED, SEE_OTHER = HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.SEE_OTHER
FIRST = (ROOMS, f"{ROOMS}?sort=newest", f"{ROOMS}?status=active", f"{ROOMS}?status=active&sort=newest")
BROAD = tuple(f"search={start}" for start in ("rev", "boa", "mee", "wee", "sem", "lec", "des", "tea"))

PATHS = [
    Path("join page", in_turn(join_page), 0.40, 2, plain_join),
    Path("rooms first", same(owner, *FIRST), 0.22, 3, plain_list),
    Path("rooms deep", deep(owner), 0.22, 3, plain_deep("/rooms")),
    Path("rooms first 1,000", same(owner, *FIRST), 0.22, 3, plain_list, small=True),
    Path("rooms deep 1,000", deep(owner), 0.22, 3, plain_deep("/rooms"), small=True),
    Path("rooms first member", same(member, *FIRST), 0.22, 3),
    Path("rooms first staff", same(staff, *FIRST), 0.22, 3),
    Path("rooms deep staff", deep(staff), 0.22, 3),
    Path("search two words", same(owner, *(f"{ROOMS}?{words}" for words in TWO_WORDS)), 0.15, 3),
    Path("search broad", same(owner, *(f"{ROOMS}?{words}" for words in BROAD)), 0.10, 3),
    Path("status fragment", in_turn(status), 0.25, 5),
    *DESK,
    Path("API rooms first", by_programs(BY_NAME), 0.22, 3, plain_api_list),
    Path("API rooms deep", in_turn(deep_api), 0.22, 3, plain_deep("/api/rooms")),
    Path("API first 1,000", by_programs(BY_NAME), 0.22, 3, plain_api_list, small=True),
    Path("API deep 1,000", in_turn(deep_api), 0.22, 3, plain_deep("/api/rooms"), small=True),
    Path("API search two words", by_programs(*(f"{BY_NAME}&{words}" for words in TWO_WORDS)), 0.15, 3),
    Path("API search broad", by_programs(*(f"{BY_NAME}&{words}" for words in BROAD)), 0.10, 3),
    Path("API one room", api_room(), 0.30, 2, plain_api_room),
    Path("API status", api_room("/status"), 0.25, 3),
    Path("update room", in_turn(update), 0.16, 5, plain_update, SEE_OTHER),
    Path("API update room", in_turn(api_update), 0.16, 5, plain_api_update),
    Path("create link", in_turn(create_link), 0.22, 5, plain_link, SEE_OTHER),
    Path("API create token", in_turn(api_create_token), 0.20, 5, plain_api_token, CREATED),
    Path("create room", in_turn(create_room), 0.18, 6, plain_create("/rooms", json=False), SEE_OTHER),
    Path("API create room", in_turn(api_create_room), 0.16, 6, plain_create("/api/rooms", json=True), CREATED),
    Path("join", joins(Role.GUEST, {}), 0.16, 9, status=SEE_OTHER),
    Path("join with code", joins(Role.ATTENDEE, {"code": CODE}, LINKED), 0.14, 9, status=SEE_OTHER),
]
