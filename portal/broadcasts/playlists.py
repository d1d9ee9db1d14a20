"""Playlists of broadcasts, rendered from the journal (RFC 8216). The portal writes them itself.

ffmpeg rewrites its own list each second, forgets what was before it was started again, and never says how many breaks
lie before its first segment; a player that joins late would take the second stretch for the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

FEWEST_LIVE = 6
"""Segments of which the live window has at least so many, whatever it shows of the past."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a journal. `breaks` is how many breaks there were up to its beginning."""

    sequence: int
    name: str
    milliseconds: int
    at: datetime
    breaks: int


def window(segments: Sequence[Segment], *, milliseconds: int, fewest: int = FEWEST_LIVE) -> Sequence[Segment]:
    """The last of these that together last so long at least, or all; at least `fewest` of them."""
    length, first = 0, len(segments)
    while first > 0 and (length < milliseconds or len(segments) - first < fewest):
        first -= 1
        length += segments[first].milliseconds
    return segments[first:]


def playlist(segments: Sequence[Segment], *, target_milliseconds: int, ended: bool, whole: bool = False) -> str:
    """The playlist of these segments, whose sequence numbers follow one another.

    `ended`: nothing will follow. `whole`: it begins with the first segment of the run, so players may seek to there
    although it still grows. `target_milliseconds` is how long a segment is meant to be.
    """
    longest = max((one.milliseconds for one in segments), default=0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{max(1, _seconds(target_milliseconds), _seconds(longest))}",
        f"#EXT-X-MEDIA-SEQUENCE:{segments[0].sequence if segments else 0}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{segments[0].breaks if segments else 0}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if whole:
        lines.insert(2, f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}")
    breaks = segments[0].breaks if segments else 0
    for number, one in enumerate(segments):
        broken = one.breaks != breaks
        breaks = one.breaks
        if broken:
            lines.append("#EXT-X-DISCONTINUITY")
        if broken or number == 0:
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_moment(one.at)}")
        lines += [f"#EXTINF:{one.milliseconds / 1000:.3f},", one.name]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _seconds(milliseconds: int) -> int:
    """Whole seconds, as the standard rounds: half of one is one."""
    return (milliseconds + 500) // 1000


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
