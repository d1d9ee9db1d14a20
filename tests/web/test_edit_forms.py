"""Two tabs, or two people, that change one thing at once: nothing is overwritten unseen, and nothing typed is lost."""

import json
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.admission.models import AccessCode
from portal.db import db, session, transaction
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.test_safe_methods import OF_NOBODY, World, program, world

__all__ = ["program", "world"]


class Tab:
    """A page with a form that is open in a browser: what it shows is kept, whatever happens elsewhere."""

    def __init__(self, client: Client, path: str) -> None:
        self.client, self.path = client, path
        self.read(client.get(path))

    def read(self, page: TestResponse) -> None:
        """Take over the form of this page, as a browser shows it."""
        self.page = page
        [form] = [one for one in re.findall(r"<form.*?</form>", page.text, re.S) if 'name="version"' in one]
        self.fields: dict[str, Any] = {}
        controls = r"<(input)\b([^>]*)>()|<(textarea|select)\b([^>]*)>(.*?)</(?:textarea|select)>"
        for found in re.findall(controls, form, re.S):
            tag, about, inside = found[:3] if found[0] else found[3:]
            said = dict(re.findall(r'([\w-]+)="([^"]*)"', about))
            name, value = said.get("name", ""), unescape(said.get("value", ""))
            if "disabled" in about.split():
                continue
            if tag == "textarea":
                self.fields[name] = unescape(inside.strip())
            elif tag == "select":
                chosen = re.search(r'selected[^>]*value="([^"]*)"', inside) or re.search(r'value="([^"]*)"', inside)
                self.fields[name] = unescape(chosen[1]) if chosen else ""
            elif said.get("type") == "checkbox":
                self.fields.setdefault(name, [])
                if "checked" in about.split():
                    self.fields[name].append(value or "y")
            else:
                self.fields[name] = value

    def save(self, **changes: Any) -> TestResponse:
        """Type these values, and press Save; the answer is what the tab shows next."""
        self.fields |= changes
        answer = self.client.post(self.path, data=self.fields)
        if answer.status_code != 303:
            self.read(answer)
        return answer

    def contested(self) -> dict[str, tuple[str, str]]:
        """Name of a field → their value and one's own, as the page shows them."""
        found = re.findall(r'id="error-(\w+)".*?<dl class="contest">(.*?)</dl>', self.page.text, re.S)
        values = {name: re.findall(r"<dd>(.*?)</dd>", text, re.S) for name, text in found}
        return {name: (unescape(theirs), unescape(yours)) for name, (theirs, yours) in values.items()}


