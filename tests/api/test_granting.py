"""Nobody grants what he lacks, by no way round: not by time, not by waking what sleeps, not by racing."""

import re
from collections.abc import Iterable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.models import AccessCode, RoomToken
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import lock, session, transaction
from portal.edge.i18n import ending_label
from portal.people.actor import actor_of
from portal.permissions.members import RoomMember
from portal.rooms.models import Role, Room
from portal.status.locking import lock_room
from portal.status.models import Ending
from portal.web.manage.room_list import page_of_rooms
from portal.webhooks.models import WebhookEndpoint
from tests.api.conftest import NewProgram
from tests.cast import CODE, Cast, new_room
from tests.conftest import BOTH


def let_bob(cast: Cast, app: Flask, permissions: Iterable[str]) -> None:
    with app.app_context(), transaction():
        session.scalars(sa.select(RoomMember)).one().permissions = ["room:view", *permissions]


def test_another_end_of_a_membership_gives_all_that_it_holds(
    cast: Cast,
    app: Flask,
    program: NewProgram,
) -> None:
    let_bob(cast, app, ["members:view", "members:manage"])
    ended = now() - timedelta(days=1)
    with app.app_context(), transaction():
        more = RoomMember(room=cast.room(), user=cast.user("charlie"), until=ended)
        more.permissions = ["room:view", "room:moderate"]
        session.add(more)
        session.flush()
        path = f"/rooms/{cast.board}/users/{more.user.id}"
    bob = program("bob")
    assert bob.patch(path, {"until": None}).status_code == 403
    with app.app_context():
        assert session.scalars(sa.select(RoomMember.until).where(RoomMember.until.is_not(None))).one() == ended
    assert program("alice").patch(path, {"until": None}).status_code == 200


def test_who_may_not_moderate_wakes_no_moderator_link(cast: Cast, app: Flask) -> None:
    let_bob(cast, app, ["tokens:view", "tokens:manage"])
    with app.app_context(), transaction():
        cast.token(Role.MODERATOR).paused_at = now()
    bob, link = cast.sign_in("bob"), f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.MODERATOR]}"
    assert bob.send(f"{link}/resumption", page="/me").status_code == 403
    with app.app_context(), transaction():
        assert cast.token(Role.MODERATOR).paused_at is not None
        cast.token(Role.MODERATOR).revoked_at = now()
    assert bob.send(f"{link}/reinstatement", page="/me").status_code == 403
    with app.app_context():
        assert cast.token(Role.MODERATOR).revoked_at is not None
    assert cast.sign_in("alice").send(f"{link}/reinstatement", page="/me").status_code == 303


def test_a_program_wakes_no_moderator_link_either(cast: Cast, app: Flask, program: NewProgram) -> None:
    let_bob(cast, app, ["tokens:view", "tokens:manage"])
    with app.app_context(), transaction():
        cast.token(Role.MODERATOR).paused_at = now()
    path = f"/rooms/{cast.board}/tokens/{cast.link_ids[Role.MODERATOR]}"
    assert program("bob").patch(path, {"paused": False}).status_code == 403
    assert program("alice").patch(path, {"paused": False}).status_code == 200


CODES = ["codes:view", "codes:manage"]


def codes_in(app: Flask) -> dict[str, Role]:
    """Code → role, of all there are."""
    with app.app_context():
        return {code.code: code.role for code in session.scalars(sa.select(AccessCode))}


def test_a_program_that_may_not_moderate_leaves_the_moderators_codes_alone(
    cast: Cast,
    app: Flask,
    program: NewProgram,
) -> None:
    let_bob(cast, app, CODES)
    alice, bob, path = program("alice"), program("bob"), f"/rooms/{cast.board}/access-codes"
    chair = alice.post(path, {"role": "moderator", "code": "CHAIR-1"}).json["data"]
    press = alice.post(path, {"role": "guest", "code": "PRESS-1"}).json["data"]
    before = codes_in(app)
    assert bob.post(path, {"role": "moderator"}).status_code == 403
    assert bob.patch(f"{path}/{chair['id']}", {"code": "MINE-1"}).status_code == 403
    assert bob.patch(f"{path}/{chair['id']}", {"role": "guest"}).status_code == 403
    assert bob.patch(f"{path}/{press['id']}", {"role": "moderator"}).status_code == 403
    assert bob.delete(f"{path}/{chair['id']}").status_code == 403
    assert codes_in(app) == before
    assert bob.get(f"{path}/{chair['id']}").status_code == 200
    assert bob.post(path, {"role": "attendee", "code": "MINE-1"}).status_code == 201
    assert bob.patch(f"{path}/{press['id']}", {"code": "PRESS-2"}).status_code == 200
    assert bob.delete(f"{path}/{press['id']}").status_code == 204
    let_bob(cast, app, [*CODES, "room:moderate"])
    assert bob.delete(f"{path}/{chair['id']}").status_code == 204


