"""A conversation without a media server holds so many people, and of them so many who send; the others listen."""

from typing import Any

import pytest
from flask import Flask
from pydantic import ValidationError

from portal.conference.sending import sent_media
from portal.providers import registry
from portal.providers.base import Places
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role
from portal.settings import Settings
from tests.cast import Cast
from tests.conftest import BOTH
from tests.servers import SECRET_KEY
from tests.web.player import Player

pytestmark = BOTH

HEAD = "v=0\r\ns=-\r\nt=0 0\r\n"
SOUND = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n"
PICTURE = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
LISTENS = HEAD + SOUND + "a=recvonly\r\n" + PICTURE + "a=inactive\r\n"


@pytest.fixture(autouse=True)
def _one_sends_and_two_are_in(app: Flask) -> None:
    registry.fill([Mesh([], places=Places(people=2, senders=1))])  # what the next app's catalog replaces


@pytest.fixture
def sender(cast: Cast) -> Player:
    player = Player(cast.join(Role.MODERATOR, name="Mo"), cast.board, "mo-tab")
    player.alive(microphone=True, camera=True)
    return player


@pytest.fixture
def listener(cast: Cast, sender: Player) -> Player:
    player = Player(cast.join(Role.GUEST, name="Gus"), cast.board, "gus-tab")
    player.alive()
    return player


def people(player: Player) -> dict[str, tuple[bool, bool, bool]]:
    """Name → whether he sends, and whether his microphone and camera are on, as the roster says."""
    [(name, roster)] = player.hear()
    assert name == "roster"
    return {one["name"]: (one["sends"], one["microphone"], one["camera"]) for one in roster["people"]}


def test_the_first_send_and_when_one_leaves_the_next_may(sender: Player, listener: Player) -> None:
    assert people(listener) == {"Mo": (True, True, True), "Gus": (False, False, False)}
    listener.alive(microphone=True, camera=True, screen="a-screen")  # what a forged page says of itself counts nothing
    assert people(sender) == {"Mo": (True, True, True), "Gus": (False, False, False)}
    sender.client.post(f"{sender.base}/departure", data={"csrf_token": sender.csrf})
    listener.alive(microphone=True, camera=True)
    assert people(listener) == {"Gus": (True, True, True)}


@pytest.mark.parametrize("kind", ["offer", "answer"])
def test_what_a_listener_sends_is_refused(cast: Cast, sender: Player, listener: Player, kind: str) -> None:
    def say(player: Player, to: Player, sdp: str) -> int:
        status: int = player.say("signals", to=to.id, kind=kind, data={"sdp": sdp}).status_code
        return status

    sends = HEAD + SOUND + PICTURE + "a=recvonly\r\n"
    assert say(listener, sender, sends) == 403
    assert say(listener, sender, LISTENS) == 202
    assert say(sender, listener, sends) == 202
    assert listener.say("signals", to=sender.id, kind="candidate", data={"candidate": "x"}).status_code == 202
    sender.client.post(f"{sender.base}/departure", data={"csrf_token": sender.csrf})
    late = Player(cast.join(Role.GUEST, name="Lena"), cast.board, "lena-tab")
    late.alive()
    assert say(listener, late, sends) == 202
    assert say(late, listener, sends) == 403


@pytest.mark.parametrize(
    ("sdp", "sends"),
    [
        ("", ""),
        (LISTENS, ""),
        (LISTENS.replace("\r\n", "\n"), ""),
        (HEAD + SOUND, "sound"),
        (HEAD + SOUND + "a=sendonly\r\n", "sound"),
        (HEAD + SOUND + "a=recvonly\r\n" + PICTURE, "camera"),
        (LISTENS + PICTURE + "a=sendrecv\r\n", "screen"),
        (HEAD + SOUND + PICTURE + PICTURE + "a=recvonly\r\n" + PICTURE, "sound camera screen"),
        (HEAD + "a=recvonly\r\n" + SOUND, ""),
        (HEAD + "a=recvonly\r\n" + SOUND + "a=sendrecv\r\n", "sound"),
        (HEAD + SOUND + "a=recvonly\r\na=sendrecv\r\n", "sound"),
        (HEAD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", ""),
        (LISTENS + PICTURE.replace(" 9 ", " 0 "), ""),
        (LISTENS + PICTURE.replace(" 9 ", " 0 ") + "a=bundle-only\r\n", "screen"),
    ],
)
def test_a_description_sends_unless_it_says_otherwise(sdp: str, sends: str) -> None:
    sent = sent_media({"sdp": sdp})
    assert " ".join(name for name, on in sent._asdict().items() if on) == sends


def test_a_description_that_browsers_read_differently_is_refused(sender: Player, listener: Player) -> None:
    for line in (
        *("a=sendrecv:x", "a=sendonly x", "a=SENDRECV", "a= sendrecv", "A=sendrecv", " a=sendrecv", "a=sendrecv\t"),
        *("a=recvonly ", "a=recvonly\t", "a=recvonly\r", "a=recvonlyish", "a=inactive:x", "a=bundle-only x"),
        *("m=video:x 9 x 96", "m=VIDEO 9 x 96", "m=video", "m= video 9 x 96", "M=video 9 x 96", "no line", "a=x\x00"),
    ):
        data = {"sdp": f"{LISTENS}{line}\r\n"}
        assert (line, listener.say("signals", to=sender.id, kind="offer", data=data).status_code) == (line, 403)


@pytest.mark.parametrize("data", [None, [], "m=audio", {}, {"sdp": None}, {"sdp": ["m=audio"]}])
def test_what_is_no_description_sends_nothing(data: Any) -> None:
    assert not any(sent_media(data))


def test_past_all_places_it_is_full_and_whoever_manages_the_room_reads_why(cast: Cast, listener: Player) -> None:
    late = cast.follow(Role.GUEST)
    page = late.get(cast.board_path)
    assert "The room is full." in page.text
    assert "conference server" not in page.text
    assert late.send(cast.board_path, name="Lena").status_code == 403
    owner = cast.sign_in("alice")
    page = owner.get(f"/rooms/{cast.board}/-/entry")
    assert "The room is full." in page.text
    assert "A conference server holds more" in page.text
    listener.client.post(f"{listener.base}/departure", data={"csrf_token": listener.csrf})
    assert late.send(cast.board_path, name="Lena").status_code == 303


def test_the_setting_is_two_numbers_in_their_order(tmp_path: Any) -> None:
    def people(value: str) -> tuple[int, int]:
        given: dict[str, Any] = {"secret_keys": SECRET_KEY, "mesh_people": value, "data": tmp_path}
        return Settings(**given).mesh_people

    assert people("3,8") == (3, 8)
    assert people("4, 4") == (4, 4)
    for wrong in ("8,3", "0,3", "6", "6,12,18", "six,twelve"):
        with pytest.raises(ValidationError, match="MESH_PEOPLE"):
            people(wrong)


def test_the_rooms_page_says_how_many_it_holds_and_not_how_many_the_plan_would_allow(
    cast: Cast, sender: Player
) -> None:
    alice = cast.sign_in("alice")
    for path in (f"/manage/rooms/{cast.board}", f"/manage/rooms/{cast.board}/status"):
        card = alice.get(path).text
        assert "of 2 people" in card, path
        assert "of 25 people" not in card
