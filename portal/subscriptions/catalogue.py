"""The fixed catalogue of features: what a plan can grant and a room may narrow.

Grows with the room types; only features that something obeys today are listed.
"""

from dataclasses import dataclass

from portal.errors import Message


@dataclass(frozen=True)
class Feature:
    """One feature: a number with a unit, or a yes/no. `narrowable`: may a room ask for less?"""

    code: str
    label: Message
    kind: type[int] | type[bool]
    unit: str = ""
    narrowable: bool = True


FEATURES: dict[str, Feature] = {
    feature.code: feature
    for feature in (
        Feature("max_participants", Message("Participants"), int),
        Feature("max_duration", Message("Duration"), int, unit="min"),
        Feature("max_rooms", Message("Rooms"), int, narrowable=False),
        Feature("recording", Message("Recording"), bool),
        Feature("public_chat", Message("Public chat"), bool),
        Feature("screen_sharing", Message("Screen sharing"), bool),
    )
}
