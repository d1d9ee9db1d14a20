"""Types of rooms: each is described once, and pages say of a room what its type says."""

import pytest
from flask import Flask, get_template_attribute

from portal.db import session, transaction
from portal.resources.sessions import serialize_room_status
from portal.rooms.kinds import KINDS, RoomTab, served_types
from portal.rooms.models import Room
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import SubscriptionFeature
from portal.subscriptions.provider_models import ServiceType
from portal.web.manage.room_tabs import TABS
from portal.web.manage.status import people_limit_of
from tests.cast import Cast


def test_every_type_is_described_and_limited_by_a_feature_of_its_own() -> None:
    assert set(KINDS) == set(ServiceType)
    for room_type, kind in KINDS.items():
        if kind.people_limit:
            assert room_type in FEATURES[kind.people_limit].fits
    limits = {room_type: kind.people_limit for room_type, kind in KINDS.items()}
    assert limits == {"meet": "max_participants", "live": "max_viewers", "video": "max_viewers", "simulcast": None}


def test_every_icon_is_there_and_every_tab_leads_to_a_page(app: Flask) -> None:
    with app.test_request_context():
        icon = get_template_attribute("components/icon.html", "icon")
        assert all("<path" in icon(kind.icon) for kind in KINDS.values())
    assert set(TABS) == set(RoomTab)
    assert {tab.endpoint for tab in TABS.values()} <= set(app.view_functions)


@pytest.mark.usefixtures("app")
def test_only_types_that_an_adapter_serves_are_offered() -> None:
    assert served_types() == [ServiceType.MEET, ServiceType.VIDEO]


@pytest.fixture
def live_room(cast: Cast) -> str:
    """The board room as if it were a live stream, with a plan for nine viewers."""
    with cast.app.app_context(), transaction():
        room = cast.room()
        room.room_type = ServiceType.LIVE
        session.add(SubscriptionFeature(subscription_uuid=room.subscription_uuid, code="max_viewers", number=9))
    return cast.board


def test_pages_say_of_a_room_what_its_type_says(cast: Cast, live_room: str) -> None:
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{live_room}").text
    assert "<span>Live stream</span>" in page
    assert "Watch</button>" in page
    assert "Conference" not in page
    listed = alice.get("/manage/rooms").text
    assert listed.count("<span>Live stream</span>") == 1
    assert listed.count("<span>Conference</span>") == 1
    with cast.app.app_context():
        room = cast.room(live_room)
        assert people_limit_of(room) == 9
        assert serialize_room_status(room, None)["counts"] == {}
        conference = session.query(Room).filter_by(room_type=ServiceType.MEET).first()
        assert conference is not None
        assert set(serialize_room_status(conference, None)["counts"].values()) == {0}


def test_a_rooms_tabs_are_those_that_its_reader_may_open(cast: Cast) -> None:
    def tabs(name: str) -> list[str]:
        page = cast.sign_in(name).get(f"/manage/rooms/{cast.board}").text
        nav = page[page.index('<nav class="tabs"') :]
        return [line.split("</a>")[0].rpartition(">")[2] for line in nav[: nav.index("</nav>")].split("<a ")[1:]]

    assert tabs("alice") == ["Overview", "Links", "Codes", "People", "Sessions", "Webhooks", "Settings"]
    assert tabs("bob") == ["Overview"]
