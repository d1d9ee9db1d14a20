"""The readable part of a room's address. Never trusted, never unique: the id decides."""

import re
import unicodedata

from portal.errors import Invalid, Message
from portal.rooms.models import SLUG_LENGTH

FALLBACK = "room"
LONGEST = 4 * SLUG_LENGTH


def slug_of(text: str) -> str:
    """Lower-case ASCII words joined by hyphens: "Réunion du 3 mai" → "reunion-du-3-mai"."""
    text = text[:LONGEST]  # composing costs the square of the length
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or FALLBACK


def checked_slug(text: str) -> str:
    """A slug that somebody typed. Raises `Invalid` unless it already looks like one."""
    if len(text) > SLUG_LENGTH or not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", text):
        raise Invalid(
            slug=Message("Use small letters, digits and single hyphens, such as %(like)s.", like=slug_of(text))
        )
    return text
