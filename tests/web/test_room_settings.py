"""The settings of a room as a form that is drawn from what is declared, and what they really do."""

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.providers import registry
from portal.providers.base import Places
from portal.providers.mesh.adapter import Mesh
from portal.rooms.features import narrowable_features
from portal.rooms.models import Role
from portal.rooms.settings import declared
from portal.status.models import Participation
from portal.subscriptions.models import SubscriptionFeature
from tests.cast import Cast, Client

FIELDS = {"room_name": "Board meeting", "slug": "board-meeting", "active": "y"}


@pytest.fixture
def alice(cast: Cast) -> Client:
    return cast.sign_in("alice")


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/settings"


def kept(cast: Cast) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    with cast.app.app_context():
        room = cast.room()
        return room.room_settings, room.room_features, room.room_metadata


def test_every_declared_setting_and_every_feature_of_the_plan_that_can_be_narrowed_has_a_field(
    cast: Cast, app: Flask, alice: Client, path: str
) -> None:
    page = alice.get(path).text
    names = set(re.findall(r'name="([^"]+)"', page))
    with app.app_context():
        room = cast.room()
        assert set(declared(room.room_type, room.subscription.provider.provider_type)) <= names
        codes = {feature.code for feature in narrowable_features(room.room_type)}
        assert names & codes == codes & set(room.subscription.values) >= {"max_participants", "public_chat"}
    assert {"room_metadata", "room_name", "slug"} <= names
    assert not {"max_rooms", "max_outputs", "allow_create_account"} & names


def test_everything_that_can_be_set_is_kept_and_shown_again(cast: Cast, alice: Client, path: str) -> None:
    fields = FIELDS | {
        "description": "Hello",
        "featured_image": "https://example.org/f.png",
        "hero_image": "https://example.org/h.png",
        "wait_for_host": "y",
        "guest_policy": "refuse",
        "mute_on_start": "y",
        "max_participants": "5",
        "recording": "off",
        "public_chat": "plan",
        "room_metadata": '{"crm": {"id": 456}}',
    }
    assert alice.send(path, **fields).status_code == 303
    settings, features, metadata = kept(cast)
    assert settings == {
        "description": "Hello",
        "featured_image": "https://example.org/f.png",
        "hero_image": "https://example.org/h.png",
        "wait_for_host": True,
        "guest_policy": "refuse",
        "mute_on_start": True,
    }
    assert features == {"max_participants": 5, "recording": False}
    assert metadata == {"crm": {"id": 456}}
    page = unescape(alice.get(path).text)
    for words in ('value="https://example.org/h.png"', '"id": 456', 'selected value="refuse"', 'selected value="off"'):
        assert words in page
    emptied = dict.fromkeys(("description", "featured_image", "hero_image", "max_participants", "room_metadata"), "")
    assert alice.send(path, **FIELDS, **emptied, guest_policy="accept", recording="plan").status_code == 303
    assert kept(cast) == ({}, {}, {})


