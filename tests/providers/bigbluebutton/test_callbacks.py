"""What a server tells by itself: verified over the raw bytes, only for minutes, and kept only as far as needed."""

import json
from typing import Any
from urllib.parse import quote_plus, urlsplit

import pytest

from portal.clock import now
from portal.providers.base import CallbackRefused, LiveState, RawCallback, Report
from portal.providers.bigbluebutton.adapter import SERVER, BigBlueButtonService
from portal.rooms.models import Role
from portal.status.models import Source
from portal.status.service_polls import providers_to_ask
from tests.conftest import BOTH
from tests.providers.bigbluebutton.server import SECRET, signature
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.world import BbbWorld

HOOK = "https://rooms.example/hooks/abc"
ROOM = request().room_key
MADE = 1_764_529_000_123
INTERNAL = f"183f0bf3a0982a127bdb8161e0c44eb696b3e75c-{MADE}"


def service_with(**properties: Any) -> BigBlueButtonService:
    given = {"host_url": "https://meet.example", "secret": SECRET, **properties}
    return SERVER.bind({one.name: given.get(one.name, one.default) for one in SERVER.properties})


def event(word: str = "user-joined", room: str = ROOM, internal: str = INTERNAL) -> dict[str, Any]:
    """An event as version 3.5.0 of the component writes it."""
    meeting = {"internal-meeting-id": internal, "external-meeting-id": room}
    user = {
        "internal-user-id": "w_1",
        "external-user-id": "g-1",
        "name": "Zoë O'Hara!",
        "role": "VIEWER",
        "guest": True,
    }
    return {
        "data": {
            "type": "event",
            "id": word,
            "attributes": {"meeting": meeting, "user": user},
            "event": {"ts": MADE},
        }
    }


def body_of(*events: Any, age: float = 0, alone: bool = False) -> bytes:
    """The body: its keys in order, encoded as the component does."""
    told = json.dumps(events[0] if alone else list(events), separators=(",", ":"))
    stamp = int((now().timestamp() - age) * 1000)
    return f"domain=meet.example&event={quote_plus(told)}&timestamp={stamp}".encode()


def posted(body: bytes, *, url: str = HOOK, headers: dict[str, str] | None = None, method: str = "POST") -> RawCallback:
    return RawCallback(url=url, method=method, headers=headers or {}, body=body, received_at=now())


def signed(
    body: bytes, *, secret: str = SECRET, registered: str = HOOK, length: int = 40, arrives: str = ""
) -> RawCallback:
    proof = signature(registered.encode() + body, secret, length)
    url = arrives or registered
    return posted(body, url=f"{url}{'&' if '?' in url else '?'}checksum={proof}")


def refused(service: BigBlueButtonService, callback: RawCallback) -> bool:
    try:
        service.read_callback(callback)
    except CallbackRefused:
        return True
    return False


# Messages of the webhooks component


@pytest.mark.parametrize("length", [40, 64, 96, 128])
def test_a_message_is_signed_over_address_and_raw_body(length: int) -> None:
    [report] = service_with().read_callback(signed(body_of(event()), length=length))
    assert (report.external, report.room_key, report.snapshot) == (f"{ROOM}:{MADE}", ROOM, None)


def test_an_event_alone_is_read_as_older_versions_write_it() -> None:
    [report] = service_with().read_callback(signed(body_of(event(), alone=True)))
    assert report.external == f"{ROOM}:{MADE}"


def test_the_end_of_a_meeting_is_said_at_once() -> None:
    [report] = service_with().read_callback(signed(body_of(event("meeting-ended"))))
    assert report.snapshot is not None
    assert report.snapshot.state is LiveState.IDLE


def test_several_events_of_one_message_are_several_reports_with_keys_of_their_own() -> None:
    body = body_of(event(), event("user-left"), event("user-left"))
    reports = service_with().read_callback(signed(body))
    assert len({report.key for report in reports}) == 3
    again = service_with().read_callback(signed(body))
    assert [one.key for one in again] == [one.key for one in reports], "sent again it is the same"


def test_an_address_with_a_query_of_its_own_is_signed_with_it() -> None:
    assert service_with().read_callback(signed(body_of(event()), registered=f"{HOOK}?a=b"))


def test_where_the_server_reaches_the_portal_elsewhere_that_address_is_signed() -> None:
    inside = service_with(callback_url="http://10.0.0.5:8080/")
    callback = signed(body_of(event()), registered="http://10.0.0.5:8080/hooks/abc", arrives=HOOK)
    assert inside.read_callback(callback)
    assert refused(service_with(), callback)


def test_during_a_rotation_either_secret_is_good() -> None:
    service = service_with(secret_next="to-come")
    assert service.read_callback(signed(body_of(event()), secret="to-come"))
    assert service.read_callback(signed(body_of(event())))
    assert refused(service_with(), signed(body_of(event()), secret="to-come"))


