"""The recordings that a server keeps, read from its list.

Some servers list what they keep for everybody, whatever is asked, so the meeting of each is compared with those asked
for. Servers take a list of ids wherever they are told of one, so an id with a comma, which names several, is none. The
format `statistics` is left out: it tells of people, and not of what was said. Lengths come in whole minutes.
"""

import re
from collections.abc import Collection, Iterable
from xml.etree.ElementTree import Element

from portal.providers.base import RecordingFormat, RecordingState, ServiceRecording
from portal.providers.bigbluebutton.client import is_true, number_of, text_of
from portal.providers.bigbluebutton.meetings import moment_of

LISTED = "processing,processed,published,unpublished"
"""The states that are asked for; servers tell only the last two by themselves."""
NAME = "name"
"""The metadata under which a recording's own name is kept. Without it, it has that of its meeting."""
STATES = {
    "processing": RecordingState.PROCESSING,
    "processed": RecordingState.PROCESSING,  # it is about to be published
    "published": RecordingState.READY,
    "unpublished": RecordingState.READY,
}
LONGEST_NAME, LONGEST_ADDRESS = 300, 2_000
_OF_PEOPLE = "statistics"
_ID = re.compile(r"[A-Za-z0-9._-]{1,255}", re.ASCII)


def recordings_of(answer: Element, room_keys: Collection[str]) -> list[ServiceRecording]:
    """What the server lists of these rooms. What has no usable id, or no time, is passed over."""
    wanted = set(room_keys)
    found = (_recording(one) for one in answer.iterfind("recordings/recording"))
    return [one for one in found if one is not None and one.room_key in wanted]


def _recording(told: Element) -> ServiceRecording | None:
    external, began = text_of(told, "recordID"), moment_of(number_of(told, "startTime"))
    published = is_true(told, "published")
    state = STATES.get(text_of(told, "state") or ("published" if published else "unpublished"))
    if not _ID.fullmatch(external) or began is None or state is None:
        return None
    return ServiceRecording(
        external=external,
        room_key=text_of(told, "meetingID"),
        name=text_of(told, f"metadata/{NAME}", LONGEST_NAME) or text_of(told, "name", LONGEST_NAME),
        state=state,
        published=published,
        started_at=began,
        ended_at=moment_of(number_of(told, "endTime")),
        size=number_of(told, "size"),
        formats=tuple(_formats(told)) if state is RecordingState.READY else (),
    )


def _formats(told: Element) -> Iterable[RecordingFormat]:
    for one in told.iterfind("playback/format"):
        kind, minutes = text_of(one, "type"), number_of(one, "length")
        if kind != _OF_PEOPLE:
            url = text_of(one, "url", LONGEST_ADDRESS)
            yield RecordingFormat(type=kind, url=url, seconds=minutes * 60 if minutes else None)
