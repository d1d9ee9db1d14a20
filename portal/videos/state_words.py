"""What the state of a video is called, for pages and programs alike."""

from portal.errors import Message
from portal.videos.models import RoomVideo, VideoState
from portal.videos.service_videos import name_of_service

_FIRST = (
    Message("waiting (first in line)"),
    Message("waiting (second in line)"),
    Message("waiting (third in line)"),
    Message("waiting (fourth in line)"),
    Message("waiting (fifth in line)"),
    Message("waiting (sixth in line)"),
    Message("waiting (seventh in line)"),
    Message("waiting (eighth in line)"),
    Message("waiting (ninth in line)"),
    Message("waiting (tenth in line)"),
)


def state_words(video: RoomVideo, *, place: int | None = None) -> Message:
    """The state in words: `preparing 42 %`. `place` is its place in line, where that is known."""
    match video.state:
        case VideoState.UPLOADING:
            return Message("uploading")
        case VideoState.WAITING:
            return _waiting(place)
        case VideoState.CHECKING:
            return Message("checking")
        case VideoState.PREPARING if video.held is not None:
            return Message("%(service)s is preparing it", service=name_of_service(video.held))
        case VideoState.PREPARING:
            percent = video.task.progress if video.task is not None else None
            return Message("preparing %(percent)d %%", percent=percent or 0)
        case VideoState.READY:
            return Message("ready")
        case VideoState.FAILED:
            return Message("failed: %(why)s", why=_within_a_sentence(video.error))


def _waiting(place: int | None) -> Message:
    if place is None:
        return Message("waiting")
    return _FIRST[place - 1] if place <= len(_FIRST) else Message("waiting (number %(n)d in line)", n=place)


def _within_a_sentence(error: str) -> str:
    """The first sentence of an error begins with a small letter after a colon."""
    only_one = error.count(".") == 1 and error.endswith(".")
    return error[:1].lower() + (error[1:-1] if only_one else error[1:])