@pytest.mark.parametrize("age", [-50, 0, 300, 590])
def test_a_message_counts_for_minutes_because_servers_send_it_again(age: float) -> None:
    assert service_with().read_callback(signed(body_of(event(), age=age)))


BAD_BODIES = {
    "old": lambda: body_of(event(), age=620),
    "of the future": lambda: body_of(event(), age=-90),
    "without a time": lambda: body_of(event()).split(b"&timestamp")[0],
    "with no time": lambda: body_of(event()).replace(b"&timestamp=", b"&timestamp=x"),
    "with a long time": lambda: body_of(event()) + b"0" * 30,
}


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_what_is_not_of_now_is_refused_in_both_modes(kind: str) -> None:
    body = BAD_BODIES[kind]()
    assert refused(service_with(), signed(body))
    bearer = posted(body, headers={"authorization": f"Bearer {SECRET}"})
    assert refused(service_with(hooks_auth="bearer"), bearer)


def test_a_changed_body_address_or_signature_is_refused() -> None:
    service, body = service_with(), body_of(event("meeting-ended"))
    good = signed(body)
    assert not refused(service, good)
    assert refused(service, posted(body + b"&x=1", url=good.url))
    assert refused(service, posted(body.replace(b"ended", b"begun"), url=good.url))
    assert refused(service, posted(body, url=good.url[:-1] + ("0" if good.url[-1] != "0" else "1")))
    assert refused(service, posted(body, url=good.url.replace("/abc", "/other")))
    assert refused(service, posted(body))
    assert refused(service, posted(body, url=f"{HOOK}?checksum="))
    assert refused(service, signed(body, secret="another"))
    assert refused(service, signed(body, secret=""))


def test_the_raw_body_counts_and_not_what_it_means() -> None:
    body = body_of(event())
    meant_the_same = body.replace(b"%7B", b"%7b")
    assert meant_the_same != body
    assert refused(service_with(), posted(meant_the_same, url=signed(body).url))


def test_a_bearer_is_the_secret_itself() -> None:
    service, body = service_with(hooks_auth="bearer", secret_next="to-come"), body_of(event())
    for secret in (SECRET, "to-come"):
        assert service.read_callback(posted(body, headers={"authorization": f"Bearer {secret}"}))
    for wrong in ("", "Bearer", "Bearer ", "Bearer wrong", f"Basic {SECRET}", SECRET):
        assert refused(service, posted(body, headers={"authorization": wrong}))
    assert refused(service, posted(body))


def test_one_mode_does_not_open_the_other() -> None:
    body = body_of(event())
    assert refused(service_with(), posted(body, headers={"authorization": f"Bearer {SECRET}"}))
    assert refused(service_with(hooks_auth="bearer"), signed(body))


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"data": None},
        {"data": {"id": "x", "attributes": {}}},
        {"data": {"id": "x", "attributes": {"meeting": {"external-meeting-id": "a"}}}},
        [],
        "text",
        7,
        None,
    ],
)
def test_what_tells_of_no_meeting_is_left_out(odd: Any) -> None:
    reports = service_with().read_callback(signed(body_of(odd, event())))
    assert [report.external for report in reports] == [f"{ROOM}:{MADE}"]


def test_a_meeting_without_the_time_at_which_it_was_made_is_one_of_the_room() -> None:
    [report] = service_with().read_callback(signed(body_of(event("meeting-ended", internal="odd"))))
    assert (report.external, report.room_key, report.snapshot) == ("", ROOM, None)


def test_passwords_names_and_addresses_of_people_are_in_no_report() -> None:
    made = event("meeting-created")
    made["data"]["attributes"]["meeting"] |= {"moderator-pass": "pass-of-mods", "viewer-pass": "pass-of-all"}
    made["data"]["attributes"]["user"] |= {"ip": "203.0.113.9", "user-agent": "Browser"}
    told = str(service_with().read_callback(signed(body_of(made))))
    assert not any(word in told for word in ("pass-of-mods", "pass-of-all", "Zoë", "203.0.113.9", "Browser", "g-1"))


# The end of a meeting, by the address that was given for it


def ended(service: BigBlueButtonService, address: str) -> list[Report]:
    return list(service.read_callback(posted(b"", url=address, method="GET")))


def end_address(service: BigBlueButtonService, room: str = ROOM) -> str:
    return service._callbacks.end_address(HOOK, room)


@pytest.mark.parametrize("more", ["", "&recordingmarks=true", "&recordingmarks=false&meetingID=x"])
def test_the_address_for_the_end_carries_its_proof(more: str) -> None:
    service = service_with()
    [report] = ended(service, end_address(service) + more)
    assert (report.external, report.room_key, report.snapshot) == ("", ROOM, None), (
        "a hint, because it can be sent again"
    )


