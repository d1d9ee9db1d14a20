"""The border to services that hold videos: what is told to them, and what they say. It goes with `base`.

A video that a service holds is known by the service's own name for it, `external`. Its bytes go from the browser
straight to the service, and from there straight to whoever watches; the portal decides who sees its page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from portal.providers.base import Count, ProviderError


class Busy(ProviderError):
    """The service is not asked now: so many requests are left to others, or none. Ask again after `seconds`."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message, permanent=False, answered=True)
        self.seconds = seconds


class HeldState(StrEnum):
    """How far the service is with a video. Words of the service that nobody knows are taken for `PROCESSING`."""

    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class HeldVideo:
    """What a service says of one video.

    `embed` is what the address of its player needs besides its name, a secret; "" if there is none. Figures are None if
    the service does not tell them. `arrived`: a whole file has come. `is_private`: it is shown by nobody but the hosts
    that were named. `poster` is an address, "" if there is no picture.
    """

    external: str
    state: HeldState
    arrived: bool = False
    embed: str = ""
    milliseconds: int | None = None
    views: int | None = None
    comments: int | None = None
    likes: int | None = None
    is_private: bool = True
    poster: str = ""


@dataclass(frozen=True, kw_only=True)
class NewHeldVideo:
    """A video that a service is asked to hold.

    `size` is in bytes. `reference` is what the portal calls it, to be found again; `hosts` are those whose pages may
    show it.
    """

    name: str
    size: int
    reference: str
    hosts: Sequence[str]


@dataclass(frozen=True)
class UploadPlace:
    """Where the bytes of a video go, by tus. The address is a secret: whoever has it may send them."""

    external: str
    address: str


@dataclass(frozen=True, kw_only=True)
class HeldCaptions:
    """Captions of a video in one language, as WebVTT. `default`: they are shown at first."""

    language: str
    label: str
    text: str
    default: bool


@dataclass(frozen=True)
class Look:
    """What a service says of all its videos together: figures about the account, such as the bytes that are left."""

    videos: Sequence[HeldVideo]
    counts: Sequence[Count] = ()


@runtime_checkable
class HoldsVideos(Protocol):
    """A service that keeps videos, prepares them, and shows them in a frame of its own.

    Each method may be called twice for one wish. Each raises `ProviderError`, and `Busy` if it should be asked later.
    """

    player_origin: str
    """The origin of its frames, such as `https://player.example`."""
    upload_origins: Sequence[str]
    """The origins to which browsers send bytes, as a policy names them: `https://*.example`."""

    def create(self, new: NewHeldVideo) -> UploadPlace:
        """Begin a video that nobody sees but on pages of its hosts. There is no moment at which others could."""
        ...

    def replace(self, external: str, *, file_name: str, size: int) -> UploadPlace:
        """Begin another file for a video, which stays what it is until the file has come."""
        ...

    def look(self) -> Iterator[Look]:
        """What it says of all videos, page by page, by as few requests as it can."""
        ...

    def look_at(self, external: str) -> HeldVideo | None:
        """What it says of one video; None if that is gone. It is asked before the others are."""
        ...

    def delete(self, external: str) -> None:
        """Delete a video for good. Does nothing if it is gone."""
        ...

    def set_captions(self, external: str, captions: Sequence[HeldCaptions]) -> None:
        """Let the video have these captions, and no others."""
        ...

    def set_poster(self, external: str, *, milliseconds: int) -> None:
        """Let the picture at this moment stand for the video."""
        ...

    def player_address(self, external: str, embed: str) -> str:
        """The address of the frame that plays a video."""
        ...
