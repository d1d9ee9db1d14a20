"""What a server that speaks BigBlueButton's API keeps, and how it tells that in XML."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape


@dataclass
class Person:
    """Somebody in a meeting."""

    user_id: str
    name: str
    role: str
    guest: bool
    voice: bool = False
    video: bool = False


@dataclass
class BbbMeeting:
    """A meeting, with all that was sent to create it."""

    id: str
    created: int
    sent: dict[str, str]
    people: list[Person] = field(default_factory=list)
    ended: bool = False

    @property
    def internal(self) -> str:
        return f"{hashlib.sha1(self.id.encode()).hexdigest()}-{self.created}"


@dataclass
class BbbRecording:
    """A recording, as the server keeps it."""

    id: str
    meeting_id: str
    began: int
    state: str = "published"
    name: str = "Board meeting"
    metadata: dict[str, str] = field(default_factory=dict)
    minutes: int = 30
    kinds: tuple[str, ...] = ("presentation", "statistics")
    size: int = 12_345_678

    @property
    def is_published(self) -> bool:
        return self.state == "published"


def tags(values: Mapping[str, Any]) -> str:
    """An element for each value."""
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())


def flag(value: bool) -> str:
    """A truth value, as the API writes it."""
    return "true" if value else "false"


def told_of(meeting: BbbMeeting) -> dict[str, Any]:
    """What the answer to its creation tells of a meeting."""
    return {
        "meetingID": meeting.id,
        "internalMeetingID": meeting.internal,
        "parentMeetingID": "bbb-none",
        "attendeePW": meeting.sent.get("attendeePW", ""),
        "moderatorPW": meeting.sent.get("moderatorPW", ""),
        "createTime": meeting.created,
        "voiceBridge": "70066",
        "dialNumber": "613-555-1234",
        "createDate": "Mon Nov 30 18:54:01 UTC 2026",
        "hasUserJoined": flag(bool(meeting.people)),
        "duration": meeting.sent.get("duration", "0"),
        "hasBeenForciblyEnded": flag(meeting.ended),
    }


def meeting_xml(meeting: BbbMeeting, *, people: bool) -> str:
    """All that is told of a meeting, with the `people` in it or without."""
    figures = {
        "meetingName": meeting.sent.get("name", ""),
        "running": flag(bool(meeting.people)),
        "recording": "false",
        "startTime": meeting.created if meeting.people else 0,
        "endTime": 0,
        "participantCount": len(meeting.people),
        "listenerCount": 0,
        "voiceParticipantCount": sum(one.voice for one in meeting.people),
        "videoCount": sum(one.video for one in meeting.people),
        "maxUsers": meeting.sent.get("maxParticipants", "0"),
        "moderatorCount": sum(one.role == "MODERATOR" for one in meeting.people),
    }
    attendees = "".join(
        "<attendee>"
        + tags(
            {
                "userID": one.user_id,
                "fullName": one.name,
                "role": one.role,
                "isPresenter": "false",
                "isListeningOnly": "false",
                "hasJoinedVoice": flag(one.voice),
                "hasVideo": flag(one.video),
                "clientType": "HTML5",
            }
        )
        + "</attendee>"
        for one in (meeting.people if people else ())
    )
    told = tags(told_of(meeting) | figures)
    return f"{told}<attendees>{attendees}</attendees><metadata/><isBreakout>false</isBreakout>"


def recording_xml(kept: BbbRecording, url: str) -> str:
    """The recording as its list has it. `url`: where the server listens."""
    told = {
        "recordID": kept.id,
        "meetingID": kept.meeting_id,
        "internalMeetingID": kept.id,
        "name": kept.name,
        "isBreakout": "false",
        "published": flag(kept.is_published),
        "state": kept.state,
        "startTime": kept.began,
        "endTime": kept.began + kept.minutes * 60_000,
        "participants": 3,
        "size": kept.size,
    }
    formats = "".join(
        "<format>"
        + tags({"type": kind, "processingTime": 7177, "length": kept.minutes, "size": kept.size})
        + f"<url>\n        {url}/playback/{kind}/2.3/{kept.id}\n      </url></format>"
        for kind in kept.kinds
    )
    return f"{tags(told)}<metadata>{tags(kept.metadata)}</metadata><playback>{formats}</playback>"
