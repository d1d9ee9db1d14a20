"""Slugs: the readable part of a room's address. They are not unique and never trusted; the id finds the room."""

import re
import unicodedata

from portal.errors import Invalid, Message
from portal.rooms.models import SLUG_LENGTH

FALLBACK = "room"
LONGEST = 4 * SLUG_LENGTH


def slug_of(text: str) -> str:
    """The slug for a name, lower-case ASCII words joined by hyphens: "Réunion du 3 mai" → "reunion-du-3-mai"."""
    text = text[:LONGEST]  # composing costs the square of the length
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_LENGTH].strip("-") or FALLBACK


def checked_slug(text: str) -> str:
    """Return `text` if it has the form of a slug. Raises `Invalid` on `slug` if it has not."""
    if len(text) > SLUG_LENGTH or not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", text):
        raise Invalid(
            slug=Message("Use small letters, digits and single hyphens, such as %(like)s.", like=slug_of(text))
        )
    return text