@pytest.fixture
def settings(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/settings"


@BOTH
def test_two_tabs_that_change_different_fields_both_count(cast: Cast, settings: str, app: Flask) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    assert first.save(description="By the first", mute_on_start=["y"]).status_code == 303
    assert second.save(room_name="By the second", max_participants="9").status_code == 303
    with app.app_context():
        room = cast.room()
        assert (room.room_name, room.slug) == ("By the second", "by-the-second")
        assert room.room_settings == {"description": "By the first", "mute_on_start": True}
        assert room.room_features == {"max_participants": 9}


@BOTH
def test_who_is_late_sees_both_values_and_keeps_his(cast: Cast, settings: str, app: Flask) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    assert first.save(room_name="<Theirs>", max_participants="").status_code == 303
    late = second.save(room_name="Mine", description="Only mine", max_participants="7")
    assert late.status_code == 409
    assert second.contested() == {"room_name": ("<Theirs>", "Mine")}
    assert (second.fields["room_name"], second.fields["description"]) == ("Mine", "Only mine")
    assert "Keep mine" in late.text
    with app.app_context():
        assert (cast.room().room_name, cast.room().room_settings) == ("<Theirs>", {})
    assert second.save().status_code == 303
    with app.app_context():
        assert (cast.room().room_name, cast.room().room_settings) == ("Mine", {"description": "Only mine"})
        assert cast.room().room_features == {"max_participants": 7}


@BOTH
def test_who_is_late_takes_theirs_and_saves_the_rest_of_his(cast: Cast, settings: str, app: Flask) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    first.save(room_name="Theirs", room_metadata='{"n": 1}', max_participants="5")
    late = second.save(room_name="Mine", description="Only mine", room_metadata='{"n": 1.0}', max_participants="6")
    assert late.status_code == 409
    assert set(second.contested()) == {"room_name", "room_metadata", "max_participants"}
    assert second.contested()["max_participants"] == ("5", "6")
    [names] = re.findall(r'name="take_theirs" value="([^"]+)"', late.text)
    assert second.save(take_theirs=names).status_code == 303
    with app.app_context():
        room = cast.room()
        assert (room.room_name, room.room_settings) == ("Theirs", {"description": "Only mine"})
        assert (json.dumps(room.room_metadata), room.room_features) == ('{"n": 1}', {"max_participants": 5})


def test_a_third_change_is_seen_as_well(cast: Cast, settings: str) -> None:
    alice = cast.sign_in("alice")
    first, second, third = (Tab(alice, settings) for _ in range(3))
    first.save(room_name="First")
    assert second.save(room_name="Second").status_code == 409
    assert third.save(room_name="Third").status_code == 409
    assert third.save().status_code == 303
    assert second.save().status_code == 409
    assert second.contested() == {"room_name": ("Third", "Second")}
    assert second.save().status_code == 303


def test_who_made_the_same_change_is_asked_nothing(cast: Cast, settings: str) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    assert first.save(room_name="Same").status_code == 303
    assert second.save(room_name=" Same ").status_code == 303


def test_a_refusal_and_a_contest_are_shown_together(cast: Cast, settings: str) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    first.save(room_name="Theirs", description="Theirs, too")
    late = second.save(room_name="Mine", max_participants="many")
    assert late.status_code == 409
    assert second.contested() == {"room_name": ("Theirs", "Mine")}
    assert second.fields["description"] == "Theirs, too", "what was left alone is shown as it is now"
    assert second.fields["max_participants"] == "many"
    assert second.save(max_participants="4").status_code == 303


def test_a_refused_form_still_knows_what_it_showed(cast: Cast, settings: str) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, settings), Tab(alice, settings)
    assert second.save(room_name="").status_code == 422
    first.save(room_name="Theirs")
    assert second.save(room_name="Mine").status_code == 409
    assert second.contested() == {"room_name": ("Theirs", "Mine")}


def test_a_form_that_outlived_its_session_still_knows_what_it_showed(cast: Cast, settings: str) -> None:
    alice, other = cast.sign_in("alice"), cast.sign_in("alice")
    kept = Tab(alice, settings)
    alice.post("/sign-out", data={"csrf_token": alice.token("/me")})
    asked = alice.post(settings, data=kept.fields | {"room_name": "Mine"})
    assert asked.status_code == 401
    Tab(other, settings).save(room_name="Theirs")
    came_back = alice.post(
        "/sign-in", data={**_hidden(asked.text), "email": "alice@demo.example", "password": "demo-demo-demo"}
    )
    assert came_back.status_code == 200
    shown = alice.post(settings, data=_hidden(came_back.text))
    kept.read(shown)
    assert kept.fields["room_name"] == "Mine"
    assert kept.save().status_code == 409
    assert kept.contested() == {"room_name": ("Theirs", "Mine")}


def _hidden(html: str) -> dict[str, str]:
    """What a page sends on without showing it."""
    inputs = [dict(re.findall(r'([\w-]+)="([^"]*)"', one)) for one in re.findall(r"<input[^>]*>", html)]
    texts = re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', html, re.S)
    sent = {one["name"]: one.get("value", "") for one in inputs if one.get("type") == "hidden"} | dict(texts)
    return {name: unescape(value) for name, value in sent.items()}


