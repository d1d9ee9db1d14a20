"""Translations, and the template filters for dates and durations in the reader's language and time zone."""

import unicodedata
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Flask, g
from flask_babel import Babel, format_date, format_datetime, format_time, get_translations
from markupsafe import Markup

from portal.clock import now
from portal.edge import actor
from portal.errors import Message
from portal.people.timezones import time_zones
from portal.rooms.models import Role
from portal.status.models import Ending

MINUTE, HOUR, DAY = 60, 3600, 86_400


def install(app: Flask) -> None:
    """Install translations, filters and globals for the templates of this app."""
    Babel(app, timezone_selector=lambda: zone().key)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: _catalogue().ugettext(text),
        lambda one, many, number: _catalogue().ungettext(one, many, number),
        newstyle=True,
    )
    app.jinja_env.globals.update({"gettext": _in_template, "ngettext": _in_template_by_number})
    app.add_template_filter(isolated)
    app.add_template_filter(playing_time)
    app.add_template_filter(translated)
    app.add_template_filter(when)
    app.add_template_filter(when_in_zone)
    app.add_template_filter(exactly)
    app.add_template_filter(ago)
    app.add_template_filter(duration)
    app.add_template_filter(until)
    app.add_template_filter(lasted)
    app.add_template_filter(span)
    app.add_template_filter(ending_label)
    app.add_template_filter(first_day)
    app.add_template_filter(last_day)
    app.add_template_global(zone_name)


def _catalogue() -> Any:
    """The translations for the reader's language, looked up once for each request: pages ask for hundreds of texts."""
    if "catalogue" not in g:
        g.catalogue = get_translations()
    return g.catalogue


_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


def isolated(value: Any) -> Any:
    """A text that people wrote, for use within another: if it runs from right to left, it keeps that to itself.

    The characters FSI and PDI do in titles, labels and messages what the element `bdi` does in a page. Other values
    are returned as they are.
    """
    if not isinstance(value, str) or value.isascii():
        return value
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in value):
        return value
    return _ISOLATE + value + _END_ISOLATE


def _isolated(values: dict[str, object]) -> dict[str, object]:
    return {name: isolated(value) for name, value in values.items()}


def _in_template(text: str, **values: object) -> Markup:
    """What `trans` and `_` in templates call: markup, in which a lone percent sign is written as two."""
    return Markup(_catalogue().ugettext(text)) % _isolated(values)  # noqa: S704


def _in_template_by_number(one: str, many: str, num: int, **values: object) -> Markup:
    return Markup(_catalogue().ungettext(one, many, num)) % {"num": num, **_isolated(values)}  # noqa: S704


def gettext(text: str, /, **values: object) -> str:
    """Translate a text and fill in the values, each isolated from the direction of the text.

    Faster than Flask-Babel's own `gettext`, which looks for the translations anew with each call.
    """
    found: str = _catalogue().ugettext(text)
    return found % _isolated(values) if values else found


def ngettext(one: str, many: str, /, num: object, **values: object) -> str:
    """Translate a text that depends on a number, which fills `%(num)d`, and fill in the values, each isolated."""
    found: str = _catalogue().ungettext(one, many, num)
    return found % {"num": num, **_isolated(values)}


def translated(message: str) -> str:
    """The message in the reader's language."""
    if isinstance(message, Message):
        values = {k: translated(v) if isinstance(v, Message) else v for k, v in message.values.items()}
        if message.many:
            return ngettext(message.msgid, message.many, **values, num=message.values["n"])
        return gettext(message.msgid, **values)
    return message


def zone() -> zoneinfo.ZoneInfo:
    """The reader's time zone; UTC if it is not known."""
    somebody = actor.current()
    name = somebody.user.timezone if somebody else None
    return zoneinfo.ZoneInfo(name if name in time_zones() else "UTC")


def zone_name() -> str:
    """The reader's time zone as people write it: "Europe/Berlin"."""
    return zone().key.replace("_", " ")


def here_at(moment: datetime) -> datetime:
    """A moment in the reader's time zone; in UTC if Python cannot represent it there (years 1 and 9999)."""
    try:
        return moment.astimezone(zone())
    except OverflowError:
        return moment.astimezone(UTC)


def when(moment: datetime | None) -> str:
    """A moment as people say it: "today, 14:05", "24 Nov 2026, 09:00"."""
    if moment is None:
        return ""
    here, today = here_at(moment), now().astimezone(zone()).date()
    time = format_time(here, "HH:mm", rebase=False)
    if here.date() == today:
        return gettext("today, %(time)s", time=time)
    if here.date() == today - timedelta(days=1):
        return gettext("yesterday, %(time)s", time=time)
    if here.date() == today + timedelta(days=1):
        return gettext("tomorrow, %(time)s", time=time)
    if here.year == today.year:
        return str(format_datetime(here, "d MMM, HH:mm", rebase=False))
    return str(format_datetime(here, "d MMM yyyy, HH:mm", rebase=False))


