"""Searching rooms by the words of their names."""

from portal.rooms.models import Room
from portal.word_search import WordIndex

_NAMES = WordIndex("room", Room.uuid, Room.name_words)

matches, found_by = _NAMES.matches, _NAMES.found_by
"""See `WordIndex`: the words are those of the room's name."""
