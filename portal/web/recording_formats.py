"""What pages say of the formats of a recording, for its owners and for participants, and where they lead."""

from flask_babel import format_decimal

from portal.edge.i18n import gettext as _
from portal.errors import NotFound
from portal.media.models import Recording

MEGABYTE = 1_000_000


def address_of(recording: Recording, number: int) -> str:
    """The address at which this format of a recording is watched. Raises `NotFound`."""
    try:
        return str(recording.formats[number]["url"])
    except IndexError:
        raise NotFound from None


def size_words(size: int) -> str:
    """A number of bytes for people: "12.3 MB", or "45 KB" of little."""
    if size < MEGABYTE // 10:
        return _("%(n)s KB", n=format_decimal(-(-size // 1000)))
    return _("%(n)s MB", n=format_decimal(round(size / MEGABYTE, 1)))


def format_words(kind: str) -> str:
    """What a format is called: those that services of several kinds have by a word, others by their own."""
    known = {"presentation": _("Presentation"), "video": _("Video"), "podcast": _("Sound"), "notes": _("Notes")}
    return known.get(kind, kind)
