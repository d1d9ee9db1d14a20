"""Playlists from a journal: the window of what is live, the window of the last minutes, and the whole."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.broadcasts.playlists import Segment, playlist, window

BEGUN = datetime(2026, 5, 4, 18, 0, 0, 250_000, UTC)


def journal(*breaks: int, milliseconds: int = 1000) -> list[Segment]:
    """Segments one after the other, each after so many breaks."""
    at = [BEGUN + timedelta(milliseconds=milliseconds * n) for n in range(len(breaks))]
    return [Segment(n, f"1_{n:05}.ts", milliseconds, at[n], of) for n, of in enumerate(breaks)]


def test_a_playlist_says_all_that_a_player_needs() -> None:
    assert playlist(journal(0, 0, 1), target_milliseconds=1000, ended=False) == (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-04T18:00:00.250Z\n#EXTINF:1.000,\n1_00000.ts\n#EXTINF:1.000,\n1_00001.ts\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-05-04T18:00:02.250Z\n#EXTINF:1.000,\n1_00002.ts\n"
    )


@pytest.mark.parametrize(
    ("breaks", "first", "media", "before", "tags"),
    [
        ((0, 0, 0, 0), 0, 0, 0, 0),
        ((0, 0, 1, 1), 0, 0, 0, 1),
        ((0, 0, 1, 1), 1, 1, 0, 1),
        ((0, 0, 1, 1), 2, 2, 1, 0),  # the break lies before the first: it is counted, and not said once more
        ((0, 0, 1, 1), 3, 3, 1, 0),
        ((0, 1, 2, 3), 1, 1, 1, 2),
        ((0, 1, 1, 3), 2, 2, 1, 1),  # a connection of which nothing was made counts as well
    ],
)
def test_breaks_are_counted_before_the_window_and_said_within(
    breaks: tuple[int, ...], first: int, media: int, before: int, tags: int
) -> None:
    text = playlist(journal(*breaks)[first:], target_milliseconds=1000, ended=False)
    assert f"#EXT-X-MEDIA-SEQUENCE:{media}\n" in text
    assert f"#EXT-X-DISCONTINUITY-SEQUENCE:{before}\n" in text
    assert text.count("#EXT-X-DISCONTINUITY\n") == tags


@pytest.mark.parametrize(
    ("milliseconds", "target", "said"), [(1000, 1000, 1), (1499, 1000, 1), (1500, 1000, 2), (400, 2000, 2), (10, 10, 1)]
)
def test_the_target_is_at_least_the_longest_segment(milliseconds: int, target: int, said: int) -> None:
    text = playlist(journal(0, milliseconds=milliseconds), target_milliseconds=target, ended=False)
    assert f"#EXT-X-TARGETDURATION:{said}\n" in text


@pytest.mark.parametrize(
    ("ended", "whole", "kind"), [(False, False, ""), (True, False, ""), (False, True, "EVENT"), (True, True, "VOD")]
)
def test_only_what_has_ended_says_so_and_only_the_whole_is_of_a_type(ended: bool, whole: bool, kind: str) -> None:
    text = playlist(journal(0, 0), target_milliseconds=1000, ended=ended, whole=whole)
    assert text.endswith("#EXT-X-ENDLIST\n") is ended
    assert ("#EXT-X-PLAYLIST-TYPE:" in text) is bool(kind)
    assert not kind or f"#EXT-X-PLAYLIST-TYPE:{kind}\n" in text


def test_nothing_is_a_playlist_too() -> None:
    assert "#EXT-X-MEDIA-SEQUENCE:0\n" in playlist([], target_milliseconds=2000, ended=True)


@pytest.mark.parametrize(
    ("length", "milliseconds", "shown"),
    [
        (100, 0, range(94, 100)),
        (100, 60_000, range(40, 100)),
        (100, 59_999, range(40, 100)),
        (3, 0, range(3)),
        (3, 60_000, range(3)),
        (0, 60_000, range(0)),
    ],
)
def test_a_window_is_as_long_as_asked_and_never_shorter_than_a_player_needs(
    length: int, milliseconds: int, shown: range
) -> None:
    assert [one.sequence for one in window(journal(*[0] * length), milliseconds=milliseconds)] == list(shown)