def test_the_pages_offer_and_take_nothing_about_moderators_codes_either(cast: Cast, app: Flask) -> None:
    let_bob(cast, app, CODES)
    alice, bob, codes = cast.sign_in("alice"), cast.sign_in("bob"), f"/manage/rooms/{cast.board}/codes"
    assert alice.send(f"{codes}/new", role="moderator", code="CHAIR-1").status_code == 303
    with app.app_context():
        ids = {code.role: code.id for code in session.scalars(sa.select(AccessCode))}
    page = bob.get(codes).text
    for act in ("edit", "deletion"):
        assert f"{codes}/{ids[Role.ATTENDEE]}/{act}" in page
        assert f"{codes}/{ids[Role.MODERATOR]}/{act}" not in page
        assert f"{codes}/{ids[Role.MODERATOR]}/{act}" in alice.get(codes).text
    assert 'value="moderator"' not in bob.get(f"{codes}/new").text
    assert bob.send(f"{codes}/new", role="moderator", code="MINE-1").status_code == 422
    assert bob.get(f"{codes}/{ids[Role.MODERATOR]}/edit").status_code == 403
    assert bob.send(f"{codes}/{ids[Role.MODERATOR]}/edit", page="/me", role="guest").status_code == 403
    assert bob.send(f"{codes}/{ids[Role.ATTENDEE]}/edit", role="moderator", code="MINE-1").status_code == 422
    assert bob.send(f"{codes}/{ids[Role.MODERATOR]}/deletion", page="/me").status_code == 403
    assert codes_in(app) == {CODE: Role.ATTENDEE, "CHAIR-1": Role.MODERATOR}


def test_who_may_not_moderate_brings_no_moderators_code_back(cast: Cast, app: Flask) -> None:
    let_bob(cast, app, CODES)
    alice, bob, codes = cast.sign_in("alice"), cast.sign_in("bob"), f"/manage/rooms/{cast.board}/codes"
    assert alice.send(f"{codes}/new", role="moderator", code="CHAIR-1").status_code == 303
    with app.app_context():
        chair = session.scalars(sa.select(AccessCode.id).where(AccessCode.role == Role.MODERATOR)).one()
    page = alice.send(f"{codes}/{chair}/deletion", page="/me").location
    (undo,) = re.findall(r'action="([^"]+/restoration[^"]+)"', alice.get(page).text)
    assert bob.send(unescape(undo), page="/me").status_code == 403
    assert codes_in(app) == {CODE: Role.ATTENDEE}
    assert alice.send(unescape(undo), page="/me").status_code == 303
    assert codes_in(app) == {CODE: Role.ATTENDEE, "CHAIR-1": Role.MODERATOR}


