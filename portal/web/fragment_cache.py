"""A cache of rendered fragments of pages, whose key is the data that they show.

Rendering (templates, translations, escaping) takes longer than reading the data, and most pages are
asked for again unchanged. The data is read with each request and is the key, so a cached fragment cannot be stale,
provided that the function which renders it depends on nothing else but the reader's language, time zone and date,
which are in every key. So its template is given the key and nothing else. With `VERIFY`, as in the tests, each
fragment is rendered again to check that.

What differs from one request to the next is left out of a fragment, as a gap: the visitor's CSRF token, ages, the rows
of a list, which are fragments themselves.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from secrets import token_hex
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from portal.clock import now
from portal.edge.i18n import zone

CAPACITY = 2_000_000
"""The most bytes of fragments in the cache of each process. The keys come on top."""

VERIFY = False

_Key = TypeVar("_Key", bound=Hashable)

_EXTENSION = "made"
_GAP = f"gap-{token_hex(16)}:"
_GAPS = re.compile(f"{_GAP}([^;]*);")
_PROOF = "proof"


def gap(name: str) -> str:
    """What stands in a rendered text where something is to be filled in: see `Fragment`. Templates call this."""
    return f"{_GAP}{name};"


@dataclass(frozen=True)
class Fragment:
    """A rendered text with gaps, encoded. `texts` stand around and between the gaps, which have these names."""

    texts: tuple[bytes, ...]
    gaps: tuple[str, ...]

    @classmethod
    def of(cls, rendered: str) -> "Fragment":
        """The fragment of a text in which `gap` was written."""
        parts = _GAPS.split(rendered)
        return cls(tuple(part.encode() for part in parts[::2]), tuple(parts[1::2]))

    def filled(self, fillings: Mapping[str, bytes]) -> bytes:
        """The text with its gaps filled. One for which there is nothing stays empty."""
        parts = [b""] * (len(self.texts) + len(self.gaps))
        parts[::2] = self.texts
        parts[1::2] = [fillings.get(name, b"") for name in self.gaps]
        return b"".join(parts)

    @property
    def size(self) -> int:
        """How many bytes the text has without its gaps."""
        return sum(map(len, self.texts))


class FragmentCache:
    """The fragments used last. The one that was not used for longest is dropped first."""

    def __init__(self) -> None:
        self._fragments: OrderedDict[Hashable, Fragment] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable) -> Fragment | None:
        """The fragment with this key, or None."""
        fragment = self._fragments.get(key)
        if fragment is not None:
            self._fragments.move_to_end(key)
        return fragment

    def keep(self, key: Hashable, fragment: Fragment) -> None:
        """Add a fragment, and drop the oldest while there are more than `CAPACITY` bytes."""
        replaced = self._fragments.pop(key, None)
        self._size += fragment.size - (replaced.size if replaced is not None else 0)
        self._fragments[key] = fragment
        while self._size > CAPACITY:
            self._size -= self._fragments.popitem(last=False)[1].size


def install(app: Flask) -> None:
    """Give this app a cache of its own, because fragments depend on the app's addresses and files."""
    app.extensions[_EXTENSION] = FragmentCache()
    app.add_template_global(gap)


def words(text: str) -> bytes:
    """A text as it fills a gap: escaped and encoded."""
    return escape(text).encode()


def proof(token: str) -> dict[str, bytes]:
    """The filling for the gaps that fragments have where forms need this CSRF token."""
    return {_PROOF: words(token)}


def session_proof() -> dict[str, bytes]:
    """The filling for the gaps that fragments have where forms need the session's CSRF token."""
    return proof(generate_csrf())


def cached_fragment(kind: str, key: Hashable, make: Callable[[str], str]) -> Fragment:
    """The fragment that `make` renders for `key`, from the cache if it is there. `kind` separates kinds of fragments.

    `make` is called with a gap instead of a CSRF token for its forms, so that no token is cached. With `VERIFY`, raises
    `AssertionError` if `make` renders something else than the cached fragment.
    """
    return cached_fragments(kind, [key], lambda token, _missing: [make(token)])[0]


def cached_fragments(
    kind: str, keys: Sequence[_Key], make: Callable[[str, Sequence[_Key]], Sequence[str]]
) -> list[Fragment]:
    """The fragments of these `keys`, in their order, from the cache where they are there.

    `make` renders all that are missing by one call, given a gap for the CSRF token and their keys. With `VERIFY`,
    raises `AssertionError` if it renders something else than a cached fragment.
    """
    cache: FragmentCache = current_app.extensions[_EXTENSION]
    reader = kind, str(get_locale()), _day()
    found = [cache.find((*reader, key)) for key in keys]
    missing = [place for place, fragment in enumerate(found) if fragment is None or VERIFY]
    made = make(gap(_PROOF), [keys[place] for place in missing]) if missing else []
    for place, rendered in zip(missing, made, strict=True):
        fragment, cached = Fragment.of(rendered), found[place]
        assert cached in {None, fragment}, f"what is made of {kind} depends on more than {keys[place]}"
        cache.keep((*reader, keys[place]), fragment)
        found[place] = fragment
    return [fragment for fragment in found if fragment is not None]


def _day() -> tuple[ZoneInfo, date]:
    """The reader's time zone and date, on which texts like "today, 14:05" depend."""
    return zone(), now().astimezone(zone()).date()


def cached_fragment_for_session(kind: str, key: Hashable, make: Callable[[], str]) -> Fragment:
    """The fragment that `make` renders for `key`, for templates that write the session's `csrf_token()` into forms."""
    return cached_fragments_for_session(kind, [key], lambda _missing: [make()])[0]


def cached_fragments_for_session(
    kind: str, keys: Sequence[_Key], make: Callable[[Sequence[_Key]], Sequence[str]]
) -> list[Fragment]:
    """The fragments of these `keys`, for templates that write the session's `csrf_token()` into forms.

    `make` renders all that are missing by one call. Fill them with `session_proof`.
    """

    def make_with(token: str, missing: Sequence[_Key]) -> Sequence[str]:
        with _csrf_token(token):
            return make(missing)

    return cached_fragments(kind, keys, make_with)


@contextmanager
def _csrf_token(token: str) -> Iterator[None]:
    """Let templates write `token` for the session's CSRF token, which Flask-WTF keeps here for the request."""
    generate_csrf()
    g.csrf_token, own = token, g.csrf_token
    try:
        yield
    finally:
        g.csrf_token = own