@BOTH
def test_a_link_that_two_change(cast: Cast, app: Flask) -> None:
    alice, path = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/edit"
    first, second = Tab(alice, path), Tab(alice, path)
    assert first.save(role="attendee", expires_at="2199-01-01T10:00").status_code == 303
    assert second.save(role="moderator", label="Mine").status_code == 409
    assert second.contested() == {"role": ("Attendee", "Moderator")}
    assert second.fields["expires_at"] == "2199-01-01T10:00"
    assert second.save(role="attendee").status_code == 303
    with app.app_context():
        link = cast.token(Role.GUEST)
        assert (link.role, link.label, link.expires_at and link.expires_at.year) == (Role.ATTENDEE, "Mine", 2199)


def test_a_code_that_two_change(cast: Cast, app: Flask) -> None:
    with app.app_context():
        code = session.scalars(sa.select(AccessCode.id)).one()
    alice, path = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/codes/{code}/edit"
    first, second = Tab(alice, path), Tab(alice, path)
    assert first.save(code="THEIRS-1", label="").status_code == 303
    assert second.save(code="MINE-1", label="Mine").status_code == 409
    assert second.contested() == {"code": ("THEIRS-1", "MINE-1"), "label": ("empty", "Mine")}


@BOTH
def test_rights_that_two_change_are_merged_one_by_one(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        member = session.scalars(sa.select(RoomMember)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.STATUS_VIEW, Permission.CODES_VIEW]
        path = f"/manage/rooms/{cast.board}/people/{member.id}/edit"
    alice = cast.sign_in("alice")
    first, second = Tab(alice, path), Tab(alice, path)
    assert first.save(permissions=["codes:view", "tokens:view"]).status_code == 303
    assert second.save(permissions=["status:view", "codes:view", "members:view"]).status_code == 303
    with app.app_context():
        member = session.scalars(sa.select(RoomMember)).unique().one()
        assert set(member.permissions) == {"room:view", "codes:view", "tokens:view", "members:view"}


def test_a_right_that_the_editor_lacks_stays(cast: Cast, app: Flask) -> None:
    """Bob may not touch it, so his browser does not send it; which does not mean that he withdrew it."""
    with app.app_context(), transaction():
        member = session.scalars(sa.select(RoomMember)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.MEMBERS_VIEW, Permission.MEMBERS_MANAGE]
        charlie = RoomMember(
            room_uuid=member.room_uuid,
            user_uuid=cast.user("charlie").uuid,
            permissions=[Permission.ROOM_VIEW, Permission.CODES_VIEW],
        )
        db.session.add(charlie)
        db.session.flush()
        path = f"/manage/rooms/{cast.board}/people/{charlie.id}/edit"
    alice, bob = Tab(cast.sign_in("alice"), path), Tab(cast.sign_in("bob"), path)
    assert alice.save(permissions=["codes:view", "tokens:view"]).status_code == 303
    assert bob.save(permissions=["members:view"]).status_code == 303
    with app.app_context():
        charlie = session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == cast.user("charlie").uuid)).one()
        assert set(charlie.permissions) == {"room:view", "codes:view", "tokens:view", "members:view"}


def test_a_webhook_that_two_change(cast: Cast) -> None:
    alice, hooks = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/webhooks"
    page = alice.send(f"{hooks}/new", url="https://hooks.example/room", events=["room.ended"]).location
    first, second = Tab(alice, f"{page}/edit"), Tab(alice, f"{page}/edit")
    assert first.save(url="https://hooks.example/theirs", events=["room.ended", "room.started"]).status_code == 303
    assert second.save(url="https://hooks.example/mine", events=["token.created"]).status_code == 409
    assert second.contested() == {"url": ("https://hooks.example/theirs", "https://hooks.example/mine")}
    assert sorted(second.fields["events"]) == ["room.started", "token.created"]