@BOTH
def test_a_change_keeps_what_another_one_has_just_changed(
    cast: Cast,
    app: Flask,
    program: NewProgram,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice, path = program("alice"), f"/rooms/{cast.board}/tokens/{cast.link_ids[Role.MODERATOR]}"

    def wait_for_another(room_uuid: UUID) -> Room | None:
        """As if another request had held the room until it had made a guest link of this one."""
        session.execute(
            sa.update(RoomToken)
            .where(RoomToken.id == cast.link_ids[Role.MODERATOR])
            .values(role=Role.GUEST)
            .execution_options(synchronize_session=False)
        )
        return lock_room(room_uuid)

    monkeypatch.setattr("portal.admission.tokens.lock_room", wait_for_another)
    changed = alice.patch(path, {"label": "Renamed"}).json["data"]
    assert (changed["label"], changed["role"]) == ("Renamed", "guest")


@BOTH
@pytest.mark.parametrize("what", ["a code's deletion", "a code's text", "a link's resumption"])
def test_a_role_that_another_one_has_just_raised_is_the_one_that_counts(
    cast: Cast, app: Flask, program: NewProgram, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Who may not moderate got hold of what became a moderator's while he asked."""
    let_bob(cast, app, ["codes:view", "codes:manage", "tokens:view", "tokens:manage"])
    with app.app_context(), transaction():
        cast.token(Role.GUEST).paused_at = now()
        code_id = session.scalars(sa.select(AccessCode)).one().id
    model: type[AccessCode | RoomToken] = RoomToken if what == "a link's resumption" else AccessCode

    def wait_for_another(room_uuid: UUID) -> Room | None:
        raised = sa.update(model).where(model.role != Role.MODERATOR).values(role=Role.MODERATOR)
        session.execute(raised.execution_options(synchronize_session=False))
        return lock_room(room_uuid)

    for module in ("codes", "tokens"):
        monkeypatch.setattr(f"portal.admission.{module}.lock_room", wait_for_another)
    bob, code = program("bob"), f"/rooms/{cast.board}/access-codes/{code_id}"
    link = f"/rooms/{cast.board}/tokens/{cast.link_ids[Role.GUEST]}"
    answer = {
        "a code's deletion": lambda: bob.call("DELETE", code),
        "a code's text": lambda: bob.patch(code, {"code": "BOBS-OWN"}),
        "a link's resumption": lambda: bob.patch(link, {"paused": False}),
    }[what]()
    assert answer.status_code == 403
    with app.app_context():
        assert session.scalars(sa.select(AccessCode)).one().code == CODE
        assert cast.token(Role.GUEST).paused_at is not None


@BOTH
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("what", ["code", "member", "webhook", "link"])
def test_what_another_one_has_just_deleted_is_not_there(
    cast: Cast, app: Flask, program: NewProgram, monkeypatch: pytest.MonkeyPatch, what: str, method: str
) -> None:
    """Neither an error of ours nor a second deletion in the audit."""
    alice, at = program("alice"), f"/rooms/{cast.board}"
    hook = {"room_id": cast.board, "url": "https://hooks.example/", "events": ["room.ended"]}
    assert alice.post("/webhooks", hook).status_code == 201
    kinds: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "code": (AccessCode, f"{at}/access-codes/{{0.id}}", {"label": "x"}),
        "member": (RoomMember, f"{at}/users/{{0.user.id}}", {"until": None}),
        "webhook": (WebhookEndpoint, "/webhooks/{0.id}", {"description": "x"}),
        "link": (RoomToken, f"{at}/tokens/{{0.id}}", {"label": "x"}),
    }
    model, path, change = kinds[what]
    lines = sa.select(sa.func.count()).select_from(AuditEvent)
    with app.app_context():
        own = sa.select(model).order_by(model.uuid)
        if what == "link":
            own = own.where(RoomToken.role == Role.ATTENDEE)
        thing = session.scalars(own).unique().one()
        uuid, address, before = thing.uuid, path.format(thing), session.scalar(lines)

    def wait_for_another(taken: Any) -> None:
        gone = sa.delete(model).where(model.uuid == uuid)
        session.execute(gone.execution_options(synchronize_session=False))
        lock(taken)

    for module in (
        "admission.codes",
        "admission.tokens",
        "permissions.operations",
        "webhooks.operations",
        "api.v1.users",
    ):
        monkeypatch.setattr(f"portal.{module}.lock", wait_for_another)
    answer = alice.call(method, address, change if method == "PATCH" else None)
    assert answer.status_code == 404, answer.text
    with app.app_context():
        assert session.scalar(lines) == before


def test_every_way_to_end_has_words(app: Flask) -> None:
    with app.test_request_context():
        assert len({ending_label(ending) for ending in Ending}) == len(Ending)


@pytest.mark.parametrize("moment", ["9999-12-31T23:30:00Z", "0001-01-01", "1999-12-31"])
def test_a_moment_that_not_every_time_zone_has_is_refused(
    cast: Cast,
    program: NewProgram,
    moment: str,
) -> None:
    refused = program("alice").post(f"/rooms/{cast.board}/tokens", {"role": "guest", "expires_at": moment})
    assert refused.status_code == 422
    assert list(refused.json["errors"]) == ["expires_at"]


def test_lists_go_on_after_the_longest_names(cast: Cast, app: Flask, program: NewProgram) -> None:
    with app.app_context(), transaction():
        room = cast.room()
        next(one for one in room.subscription.features if one.code == "max_rooms").number = 100
        for number in range(27):
            name = "".join(chr(0x4E00 + (number * 631 + place * 97) % 20_000) for place in range(200))
            new_room(account=room.account, room_name=name, by=actor_of(cast.user("alice")))
    with app.app_context():
        following = page_of_rooms(actor_of(cast.user("alice"))).next
    assert len(following) > 500
    first, second = (cast.sign_in("alice").get(f"/manage/rooms?after={after}").text for after in ("", following))
    assert "data-room" in second
    assert not set(_ids(first)) & set(_ids(second))
    alice, seen, cursor = program("alice"), 0, ""
    while cursor is not None:
        answer = alice.get(f"/rooms?orderBy=room_name&limit=10&cursor={cursor}")
        assert answer.status_code == 200, answer.text
        seen, cursor = seen + len(answer.json["data"]), answer.json["meta"]["pagination"]["cursor"]["next"]
    assert seen == 29


def _ids(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('data-room="')[1:]]
