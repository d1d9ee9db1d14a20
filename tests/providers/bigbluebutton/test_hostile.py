"""Attacks: by strangers at the entrance for callbacks, by a server that lies, and by who writes texts for it."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa

from portal.db import session, transaction
from portal.errors import Invalid
from portal.media import looks
from portal.media.models import RecordingLook
from portal.providers.base import ProviderError
from portal.providers.bigbluebutton.adapter import BigBlueButtonService
from portal.providers.bigbluebutton.parameters import message_of, parameters_of
from portal.rooms.models import Role
from portal.subscriptions.queries import get_provider
from portal.subscriptions.service_providers import change_provider, create_provider
from tests.conftest import BOTH
from tests.providers.bigbluebutton.server import SECRET, BbbServer, token
from tests.providers.bigbluebutton.test_callbacks import (
    HOOK,
    ROOM,
    body_of,
    end_address,
    event,
    of_meeting,
    posted,
    refused,
    service_with,
    signed,
)
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.visits import visit
from tests.providers.bigbluebutton.world import BbbWorld

# Callbacks that are forged, or sent where they do not belong


def test_nothing_that_people_in_a_meeting_hold_proves_a_callback() -> None:
    """The address by which they joined is signed with the same secret, and has a password that is made of it."""
    service = service_with()
    held = parse_qs(urlsplit(service.destination(f"{ROOM}:1", visit("moderator")).url).query)
    assert refused(service, posted(body_of(event()), url=f"{HOOK}?checksum={held['checksum'][0]}"))
    wrong = urlencode({"ended": ROOM, "proof": held["password"][0]})
    assert refused(service, posted(b"", url=f"{HOOK}?{wrong}", method="GET"))


def test_a_proof_for_one_method_is_none_for_the_other() -> None:
    service, good = service_with(), signed(body_of(event("meeting-ended")))
    assert refused(service, posted(good.body, url=good.url, method="GET"))
    assert refused(service, posted(b"", url=end_address(service)))


@pytest.mark.parametrize(
    "more",
    [
        "checksum=",
        f"checksum={'0' * 40}",
        "x=1",
    ],
)
def test_what_stands_behind_a_signature_or_beside_it_breaks_it(more: str) -> None:
    good = signed(body_of(event()))
    assert refused(service_with(), posted(good.body, url=f"{good.url}&{more}"))
    assert refused(service_with(), posted(good.body, url=good.url.replace("?", f"?{more}&")))


def send(world: BbbWorld, provider_id: str, body: bytes, *, query: str = "", host: str = "", **headers: str) -> int:
    answer = world.cast.browser().post(
        f"/hooks/{provider_id}{query}",
        data=body,
        headers=headers,
        content_type="application/x-www-form-urlencoded",
        **({"base_url": host} if host else {}),
    )
    return int(answer.status_code)


@pytest.fixture
def running(world: BbbWorld) -> BbbWorld:
    world.land(world.join(Role.GUEST)[1])
    world.ask()
    return world


def second_row(world: BbbWorld, **properties: str) -> str:
    """Another provider, whose server knows the same secret."""
    with world.app.app_context(), transaction():
        given = {"host_url": world.server.url, "secret": SECRET, **properties}
        return create_provider(provider_name="Another", provider_type="bigbluebutton", properties=given).id


@BOTH
def test_what_one_service_says_ends_no_run_of_another(running: BbbWorld) -> None:
    other = second_row(running, hooks_auth="bearer")
    body = body_of(of_meeting(running, "meeting-ended"))
    assert send(running, other, body, Authorization=f"Bearer {SECRET}") == 204
    assert running.runs()[0].ended_at is None


def test_a_message_that_was_signed_for_one_service_is_refused_at_another(running: BbbWorld) -> None:
    registered = running.server.only().sent["meta_endCallbackUrl"].partition("?")[0]
    good = signed(body_of(of_meeting(running, "meeting-ended")), registered=registered)
    assert send(running, second_row(running), good.body, query=f"?{urlsplit(good.url).query}") == 401
    assert send(running, running.provider_id, good.body, query=f"?{urlsplit(good.url).query}") == 204


def test_a_server_that_reaches_the_portal_by_another_name_is_heard(running: BbbWorld) -> None:
    inside = "http://portal.inside.example:8080"
    with running.app.app_context(), transaction():
        provider = get_provider(running.provider_id)
        change_provider(provider, properties={"callback_url": inside, "secret": SECRET})
    address = f"{inside}/hooks/{running.provider_id}"
    good = signed(body_of(of_meeting(running, "meeting-ended")), registered=address)
    assert send(running, running.provider_id, good.body, query=f"?{urlsplit(good.url).query}", host=inside) == 204
    assert running.runs()[0].ended_at is not None
    assert running.cast.browser().get("/", base_url=inside).status_code == 400, "which is no name for people"


def test_the_secret_is_sent_to_no_new_address_by_who_does_not_know_it(running: BbbWorld) -> None:
    """A webhooks component with `auth2_0` sends the secret itself to wherever callbacks go."""
    with running.app.app_context():
        provider = get_provider(running.provider_id)
        with pytest.raises(Invalid) as raised:
            change_provider(provider, properties={"callback_url": "https://evil.example"})
        session.rollback()
    assert set(raised.value.fields) == {"properties.secret"}


@pytest.mark.parametrize("base", ["https://inside.example/?a=b", "https://inside.example/#x"])
def test_an_address_for_callbacks_to_which_none_can_be_added_is_refused(base: str) -> None:
    with pytest.raises(ProviderError) as raised:
        service_with(callback_url=base)
    assert raised.value.field == "callback_url"


def test_a_recording_of_a_room_that_is_being_deleted_makes_nothing(
    running: BbbWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "lock_room", lambda _room_uuid: None)
    claims = {"meeting_id": running.server.only().id, "record_id": "r-1"}
    body = urlencode({"signed_parameters": token(claims, SECRET)}).encode()
    assert send(running, running.provider_id, body) == 204
    assert running.read(lambda: session.scalars(sa.select(RecordingLook)).all()) == []


# A server that lies


DONE = b"<response><returncode>SUCCESS</returncode>%s</response>"


@pytest.mark.parametrize(
    "inside",
    [
        b"<a " + b" ".join(b'a%x=""' % number for number in range(60_000)) + b"/>",
        b'<a b="" c="" d="" e="" f="" g=""/>' * 70_000,
        b"<!--" + b"x" * 1_000_000 + b"-->",
    ],
    ids=["in one tag", "in many", "a comment"],
)
def test_attributes_and_comments_without_measure_are_not_read(
    server: BbbServer, service: BigBlueButtonService, inside: bytes
) -> None:
    server.raw["getMeetings"] = 200, DONE % inside
    with pytest.raises(ProviderError, match="too much"):
        service.look([])


@pytest.mark.parametrize("record_id", ["mine,of-another", "a b", "x" * 400, "../x", "ä"])
def test_a_recording_whose_id_might_name_others_is_passed_over(
    server: BbbServer, service: BigBlueButtonService, record_id: str
) -> None:
    server.record(ROOM, id=record_id)
    kept = server.record(ROOM)
    assert [one.external for one in service.recordings([ROOM])] == [kept.id]


@pytest.mark.parametrize("key", ["meetingForciblyEnded", "maxParticipantsReached", "internalError", "somethingNew"])
def test_a_server_that_refuses_one_room_is_not_down(world: BbbWorld, key: str) -> None:
    """Else whoever ends a room and opens it again at once has staff look for an outage."""
    world.server.refuses["create"] = key
    _, answer = world.join(Role.GUEST)
    assert answer.status_code >= 400
    refused = world.read(lambda: get_provider(world.provider_id))
    assert (refused.last_error_at is not None, refused.down_since) == (True, None)
    world.server.raw["create"] = 502, b""
    world.join(Role.GUEST)
    assert world.read(lambda: get_provider(world.provider_id)).down_since is not None


# Texts of people


def test_words_that_servers_fill_in_are_sent_as_text() -> None:
    assert "%%" not in message_of("Call %%DIALNUM%% for %%CONFNAME%%, 50%% %%%")
    assert message_of("100%") == "100&#37;"


@pytest.mark.parametrize("name", ["Board&record=true", "a=b&meetingID=other", "x%26record%3Dtrue", "#?&;=+"])
def test_the_name_of_a_room_is_one_parameter(server: BbbServer, service: BigBlueButtonService, name: str) -> None:
    service.start(request(name=name))
    sent = server.only().sent
    assert (sent["name"], sent["meetingID"], sent["record"]) == (name, ROOM, "false")
    assert set(sent) - set(parameters_of(request())) == {
        "meetingID",
        "attendeePW",
        "moderatorPW",
        "logoutURL",
        "meta_endCallbackUrl",
        "checksum",
    }
