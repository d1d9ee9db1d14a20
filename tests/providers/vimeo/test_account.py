"""What the portal asks of Vimeo, and what it makes of the answers."""

from typing import Any

import pytest

from portal.providers.base import ProviderError
from portal.providers.held_videos import Busy, HeldCaptions, HeldState, HoldsVideos, NewHeldVideo
from portal.providers.vimeo.account import VimeoAccount
from portal.providers.vimeo.adapter import Vimeo
from portal.providers.vimeo.reading import read_video, state_of
from portal.providers.vimeo.refusals import CannotHide, VimeoRefusal
from tests.providers.vimeo.conftest import bound_to
from tests.providers.vimeo.server import TOKEN, StandIn

NEW = NewHeldVideo(name="Film", size=1000, reference="foyer:abc", hosts=["portal.example"])


def test_the_adapter_holds_videos(account: VimeoAccount) -> None:
    assert isinstance(account, HoldsVideos)


@pytest.mark.parametrize(
    ("about", "field", "words"),
    [
        ({"scopes": "public private"}, "token", "lacks scopes: upload, edit, delete."),
        ({"may_upload": False}, "token", "may not upload"),
        ({"folders": {}}, "folder", "no folder of this number"),
        ({"moods": {"/oauth": 401}}, "token", "does not take this token"),
        ({"moods": {"/oauth": 503}}, None, "trouble of its own"),
    ],
)
def test_the_test_tells_what_is_wrong(standin: StandIn, about: dict[str, Any], field: str | None, words: str) -> None:
    for name, value in about.items():
        setattr(standin, name, value)
    with pytest.raises(ProviderError) as refused:
        bound_to(standin, folder="77").test()
    assert words in str(refused.value)
    assert refused.value.field == field
    assert TOKEN not in str(refused.value)


def test_a_good_token_passes_the_test_and_changes_nothing(standin: StandIn, account: VimeoAccount) -> None:
    assert account.test() == {"version": "API 3.4, standard"}
    assert {method for method, _path in standin.requests} == {"GET"}


@pytest.mark.parametrize(
    ("field", "typed"), [("folder", "https://vimeo.com/77"), ("hosts", "https://www.example.org"), ("hosts", "a b")]
)
def test_properties_that_cannot_be_right_are_told_on_their_field(standin: StandIn, field: str, typed: str) -> None:
    with pytest.raises(ProviderError) as refused:
        bound_to(standin, **{field: typed})
    assert refused.value.field == field


def test_a_video_is_hidden_from_the_first_moment(standin: StandIn) -> None:
    place = bound_to(standin, folder="77", hosts="www.acme.example").create(NEW)
    video = standin.videos[place.external]
    assert video["privacy"] == {
        "view": "disable", "embed": "whitelist", "download": False, "add": False, "comments": "nobody",
    }  # fmt: skip
    assert (video["folder"], video["description"]) == ("/users/1/projects/77", "foyer:abc")
    assert standin.domains[place.external] == ["portal.example", "www.acme.example"]
    assert place.address == f"{standin.url}/files/{place.external}"


def test_what_cannot_be_hidden_is_not_made(standin: StandIn, account: VimeoAccount) -> None:
    standin.can_hide = False
    with pytest.raises(CannotHide):
        account.create(NEW)
    assert standin.videos == {}


def test_what_no_host_can_be_named_for_is_not_left_behind(standin: StandIn, account: VimeoAccount) -> None:
    standin.moods["/videos/9000/privacy"] = 403
    with pytest.raises(CannotHide):
        account.create(NEW)
    assert standin.videos == {}


def test_bytes_go_to_no_other_place_than_the_services(standin: StandIn) -> None:
    elsewhere = Vimeo(api=standin.url, player=standin.url).bind({"token": TOKEN, "folder": "", "hosts": ""})
    with pytest.raises(ProviderError):
        elsewhere.create(NEW)
    assert standin.videos == {}


def test_a_thousand_videos_are_ten_requests(standin: StandIn, account: VimeoAccount) -> None:
    for number in range(1000):
        standin.add(str(number + 1))
    found = [one for look in account.look() for one in look.videos]
    assert len({one.external for one in found}) == 1000
    assert len(standin.requests) == 10


def test_statistics_leave_half_of_the_requests_to_others_and_uploads_a_tenth(
    standin: StandIn, account: VimeoAccount
) -> None:
    standin.limit = 20
    standin.add("1")
    for _ in range(10):
        list(account.look())
    with pytest.raises(Busy) as busy:
        list(account.look())
    assert 0 < busy.value.seconds <= 60
    for _ in range(8):
        account.look_at("1")
    with pytest.raises(Busy):
        account.look_at("1")
    assert standin.used == 18


def test_two_processes_together_stay_within_the_half(standin: StandIn) -> None:
    standin.limit, accounts = 20, []
    for _ in range(2):
        one = bound_to(standin)
        one._client.budget = type(one._client.budget)()  # as another process has it
        accounts.append(one)
    for _ in range(20):
        for one in accounts:
            try:
                list(one.look())
            except Busy:
                continue
    assert standin.used <= 11


