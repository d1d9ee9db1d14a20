"""What people watch: the reports of their players, which may say anything, bounded by the clock of the server.

A player reports about every ten seconds which stretches it has played. Each report writes the one row of this viewer
and this video, so that a thousand viewers do not wait for one another. What all of them make together, the seconds of a
video, is added to it from time to time by `settle`.

A view is a viewer who has watched ten seconds, or half of a shorter video; it is counted once, and once more when he
comes back after half an hour.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.clock import now
from portal.db import session
from portal.status.models import Participation
from portal.videos.models import RoomVideo
from portal.watching.models import PARTS, VideoView

COUNTS_AFTER = 10.0
"""Seconds after which it is a view; less where half of the video is."""
AGAIN_AFTER = timedelta(minutes=30)
LONGEST_REPORT = 60.0
"""Seconds that one report may tell of, however long the last one is ago: reports that got lost are lost."""
SLACK = 2.0
"""Seconds that a report may be early or late."""
FASTEST = 2.0
"""How fast a player plays at most."""
SETTLED_AT_ONCE = 500

Stretch = tuple[float, float]
"""From where to where something was played, in seconds of the video."""


def report(participation: Participation, video: RoomVideo, *, position: float, played: Sequence[Stretch]) -> None:
    """Note what somebody has played of a video since his last report, as far as that can be."""
    at, length = now(), (video.milliseconds or 0) / 1000
    view = _view_of(participation, video)
    since = view.reported_at if view is not None else participation.entered_at
    most = min((at - since).total_seconds() + SLACK, LONGEST_REPORT)
    if view is not None:  # many reports do not add up to more time than has passed
        most = min(most, (at - participation.entered_at).total_seconds() + SLACK - view.seconds)
    if view is None:
        view = VideoView(
            video_uuid=video.uuid,
            participation_uuid=participation.uuid,
            started_at=at,
            seconds=0,
            settled=0,
            parts="0" * PARTS,
            counted=0,
        )
        try:
            with session.begin_nested():
                session.add(view)
        except IntegrityError:  # his other tab has just told of it, too: what this one tells is a moment of it
            return
    stretches = _possible(played, length, most * FASTEST)
    media = sum(end - begin for begin, end in stretches)
    view.seconds += round(min(media, max(most, 0.0)))
    view.parts = _with_parts(view.parts, stretches, length, seconds=view.seconds)
    view.position = int(min(max(position, 0.0), length))
    if view.seconds >= min(COUNTS_AFTER, length / 2) and (view.counted_at is None or since < at - AGAIN_AFTER):
        view.counted, view.counted_at = view.counted + 1, at
        _add(video, views=1)
    view.reported_at = at
    session.flush()


def _view_of(participation: Participation, video: RoomVideo) -> VideoView | None:
    """What this participant has seen of this video, locked."""
    return session.scalar(
        sa.select(VideoView)
        .where(VideoView.video_uuid == video.uuid, VideoView.participation_uuid == participation.uuid)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def settle() -> int:
    """Add what was watched since the last time to the videos, each second once. Returns of how many views."""
    open_views = session.execute(
        sa.select(VideoView.uuid, VideoView.video_uuid, VideoView.seconds, VideoView.settled)
        .where(VideoView.seconds > VideoView.settled)
        .limit(SETTLED_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    fresh: Counter[UUID] = Counter()
    for uuid, video_uuid, seconds, settled in open_views:
        session.execute(sa.update(VideoView).where(VideoView.uuid == uuid).values(settled=seconds))
        fresh[video_uuid] += seconds - settled
    for video_uuid in sorted(fresh):  # always the same order: no deadlock
        _add_seconds(video_uuid, fresh[video_uuid])
    return len(open_views)


def _possible(played: Sequence[Stretch], length: float, most: float) -> list[Stretch]:
    """The stretches within the video, as many seconds of them as can have been played."""
    possible: list[Stretch] = []
    for told_begin, told_end in played:
        begin = max(told_begin, 0.0)
        end = min(told_end, length, begin + most)
        if end > begin:
            possible.append((begin, end))
            most -= end - begin
    return possible


def _with_parts(parts: str, stretches: Sequence[Stretch], length: float, *, seconds: int) -> str:
    """`parts` with those that were played: a part counts when its middle was.

    There are no more of them than can be seen in so many `seconds`: a moment of each part is not the whole of it.
    """
    if not length:
        return parts
    size = length / PARTS
    seen = list(parts)
    left = int((seconds + 1) * FASTEST / size) + 1 - parts.count("1")  # seconds are rounded
    for begin, end in stretches:
        first = max(0, round(begin / size))
        for number in range(first, min(PARTS, round(end / size))):
            if seen[number] == "0" and left > 0:
                seen[number], left = "1", left - 1
    return "".join(seen)


def _add(video: RoomVideo, *, views: int) -> None:
    values = {"views": RoomVideo.views + views, "updated_at": RoomVideo.updated_at}  # which is no change of the video
    session.execute(
        sa.update(RoomVideo)
        .where(RoomVideo.uuid == video.uuid)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _add_seconds(video_uuid: UUID, seconds: int) -> None:
    values = {"seconds_watched": RoomVideo.seconds_watched + seconds, "updated_at": RoomVideo.updated_at}
    session.execute(
        sa.update(RoomVideo)
        .where(RoomVideo.uuid == video_uuid)
        .values(values)
        .execution_options(synchronize_session=False)
    )
