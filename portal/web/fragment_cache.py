"""A cache of rendered fragments of pages, whose key is the data that they show.

Rendering (templates, translations, escaping) takes longer than reading the data, and most pages are
asked for again unchanged. The data is read with each request and is the key, so a cached fragment cannot be stale,
provided that the function which renders it depends on nothing else but the reader's language, time zone and date,
which are in every key. So its template is given the key and nothing else. With `VERIFY`, as in the tests, each
fragment is rendered again to check that.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from secrets import token_hex
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Flask, current_app, g
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from portal.clock import now
from portal.edge.i18n import zone

CAPACITY = 2_000_000
"""The most characters of fragments in the cache of each process. The keys come on top."""

VERIFY = False

_Key = TypeVar("_Key", bound=Hashable)

_EXTENSION = "made"
_PROOF = f"proof-{token_hex(16)}"  # stands for the visitor's CSRF token in a fragment that many visitors share
_PLACEHOLDER = f"place-{token_hex(16)}:"
_PLACEHOLDERS = re.compile(f"{_PLACEHOLDER}([^;]*);")


class FragmentCache:
    """The fragments used last. The one that was not used for longest is dropped first."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[Hashable, str] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable) -> str | None:
        """The fragment with this key, or None."""
        piece = self._pieces.get(key)
        if piece is not None:
            self._pieces.move_to_end(key)
        return piece

    def keep(self, key: Hashable, piece: str) -> None:
        """Add a fragment, and drop the oldest while there are more than `CAPACITY` characters."""
        self._size += len(piece) - len(self._pieces.pop(key, ""))
        self._pieces[key] = piece
        while self._size > CAPACITY:
            self._size -= len(self._pieces.popitem(last=False)[1])


def install(app: Flask) -> None:
    """Give this app a cache of its own, because fragments depend on the app's addresses and files."""
    app.extensions[_EXTENSION] = FragmentCache()
    app.add_template_global(placeholder)


def placeholder(name: str) -> str:
    """A placeholder in a fragment for a text that changes every second, such as an age: see `fill_placeholders`."""
    return f"{_PLACEHOLDER}{name};"


def fill_placeholders(piece: str, texts: Mapping[str, str]) -> Markup:
    """The fragment with its placeholders replaced by `texts`, by name. One without a text becomes empty."""
    return Markup(_PLACEHOLDERS.sub(lambda found: escape(texts.get(found[1], "")), piece))  # noqa: S704


def cached_fragment(kind: str, key: Hashable, make: Callable[[str], str], *, proof: str) -> Markup:
    """The fragment that `make` renders for `key`, from the cache if it is there. `kind` separates kinds of fragments.

    `proof` is the CSRF token for the fragment's forms. `make` is called with a stand-in for it, which is replaced
    in the result, so that no token is cached. With `VERIFY`, raises `AssertionError` if `make` returns something else
    than the cached fragment.
    """
    pieces: FragmentCache = current_app.extensions[_EXTENSION]
    cache_key = (kind, str(get_locale()), _day(), key)
    piece = pieces.find(cache_key)
    if piece is None:
        piece = make(_PROOF)
        pieces.keep(cache_key, piece)
    elif VERIFY:
        assert make(_PROOF) == piece, f"what is made of {kind} depends on more than {key}"
    return Markup(piece.replace(_PROOF, proof))  # noqa: S704  (a template made it)


def cached_fragments(
    kind: str, keys: Sequence[_Key], make: Callable[[str, Sequence[_Key]], Sequence[str]], *, proof: str
) -> list[Markup]:
    """The fragments of these `keys`, in their order, from the cache where they are there.

    `make` renders all that are missing by one call, given a stand-in for the CSRF token `proof` and their keys. With
    `VERIFY`, raises `AssertionError` if it returns something else than a cached fragment.
    """
    pieces: FragmentCache = current_app.extensions[_EXTENSION]
    reader = kind, str(get_locale()), _day()
    found = {key: pieces.find((*reader, key)) for key in keys}
    missing = [key for key, piece in found.items() if piece is None or VERIFY]
    made = dict(zip(missing, make(_PROOF, missing), strict=True)) if missing else {}
    for key, piece in made.items():
        assert found[key] in {None, piece}, f"what is made of {kind} depends on more than {key}"
        pieces.keep((*reader, key), piece)
    pieces_of = {key: made[key] if piece is None else piece for key, piece in found.items()}
    return [Markup(pieces_of[key].replace(_PROOF, proof)) for key in keys]  # noqa: S704


def _day() -> tuple[ZoneInfo, date]:
    """The reader's time zone and date, on which texts like "today, 14:05" depend."""
    return zone(), now().astimezone(zone()).date()


def cached_fragment_for_session(kind: str, key: Hashable, make: Callable[[], str]) -> Markup:
    """The fragment that `make` renders for `key`, for templates that write the session's `csrf_token()` into forms."""

    def make_with(proof: str) -> str:
        with _csrf_token(proof):
            return make()

    return cached_fragment(kind, key, make_with, proof=generate_csrf())


def cached_fragments_for_session(
    kind: str, keys: Sequence[_Key], make: Callable[[Sequence[_Key]], Sequence[str]]
) -> list[Markup]:
    """The fragments of these `keys`, for templates that write the session's `csrf_token()` into forms.

    `make` renders all that are missing by one call.
    """

    def make_with(proof: str, missing: Sequence[_Key]) -> Sequence[str]:
        with _csrf_token(proof):
            return make(missing)

    return cached_fragments(kind, keys, make_with, proof=generate_csrf())


@contextmanager
def _csrf_token(proof: str) -> Iterator[None]:
    """Let templates write `proof` for the session's CSRF token, which Flask-WTF keeps here for the request."""
    g.csrf_token, own = proof, g.csrf_token
    try:
        yield
    finally:
        g.csrf_token = own