def test_a_proof_is_good_for_its_room_and_its_server_alone() -> None:
    service = service_with()
    address = end_address(service)
    another = address.replace(ROOM, ROOM[:-1] + "9")
    for wrong in (another, HOOK, f"{HOOK}?ended={ROOM}", f"{HOOK}?ended={ROOM}&proof=", address[:-1]):
        assert refused(service, posted(b"", url=wrong, method="GET")), wrong
    assert refused(service_with(secret="another"), posted(b"", url=address, method="GET"))
    assert ended(service_with(secret="another", secret_next=SECRET), address)


def test_the_address_for_the_end_is_one_that_the_server_reaches() -> None:
    address = end_address(service_with(callback_url="http://10.0.0.5:8080"))
    assert address.startswith("http://10.0.0.5:8080/hooks/abc?ended=")


def test_the_secret_is_not_in_the_address() -> None:
    assert SECRET not in end_address(service_with())


# Through the portal's entrance


@pytest.fixture
def world(world: BbbWorld) -> BbbWorld:
    world.land(world.join(Role.GUEST)[1])
    world.ask()
    world.work()
    return world


def hook_of(world: BbbWorld) -> str:
    """The address that the server was asked to send messages to."""
    assert world.server.hooks is not None
    [address] = world.server.hooks
    return address


def deliver(world: BbbWorld, *events: Any, **how: Any) -> int:
    age = how.pop("age", 0)
    callback = signed(body_of(*events, age=age), registered=hook_of(world), **how)
    parts = urlsplit(callback.url)
    answer = world.cast.browser().post(
        f"{parts.path}?{parts.query}",
        data=callback.body,
        content_type="application/x-www-form-urlencoded;charset=UTF-8",
        base_url=f"{parts.scheme}://{parts.netloc}",
    )
    return int(answer.status_code)


def of_meeting(world: BbbWorld, word: str) -> dict[str, Any]:
    meeting = world.server.only()
    return event(word, meeting.id, meeting.internal)


def is_due(world: BbbWorld) -> bool:
    return bool(world.read(providers_to_ask))


@BOTH
def test_a_message_has_the_server_asked_at_once(world: BbbWorld) -> None:
    assert not is_due(world)
    assert deliver(world, of_meeting(world, "user-joined")) == 204
    assert is_due(world)


@BOTH
def test_the_end_by_webhook_ends_the_run_before_the_server_is_asked(world: BbbWorld) -> None:
    assert deliver(world, of_meeting(world, "meeting-ended")) == 204
    assert world.runs()[0].ended_at is not None
    assert (world.status().state, world.status().source) == (LiveState.IDLE, Source.WEBHOOK)


@BOTH
@pytest.mark.parametrize("how", [{"secret": "another"}, {"age": 700}, {"age": -120}])
def test_what_the_server_did_not_send_changes_nothing(world: BbbWorld, how: dict[str, Any]) -> None:
    assert deliver(world, of_meeting(world, "meeting-ended"), **how) == 401
    assert world.runs()[0].ended_at is None
    assert not is_due(world)


@BOTH
def test_the_end_of_an_earlier_meeting_ends_no_later_one(world: BbbWorld) -> None:
    meeting = world.server.only()
    old = event("meeting-ended", meeting.id, f"{meeting.internal.split('-')[0]}-{meeting.created - 5000}")
    assert deliver(world, old) == 204
    assert world.runs()[0].ended_at is None


@BOTH
def test_the_end_callback_has_the_server_asked_which_tells_the_truth(world: BbbWorld) -> None:
    address = urlsplit(world.server.only().sent["meta_endCallbackUrl"])
    browser = world.cast.browser()
    assert browser.get(f"{address.path}?{address.query}&recordingmarks=false").status_code == 204
    assert world.runs()[0].ended_at is None, "anybody who has read the address could have called it"
    assert is_due(world)
    world.ask()
    assert world.runs()[0].ended_at is None
    world.server.end(world.server.only())
    assert browser.get(f"{address.path}?{address.query}&recordingmarks=true").status_code == 204
    world.ask()
    assert world.runs()[0].ended_at is not None
    assert browser.get(f"{address.path}?ended=x&proof=y").status_code == 401


@BOTH
def test_an_end_that_is_said_of_a_room_without_a_run_is_taken_and_forgotten(world: BbbWorld) -> None:
    address = urlsplit(world.server.only().sent["meta_endCallbackUrl"])
    world.server.end(world.server.only())
    world.ask()
    assert world.cast.browser().get(f"{address.path}?{address.query}").status_code == 204
    assert len(world.runs()) == 1