def test_what_the_form_does_not_show_survives_it(cast: Cast, app: Flask, alice: Client, path: str) -> None:
    settings = {"x_theme": "blue", "wait_for_host": False}
    features = {"max_participants": True, "recording": 3, "max_duration": 0, "max_rooms": 2}
    with app.app_context(), transaction():
        room = cast.room()
        room.room_settings, room.room_features, room.room_metadata = settings, features, {"a": 1}
    sent = FIELDS | {"max_duration": "0", "guest_policy": "accept", "recording": "plan"}
    assert alice.send(path, **sent).status_code == 303
    assert kept(cast) == (settings, features, {"a": 1})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": ', "look at line 1, column 7"),
        ('{"deep": {"er": []}}', "deep.er is nested too deeply"),
        ('{"a": NaN}', "not a number that JSON knows"),
        ("[1]", "is a JSON object"),
    ],
)
def test_metadata_that_makes_no_sense_is_said_beside_the_field_and_kept_as_typed(
    cast: Cast, alice: Client, path: str, text: str, words: str
) -> None:
    answer = alice.send(path, **FIELDS, room_metadata=text, description="Kept")
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert 'id="error-room_metadata"' in page
    assert words in page
    assert text in page
    assert "Kept" in page
    assert kept(cast) == ({}, {}, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hero_image", "javascript:alert(1)"),
        ("hero_image", "https://user:secret@example.org/a.png"),
        ("guest_policy", "perhaps"),
        ("max_participants", "0"),
        ("max_duration", "many"),
        ("public_chat", "on"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_the_field(
    cast: Cast, alice: Client, path: str, field: str, value: str
) -> None:
    answer = alice.send(path, **FIELDS | {field: value})
    assert answer.status_code == 422
    assert f'id="error-{field}"' in answer.text
    assert kept(cast) == ({}, {}, {})


def test_an_override_that_does_not_count_says_why(cast: Cast, app: Flask, alice: Client, path: str) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 4000}
    assert "The room asks for more than the plan gives" in alice.get(path).text
    overview = alice.get(f"/manage/rooms/{cast.board}").text
    assert "The room asks for more than the plan gives" in overview


@pytest.fixture
def _more_than_served(cast: Cast) -> None:
    """A plan with a feature that the service behind the room does not offer, as staff may have switched services."""
    with cast.app.app_context(), transaction():
        subscription = cast.room().subscription
        subscription.features.append(SubscriptionFeature(code="recording", switch=True))


@pytest.mark.usefixtures("_more_than_served")
def test_the_overview_shows_every_limit_of_the_plan_with_its_reason(cast: Cast, alice: Client) -> None:
    page = alice.get(f"/manage/rooms/{cast.board}").text
    for label in ("Rooms", "Participants", "Duration", "Recording", "Public chat", "Screen sharing"):
        assert re.search(rf'class="wide">{label}<', page), label
    assert page.count("From the plan") == 6


def test_fewer_people_than_plan_and_room_allow_is_said_where_a_conversation_holds_no_more(
    cast: Cast, app: Flask, alice: Client, path: str
) -> None:
    registry.fill([Mesh([], places=Places(people=12, senders=6))])  # what the next app's catalog replaces

    def row() -> list[str]:
        rows = [
            re.findall(r">([^<>]+)</t[hd]>", row) for row in alice.get(f"/manage/rooms/{cast.board}").text.split("<tr")
        ]
        return next(cells[1:] for cells in rows if cells[:1] == ["Participants"])

    def say(most: int) -> None:
        with app.app_context(), transaction():
            cast.room().room_features = {"max_participants": most}

    assert row() == ["25", "–", "12", "The service behind the room holds 12 people"]
    assert "The service behind the room holds 12 people." in alice.get(path).text
    say(13)
    assert row() == ["25", "13", "12", "The service behind the room holds 12 people"]
    say(12)
    assert row() == ["25", "12", "12", "Lowered for this room"]
    assert "The service behind the room" not in alice.get(path).text
    page = " ".join(alice.get(f"/manage/rooms/{cast.board}").text.split())
    assert "at most 12 are in at once, and 6 of them send pictures and sound" in page


@pytest.mark.usefixtures("_more_than_served")
def test_what_the_service_behind_the_room_cannot_do_is_not_shown_as_on(
    cast: Cast, app: Flask, alice: Client, path: str
) -> None:
    with app.app_context(), transaction():
        cast.room().room_features = {"public_chat": False}
    page = alice.get(f"/manage/rooms/{cast.board}").text
    rows = {cells[0]: cells[1:] for cells in (re.findall(r">([^<>]+)</t[hd]>", row) for row in page.split("<tr")[2:])}
    assert rows["Recording"] == ["On", "–", "Not available", "The service behind the room does not offer it"]
    assert rows["Public chat"] == ["On", "Off", "Off", "Switched off for this room"]
    assert rows["Participants"][2] == "25"
    hint = "The plan has it on. The service behind the room does not offer it."
    assert alice.get(path).text.count(hint) == 1  # of recording


def test_only_what_the_plan_has_can_be_narrowed_and_what_is_not_asked_for_stays(
    cast: Cast, app: Flask, alice: Client, path: str
) -> None:
    page = alice.get(path).text
    assert 'name="max_participants"' in page
    assert 'name="max_recordings"' not in page
    with app.app_context(), transaction():
        cast.room().room_features = {"max_recordings": 3}
    assert "The plan does not have it." in alice.get(path).text  # it was set, so it can be taken back
    assert alice.send(path, **FIELDS).status_code == 303
    with app.app_context():
        assert cast.room().room_features == {"max_recordings": 3}


def test_where_guests_are_not_let_in_their_link_says_so(cast: Cast, app: Flask, alice: Client, path: str) -> None:
    guest = cast.follow(Role.GUEST)
    proof = guest.token(cast.board_path)
    alice.send(path, **FIELDS, guest_policy="refuse")
    page = guest.get(cast.board_path).text
    assert "Guests are not let in" in page
    refused = guest.post(cast.board_path, data={"csrf_token": proof, "name": "Gus"})
    assert refused.status_code == 403
    with app.app_context():
        assert session.query(Participation).count() == 0
    cast.join(Role.ATTENDEE, name="Fay")


def test_where_the_room_says_so_microphones_are_off_at_first(cast: Cast, alice: Client, path: str) -> None:
    guest = cast.join(Role.GUEST)
    player = f"/rooms/{cast.board}/-/conference"
    assert "data-muted" not in guest.get(player).text
    alice.send(path, **FIELDS, mute_on_start="y")
    assert 'data-muted="yes"' in guest.get(player).text


def test_pictures_from_elsewhere_are_on_no_page(cast: Cast, alice: Client, path: str) -> None:
    alice.send(path, **FIELDS, hero_image="https://example.org/h.png", featured_image="https://example.org/f.png")
    for page in (cast.follow(Role.GUEST).get(cast.board_path), alice.get(f"/manage/rooms/{cast.board}")):
        assert "example.org" not in page.text


def test_a_room_made_inactive_sends_everybody_out(cast: Cast, alice: Client, path: str) -> None:
    guest = cast.join(Role.GUEST)
    alice.send(path, room_name="Board meeting", slug="board-meeting")
    assert guest.get(f"/rooms/{cast.board}/-/conference").status_code == 303