def test_an_event_that_was_added_meanwhile_is_not_dropped_by_somebody_who_may_not_see_it(
    cast: Cast, app: Flask
) -> None:
    """He is told that he cannot save it, as if it had been there when he opened the form."""
    alice, bob, hooks = cast.sign_in("alice"), cast.sign_in("bob"), f"/manage/rooms/{cast.board}/webhooks"
    with app.app_context(), transaction():
        member = session.scalars(sa.select(RoomMember)).unique().one()
        member.permissions = [Permission.ROOM_VIEW, Permission.ROOM_EDIT]
    page = alice.send(f"{hooks}/new", url="https://hooks.example/room", events=["room.updated"]).location
    his = Tab(bob, f"{page}/edit")
    assert Tab(alice, f"{page}/edit").save(events=["room.updated", "member.added"]).status_code == 303
    refused = his.save(description="Mine")
    assert refused.status_code == 403
    assert "member.added" in refused.text


@BOTH
def test_a_profile_that_two_tabs_change(cast: Cast, app: Flask) -> None:
    alice = cast.sign_in("alice")
    first, second = Tab(alice, "/me"), Tab(alice, "/me")
    assert first.save(timezone="Europe/Berlin").status_code == 303
    assert second.save(name="Alice M.").status_code == 303
    with app.app_context():
        assert (cast.user("alice").name, cast.user("alice").timezone) == ("Alice M.", "Europe/Berlin")


def test_a_time_that_was_left_alone_keeps_its_seconds(cast: Cast, app: Flask) -> None:
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = moment = datetime(2199, 1, 1, 10, 0, 42, tzinfo=UTC)
    alice, path = cast.sign_in("alice"), f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/edit"
    tab = Tab(alice, path)
    with app.app_context(), transaction():
        cast.token(Role.GUEST).expires_at = later = moment.replace(year=2200)
    assert tab.save(label="Mine").status_code == 303
    with app.app_context():
        assert cast.token(Role.GUEST).expires_at == later


@pytest.mark.parametrize("version", ["", "[]", "{", '{"room_name": 5}', "null", "9" * 5000, "[" * 20_000])
def test_a_version_that_nobody_wrote_does_no_harm(cast: Cast, settings: str, version: str) -> None:
    tab = Tab(cast.sign_in("alice"), settings)
    assert tab.save(version=version, room_name="Mine").status_code in {303, 409}


@BOTH
@pytest.mark.parametrize("kind", ["links", "codes"])
def test_a_form_locks_the_room_before_what_is_in_it(cast: Cast, app: Flask, kind: str) -> None:
    """As whoever enters does: two that lock one after the other in two orders would wait for each other for ever."""
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{cast.board}/{kind}").text
    path = re.search(rf'"(/manage/rooms/{cast.board}/{kind}/[^/"]+/edit)"', page)
    assert path is not None
    tab = Tab(alice, path[1])
    with app.app_context():
        engine = db.engine
    with statements(engine) as seen:
        assert tab.save(label="Other").status_code == 303
    if engine.dialect.name == "postgresql":
        locked = [re.findall(r"FOR NO KEY UPDATE OF (\w+)", one) for one in seen]
        assert next(tables[0] for tables in locked if tables) == "rooms"


def test_every_form_that_saves_a_change_carries_the_version_it_showed(world: World, app: Flask) -> None:
    saving, without = set(), []
    taking = {rule.rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    for rule in app.url_map.iter_rules():
        if rule.rule not in taking or "GET" not in (rule.methods or ()) or rule.endpoint in OF_NOBODY:
            continue
        for address in world.addresses(rule):
            html = world.people[0].get(address).text
            for form in re.findall(r'<form method="post".*?</form>', html, re.S):
                if re.search(r"<button[^>]*>\s*Save\s*</button>", form):
                    saving.add(rule.endpoint)
                    if 'name="version" value="{' not in form or "data-asks" not in form:
                        without.append(rule.endpoint)
    assert without == []
    assert saving >= {"room_settings.show", "links.edit", "codes.edit", "people.edit", "webhooks.edit", "session.me"}
