"""The settings of rooms that the portal itself sends live. What counts only at the next start says so."""

from portal.errors import Message
from portal.providers.base import FieldKind, Setting, SettingScope

LATENCY, DVR, GRACE = "latency", "dvr", "grace"

SETTINGS = (
    Setting(
        name=LATENCY,
        kind=FieldKind.CHOICE,
        scope=SettingScope.PROVIDER,
        label=Message("Delay"),
        help=Message("Low is about 3 seconds, steady about 7 and better on slow lines. It counts at the next start."),
        read_by="broadcasts",
        default="low",
        choices=(("low", Message("Low")), ("steady", Message("Steady"))),
    ),
    Setting(
        name=DVR,
        kind=FieldKind.NUMBER,
        scope=SettingScope.PROVIDER,
        label=Message("Minutes that viewers may go back"),
        help=Message("While it is live. 0 for none. It counts at the next start."),
        read_by="broadcasts",
        default=10,
        most=240,
    ),
    Setting(
        name=GRACE,
        kind=FieldKind.NUMBER,
        scope=SettingScope.PROVIDER,
        label=Message("Seconds to wait for a lost broadcaster"),
        help=Message("So long viewers read that it is back in a moment; then it ends. It counts at the next start."),
        read_by="broadcasts",
        default=60,
        most=600,
    ),
)
