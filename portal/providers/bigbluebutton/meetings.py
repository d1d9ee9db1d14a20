"""Meetings as a server describes them, read as runs of rooms with their figures.

A server keeps no roles but two, so whoever comes from here is known by a prefix of the id that he was given. A meeting
exists in three states: not at all; made, with nobody in it; and with people. One that was ended lingers for a while.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.etree.ElementTree import Element

from portal.errors import Message
from portal.providers.base import Count, LiveState, RunStatus, Snapshot
from portal.providers.bigbluebutton.client import is_true, number_of, text_of

PREFIXES: Mapping[str, str] = {"moderator": "m-", "attendee": "a-", "guest": "g-"}
LABELS = {
    "participants": Message("Participants"),
    "moderators": Message("Moderators"),
    "attendees": Message("Attendees"),
    "guests": Message("Guests"),
    "voices": Message("Microphones on"),
    "videos": Message("Cameras on"),
}
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def person_id(role: Literal["moderator", "attendee", "guest"], participant_id: str) -> str:
    """The id by which the server knows somebody: the participant's, which says nothing of him, and his role here."""
    return PREFIXES[role] + participant_id


def run_name(meeting_id: str, created: int | None) -> str:
    """What a run is called here: the meeting's id, which is the room's, and when the server made it, in ms."""
    return f"{meeting_id}:{created or 0}"


def meeting_of(external: str) -> tuple[str, int]:
    """The meeting's id of a run, and when the server made it; 0 if it did not say."""
    meeting_id, _, created = external.rpartition(":")
    return meeting_id, int(created) if created.isascii() and created.isdigit() else 0


def run_name_of(meeting: Element) -> str:
    """What the run is called that is this meeting."""
    return run_name(text_of(meeting, "meetingID"), number_of(meeting, "createTime"))


def is_ended(meeting: Element) -> bool:
    """Whether the meeting was ended and only lingers."""
    return is_true(meeting, "hasBeenForciblyEnded")


def runs_of(answer: Element, room_keys: Collection[str], at: datetime) -> dict[str, RunStatus]:
    """Room key → its run, of the meetings that the server lists. Of several that have one id, the newest that lives."""
    wanted, newest = set(room_keys), dict[str, tuple[tuple[bool, int], Element]]()
    for meeting in answer.iterfind("meetings/meeting"):
        key = text_of(meeting, "meetingID")
        if key in wanted:
            rank = (not is_ended(meeting), number_of(meeting, "createTime") or 0)
            if key not in newest or rank > newest[key][0]:
                newest[key] = (rank, meeting)
    return {key: RunStatus(run_name_of(meeting), snapshot_of(meeting, at)) for key, (_, meeting) in newest.items()}


def counts_of(answer: Element) -> tuple[Count, ...]:
    """How many meetings go on at the server, for whomever, and how many people are in them.

    Breakout rooms are left out, because whoever is in one counts in the meeting that it belongs to.
    """
    meetings = [
        one for one in answer.iterfind("meetings/meeting") if not is_ended(one) and not is_true(one, "isBreakout")
    ]
    people = sum(_total(one) for one in meetings)
    return Count("meetings", Message("Meetings"), len(meetings)), Count("people", Message("People"), people)


@dataclass(frozen=True)
class _Person:
    id: str
    name: str
    moderates: bool

    @property
    def role(self) -> str:
        """A guest who was promoted moderates; whoever came by another way than ours attends."""
        return "moderator" if self.moderates else "guest" if self.id.startswith(PREFIXES["guest"]) else "attendee"


def snapshot_of(meeting: Element, at: datetime) -> Snapshot:
    """What a meeting is like at the moment `at`, at which the server was asked."""
    people, total = list(_people(meeting)), _total(meeting)
    is_complete = len(people) >= total  # some balancers list nobody, or not all
    roles = [person.role for person in people]
    figures: dict[str, int | None] = {
        "participants": total,
        "moderators": roles.count("moderator") if is_complete else number_of(meeting, "moderatorCount"),
        "attendees": roles.count("attendee") if is_complete else None,
        "guests": roles.count("guest") if is_complete else None,
        "voices": number_of(meeting, "voiceParticipantCount"),
        "videos": number_of(meeting, "videoCount"),
    }
    return Snapshot(
        state=_state(meeting, total),
        checked_at=at,
        since=moment_of(number_of(meeting, "startTime")) if total else None,
        headline=total,
        counts=tuple(Count(key, LABELS[key], value) for key, value in figures.items()),
        names=tuple(person.name for person in people),
        present=frozenset(_own_id(person.id) for person in people) if is_complete else None,
    )


def _state(meeting: Element, people: int) -> LiveState:
    if is_ended(meeting):
        return LiveState.ENDING
    return LiveState.LIVE if people or is_true(meeting, "running") else LiveState.STARTING


def _people(meeting: Element) -> Iterable[_Person]:
    for one in meeting.iterfind("attendees/attendee"):
        yield _Person(text_of(one, "userID"), text_of(one, "fullName"), text_of(one, "role").upper() == "MODERATOR")


def _total(meeting: Element) -> int:
    """How many people are in: some servers say so and list nobody."""
    told = number_of(meeting, "participantCount")
    return sum(1 for _ in _people(meeting)) if told is None else told


def _own_id(user_id: str) -> str:
    """The participant's id without the prefix; an id that is not of ours as it is."""
    return next((user_id.removeprefix(one) for one in PREFIXES.values() if user_id.startswith(one)), user_id)


def moment_of(milliseconds: int | None) -> datetime | None:
    """A moment as servers tell it; None if they do not, or tell one that cannot be."""
    if not milliseconds or milliseconds > LATEST.timestamp() * 1000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
