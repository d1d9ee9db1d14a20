"""What Vimeo says of a video, read from an answer that may lack anything, or hold anything."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from portal.providers.held_videos import HeldState, HeldVideo

FIELDS = ",".join((
    "uri", "status", "upload.status", "transcode.status", "is_playable", "duration", "stats.plays",
    "metadata.connections.comments.total", "metadata.connections.likes.total", "privacy.view", "privacy.embed",
    "player_embed_url", "pictures.base_link",
))  # fmt: skip
"""What is asked of each video."""
HIDDEN, LISTED_HOSTS = "disable", "whitelist"
"""The privacy that the portal asks for: shown nowhere at Vimeo, and embedded on pages of named hosts only."""

_URI = re.compile(r"/videos/([0-9]{1,20})(?::[0-9A-Za-z]+)?", re.ASCII)
_EMBED = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)
_LONGEST = 2**31 - 1
_BROKEN = ("_error", "_exceeded", "failed")


def external_of(video: dict[str, Any]) -> str | None:
    """Vimeo's number of a video; None if the answer tells none."""
    found = _URI.fullmatch(_text(video, "uri"))
    return found[1] if found else None


def read_video(video: Any, *, player_origin: str) -> HeldVideo | None:
    """What an answer says of a video; None if it is about none."""
    if not isinstance(video, dict) or (external := external_of(video)) is None:
        return None
    seconds = _number(video, "duration")
    return HeldVideo(
        external=external,
        state=state_of(video),
        arrived=_text(video, "upload", "status") == "complete",
        embed=_embed(_text(video, "player_embed_url"), external, player_origin),
        milliseconds=seconds * 1000 if seconds else None,
        views=_number(video, "stats", "plays"),
        comments=_number(video, "metadata", "connections", "comments", "total"),
        likes=_number(video, "metadata", "connections", "likes", "total"),
        is_private=is_private(video),
        poster=_text(video, "pictures", "base_link"),
    )


def state_of(video: dict[str, Any]) -> HeldState:
    """How far a video is. Right after an upload transcoding is called complete while uploading is not: both count."""
    upload, transcode = _text(video, "upload", "status"), _text(video, "transcode", "status")
    status = _text(video, "status")
    if "error" in {upload, transcode} or status.endswith(_BROKEN):
        return HeldState.FAILED
    whole = upload == transcode == "complete"
    return HeldState.READY if whole and video.get("is_playable") is not False else HeldState.PROCESSING


def is_private(video: dict[str, Any]) -> bool:
    """Whether a video has the privacy that the portal asked for."""
    return _text(video, "privacy", "view") == HIDDEN and _text(video, "privacy", "embed") == LISTED_HOSTS


def _embed(address: str, external: str, player_origin: str) -> str:
    """The hash in the address of a player; "" if it is not that of this video, or has none."""
    parts = urlsplit(address)
    if f"{parts.scheme}://{parts.netloc}" != player_origin or parts.path != f"/video/{external}":
        return ""
    found = parse_qs(parts.query).get("h", [""])[0]
    return found if _EMBED.fullmatch(found) else ""


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(video: dict[str, Any], *path: str) -> str:
    found = _at(video, *path)
    return found[:2000] if isinstance(found, str) else ""


def _number(video: dict[str, Any], *path: str) -> int | None:
    found = _at(video, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= _LONGEST else None
