"""The adapter and service `broadcast`: live rooms that the portal itself sends."""

from collections.abc import Mapping, Sequence
from typing import Any

from portal.providers.base import Contradiction, IngestPlan, Places, Property, RecordingMode, Setting
from portal.providers.broadcast.settings import DVR, GRACE, LATENCY, SETTINGS

_SEGMENTS = {"low": 1000, "steady": 2000}
"""What is chosen for the delay → how long a segment is, in milliseconds."""


class LiveBroadcasts:
    """The adapter for rooms that the portal itself sends live."""

    key = "broadcast"
    label = "Built-in live streams"
    kinds = frozenset({"live"})
    properties: Sequence[Property] = ()
    settings: Sequence[Setting] = SETTINGS
    contradictions: Sequence[Contradiction] = ()
    features: frozenset[str] = frozenset()
    places: Places | None = None
    asks_about_guests = False

    def bind(self, properties: Mapping[str, Any]) -> "BroadcastService":
        """The service. All rows share one, because it has no properties."""
        return BroadcastService()

    def recording_mode(self, _settings: Mapping[str, Any], _limits: Mapping[str, Any]) -> RecordingMode:
        """Nothing is recorded."""
        return RecordingMode.OFF


class BroadcastService:
    """The service behind live rooms that the portal itself sends."""

    def ingest_plan(self, settings: Mapping[str, Any]) -> IngestPlan:
        """How a run with these settings is made into segments."""
        return IngestPlan(
            segment_milliseconds=_SEGMENTS[settings[LATENCY]],
            dvr_minutes=settings[DVR],
            grace_seconds=settings[GRACE],
        )
