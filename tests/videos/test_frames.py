"""The pictures among which a poster is chosen, and where they lie on their sheets."""

import pytest

from portal.errors import NotFound
from portal.videos.frames import MOST, Frame, frames_of, sheet_key
from portal.videos.models import RoomVideo

SPRITE = {"step": 2, "columns": 5, "rows": 5, "width": 160, "height": 90, "sheets": 2}


def test_a_short_video_offers_each_of_its_pictures() -> None:
    video = RoomVideo(sprite=SPRITE | {"step": 1, "sheets": 1}, milliseconds=6_200)
    frames = frames_of(video)
    assert [one.seconds for one in frames] == [0, 1, 2, 3, 4, 5, 6]
    assert frames[5:] == [Frame(5, "sprite_1.jpg", 0, 90), Frame(6, "sprite_1.jpg", 160, 90)]


def test_a_longer_one_offers_some_from_all_of_it() -> None:
    frames = frames_of(RoomVideo(sprite=SPRITE, milliseconds=100_000))
    assert len(frames) == MOST
    assert frames[0] == Frame(0, "sprite_1.jpg", 0, 0)
    assert frames[-1] == Frame(90, "sprite_2.jpg", 0, 4 * 90)


def test_no_more_than_what_is_on_the_sheets() -> None:
    frames = frames_of(RoomVideo(sprite=SPRITE | {"sheets": 1}, milliseconds=100_000))
    assert frames[-1].seconds < 50
    assert frames_of(RoomVideo(sprite={}, milliseconds=100_000)) == []
    assert frames_of(RoomVideo(sprite=SPRITE, milliseconds=None)) == []


@pytest.mark.parametrize("name", ["master.m3u8", "sprite_.jpg", "../poster.jpg", "sprite_1.jpg\n", "sprite_²1.jpg"])
def test_only_sheets_are_sent_as_sheets(name: str) -> None:
    video = RoomVideo(folder="f1")
    assert sheet_key(video, "sprite_2.jpg").endswith("/f1/sprite_2.jpg")
    with pytest.raises(NotFound):
        sheet_key(video, name)
