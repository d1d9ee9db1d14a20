"""The adapter and service `vod`: videos that the portal keeps, prepares with ffmpeg, and shows on a page of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.providers.base import Contradiction, Places, Property, RecordingMode, Setting


class VideoOnDemand:
    """The adapter for videos on the portal's own page."""

    key = "vod"
    label = "Built-in videos"
    kinds = frozenset({"video"})
    properties: Sequence[Property] = ()
    settings: Sequence[Setting] = ()  # what rooms of the type have is all there is to choose
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset({"max_storage"})
    places: Places | None = None
    asks_about_guests = False

    def bind(self, properties: Mapping[str, Any]) -> "VideoService":
        """The service. All rows share one, because it has no properties."""
        return VideoService()

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        """Nothing is recorded: who watches sends nothing."""
        return RecordingMode.OFF


class VideoService:
    """The service behind rooms of videos. The portal's own page shows them, and tells who is in."""