def first_day(start: datetime, zone_key: str) -> str:
    """The day in this time zone on which something starts: "31 Jan 2027"."""
    return _day(start.astimezone(zoneinfo.ZoneInfo(zone_key)).date())


def last_day(end: datetime, zone_key: str) -> str:
    """The last day in this time zone before something ends with the beginning of the next: "31 Jan 2027"."""
    return _day((end.astimezone(zoneinfo.ZoneInfo(zone_key)) - timedelta(microseconds=1)).date())


def _day(day: date) -> str:
    return str(format_date(day, "d MMM yyyy", rebase=False))


def in_zone(moment: datetime) -> str:
    """A moment for readers elsewhere, with the zone that it is told in: "24 November 2026, 09:00 (Europe/Berlin)"."""
    return f"{format_datetime(here_at(moment), 'd MMMM yyyy, HH:mm', rebase=False)} ({zone_name()})"


def when_in_zone(moment: datetime) -> str:
    """A moment for people, as `when` writes it, and its time zone, for pages that do not name the zone elsewhere."""
    return gettext("%(time)s (%(zone)s)", time=when(moment), zone=zone_name())


def exactly(moment: datetime | None) -> str:
    """A moment to the second, in the reader's time zone: "24 November 2026, 09:00:12 UTC+01:00"."""
    if moment is None:
        return ""
    here = here_at(moment)
    return f"{format_datetime(here, 'd MMMM yyyy, HH:mm:ss', rebase=False)} {offset(here)}"


def offset(here: datetime) -> str:
    """How far the clocks of a local time are from UTC: "UTC+05:30".

    Babel's own pattern for it is wrong in zones whose winter time is the one that deviates, such as Dublin's.
    """
    minutes = int((here.utcoffset() or timedelta()).total_seconds() // 60)
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"


def ago(moment: datetime | None) -> str:
    """How long ago, roughly: "12 s ago"."""
    if moment is None:
        return ""
    return gettext("%(time)s ago", time=_span(seconds_since(moment)))


def duration(since: datetime | None) -> str:
    """How long something has lasted: "38 min"."""
    return "" if since is None else _span(seconds_since(since))


def seconds_since(moment: datetime) -> int:
    """The whole seconds since a moment."""
    return int((now() - moment).total_seconds())


def until(moment: datetime) -> str:
    """How long there is to wait: "12 min"."""
    return _span(int((moment.astimezone(UTC) - now()).total_seconds()))


def lasted(start: datetime, end: datetime | None) -> str:
    """How long something took, or has lasted until now: "38 min"."""
    return _span(int(((end or now()) - start).total_seconds()))


def span(seconds: int) -> str:
    """A length of time in seconds, as people say it: "38 min"."""
    return _span(seconds)


def role_label(role: Role) -> str:
    """The name of a role for people."""
    label: str = {
        Role.MODERATOR: gettext("Moderator"),
        Role.ATTENDEE: gettext("Attendee"),
        Role.GUEST: gettext("Guest"),
    }[role]
    return label


def ending_label(ending: Ending) -> str:
    """How a participation ended, as others read it."""
    label: str = {
        Ending.LEFT: gettext("Left"),
        Ending.LOST: gettext("Connection lost"),
        Ending.REMOVED: gettext("Removed"),
        Ending.CLOSED: gettext("Room closed"),
        Ending.DELETED: gettext("Room deleted"),
        Ending.ENDED: gettext("Ended for everyone"),
        Ending.TIME_LIMIT: gettext("Time limit reached"),
        Ending.NO_MODERATOR: gettext("No moderator left"),
        Ending.WITHDRAWN: gettext("Right to be in ended"),
    }[ending]
    return label


def _span(seconds: int) -> str:
    seconds = max(seconds, 0)
    if seconds < MINUTE:
        return gettext("%(n)d s", n=seconds)
    if seconds < HOUR:
        return gettext("%(n)d min", n=seconds // MINUTE)
    if seconds < DAY:
        return gettext("%(n)d h %(m)02d min", n=seconds // HOUR, m=seconds % HOUR // MINUTE)
    return ngettext("%(num)d day", "%(num)d days", seconds // DAY)


def playing_time(seconds: float) -> str:
    """How long something plays, as players write it: 0:05, 12:31, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"  # noqa: PLR2004
