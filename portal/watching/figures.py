"""What is told of who has watched how much: of one video, and of the people of one run."""

from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import session
from portal.identifiers import Identified
from portal.status.models import Participation
from portal.videos.models import RoomVideo
from portal.watching.models import PARTS, VideoView

BARS = 10
"""Into so many parts a video is divided for telling where people left."""
MOST_READ = 20_000
"""Viewers of whom figures are made: the latest."""


@dataclass(frozen=True)
class Bar:
    """One part of a video: from `begin` to `end` in seconds, how many saw it, and how many left there."""

    begin: int
    end: int
    seen: int
    left: int


@dataclass(frozen=True)
class VideoFigures:
    """What is known of those who have watched a video. `average` is the part that they saw, in percent."""

    views: int
    people: int
    average: int
    seconds: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class WatchedPart:
    """How much of a video somebody has seen."""

    name: str
    percent: int
    seconds: int


def figures_of(video: RoomVideo) -> VideoFigures:
    """The figures of one video, by one statement."""
    rows = session.execute(
        sa.select(VideoView.parts, VideoView.position, VideoView.seconds - VideoView.settled)
        .where(VideoView.video_uuid == video.uuid)
        .order_by(VideoView.reported_at.desc())
        .limit(MOST_READ)
    ).all()
    length = (video.milliseconds or 0) / 1000
    width = PARTS // BARS
    seen, left = [0] * BARS, [0] * BARS
    for parts, position, _unsettled in rows:
        for bar in range(BARS):
            seen[bar] += "1" in parts[bar * width : (bar + 1) * width]
        left[min(BARS - 1, int(position / length * BARS)) if length else 0] += 1
    bars = tuple(
        Bar(round(length * bar / BARS), round(length * (bar + 1) / BARS), seen[bar], left[bar]) for bar in range(BARS)
    )
    average = round(sum(parts.count("1") for parts, _position, _unsettled in rows) / len(rows)) if rows else 0
    seconds = video.seconds_watched + sum(unsettled for _parts, _position, unsettled in rows)
    return VideoFigures(video.views, len(rows), average, seconds, bars)


def watched_in(run: Identified) -> dict[str, list[WatchedPart]]:
    """What people have watched in this run, by the ids of their participations, by one statement."""
    found: dict[str, list[WatchedPart]] = {}
    rows = session.execute(
        sa.select(Participation.id, RoomVideo.name, VideoView.parts, VideoView.seconds)
        .join(RoomVideo, RoomVideo.uuid == VideoView.video_uuid)
        .join(Participation, Participation.uuid == VideoView.participation_uuid)
        .where(Participation.session_uuid == run.uuid)
        .order_by(VideoView.started_at)
    )
    for participation_id, name, parts, seconds in rows:
        found.setdefault(participation_id, []).append(WatchedPart(name, parts.count("1"), seconds))
    return found