def test_who_is_refused_three_times_in_a_row_asks_nothing_for_long(standin: StandIn, account: VimeoAccount) -> None:
    at = [1_000.0]
    account._client.budget.clock = lambda: at[0]
    standin.moods["/videos"] = 429
    waits = []
    for _ in range(3):
        with pytest.raises(Busy) as busy:
            account.look_at("1")
        waits.append(busy.value.seconds)
        at[0] += 61
    assert waits == [60, 60, 900]
    asked = len(standin.requests)
    with pytest.raises(Busy):
        account.look_at("1")
    assert len(standin.requests) == asked


def test_only_404_means_gone(standin: StandIn, account: VimeoAccount) -> None:
    standin.add("1")
    assert account.look_at("2") is None
    for status in (401, 403, 500):
        standin.moods = {"/videos": status}
        with pytest.raises(VimeoRefusal):
            account.look_at("1")


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ({"upload": {"status": "complete"}, "transcode": {"status": "complete"}}, HeldState.READY),
        ({"upload": {"status": "in_progress"}, "transcode": {"status": "complete"}}, HeldState.PROCESSING),
        ({"upload": {"status": "complete"}, "transcode": {"status": "in_progress"}}, HeldState.PROCESSING),
        (
            {"upload": {"status": "complete"}, "transcode": {"status": "complete"}, "is_playable": False},
            HeldState.PROCESSING,
        ),
        ({"upload": {"status": "complete"}, "transcode": {"status": "error"}}, HeldState.FAILED),
        ({"status": "uploading_error"}, HeldState.FAILED),
        ({"status": "quota_exceeded"}, HeldState.FAILED),
        ({"status": "a word of tomorrow"}, HeldState.PROCESSING),
        ({}, HeldState.PROCESSING),
        ({"upload": 7, "transcode": [], "status": None}, HeldState.PROCESSING),
    ],
)
def test_states(told: dict[str, Any], state: HeldState) -> None:
    assert state_of(told) is state


def test_what_is_not_told_is_not_nothing(standin: StandIn) -> None:
    video = standin.add("5", stats={"plays": None}, metadata={})
    read = read_video(video, player_origin=standin.url)
    assert read is not None
    assert (read.views, read.comments, read.likes) == (None, None, None)
    assert read.embed == "abc5"
    assert read_video({"uri": "/videos/123:a1b2"}, player_origin="https://player.vimeo.com").external == "123"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/video/5?h=abc",
        "http://player.vimeo.com/video/5?h=abc",
        "https://player.vimeo.com/video/6?h=abc",
        "https://player.vimeo.com/video/5?h=a%22b",
        "https://player.vimeo.com@evil.example/video/5?h=abc",
        7,
    ],
)
def test_an_address_that_is_not_that_of_the_video_is_not_embedded(address: Any) -> None:
    told = {"uri": "/videos/5", "player_embed_url": address}
    read = read_video(told, player_origin="https://player.vimeo.com")
    assert read is not None
    assert read.embed == ""


@pytest.mark.parametrize("about", [None, [], 5, {"uri": "/videos/"}, {"uri": "/users/5"}, {"uri": 5}])
def test_what_is_no_video_is_passed_over(about: Any) -> None:
    assert read_video(about, player_origin="https://player.vimeo.com") is None


def test_captions_replace_all_that_were_there_and_the_token_goes_to_the_api_only(
    standin: StandIn, account: VimeoAccount
) -> None:
    standin.add("1")
    for text in ("WEBVTT one", "WEBVTT two"):
        account.set_captions("1", [HeldCaptions(language="en", label="English", text=text, default=True)])
    assert list(standin.tracks.values()) == ["WEBVTT two"]
    sent = [
        "authorization" in headers
        for (_, path), headers in zip(standin.requests, standin.headers, strict=True)
        if path.startswith("/track")
    ]
    assert sent == [False, False]
    account.set_captions("1", [])
    assert standin.tracks == {}


def test_deleting_twice_is_deleting(standin: StandIn, account: VimeoAccount) -> None:
    standin.add("1")
    account.delete("1")
    account.delete("1")
    assert standin.videos == {}
    standin.moods["/videos"] = 403
    with pytest.raises(VimeoRefusal):
        account.delete("1")


def test_pages_of_html_and_half_an_answer_are_no_answer(standin: StandIn, account: VimeoAccount) -> None:
    standin.moods["/me/videos"] = 200
    with pytest.raises(ProviderError) as refused:
        list(account.look())
    assert str(refused.value) == "What answers there is not Vimeo."


def test_the_player_says_that_it_may_not_follow_people(account: VimeoAccount, standin: StandIn) -> None:
    address = account.player_address("5", "abc")
    assert address.startswith(f"{standin.url}/video/5?h=abc&dnt=1")
