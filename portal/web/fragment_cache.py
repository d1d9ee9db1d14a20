"""Pieces of pages that were made once for the same facts, and need not be made again.

Making words out of facts (templates, translations, escaping) takes longer than reading the facts, and most
pages are asked for again unchanged. The facts are the key and are read anew each time, so nothing that is
kept can be stale; `make` must depend on nothing else. `VERIFY` makes each piece anew to see whether that is
so: the tests run like that.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from secrets import token_hex

from flask import Flask, current_app, g
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

CAPACITY = 8_000_000
"""Characters that are kept, in each process; their facts come on top."""

VERIFY = False

_EXTENSION = "made"
_PROOF = f"proof-{token_hex(16)}"  # stands for a visitor's own proof of origin in what is the same for many
_PLACEHOLDER = f"place-{token_hex(16)}:"
_PLACEHOLDERS = re.compile(f"{_PLACEHOLDER}([^;]*);")


class FragmentCache:
    """What was made lately; what was not asked for longest goes first."""

    def __init__(self) -> None:
        self._pieces: OrderedDict[Hashable, str] = OrderedDict()
        self._size = 0

    def find(self, key: Hashable) -> str | None:
        """The piece, if it is kept."""
        piece = self._pieces.get(key)
        if piece is not None:
            self._pieces.move_to_end(key)
        return piece

    def keep(self, key: Hashable, piece: str) -> None:
        """Keep it until `CAPACITY` are newer."""
        self._size += len(piece) - len(self._pieces.pop(key, ""))
        self._pieces[key] = piece
        while self._size > CAPACITY:
            self._size -= len(self._pieces.popitem(last=False)[1])


def install(app: Flask) -> None:
    """Give this app a memory for pieces: what is made depends on the app's addresses and files."""
    app.extensions[_EXTENSION] = FragmentCache()
    app.add_template_global(placeholder)


def placeholder(name: str) -> str:
    """A place in a piece for what changes with every second, such as an age: see `fill_placeholders`."""
    return f"{_PLACEHOLDER}{name};"


def fill_placeholders(piece: str, words: Mapping[str, str]) -> Markup:
    """The piece with the words for its places, by name. A place without words stays empty."""
    return Markup(_PLACEHOLDERS.sub(lambda found: escape(words.get(found[1], "")), piece))  # noqa: S704


def cached_fragment(kind: str, key: Hashable, make: Callable[[str], str], *, proof: str) -> Markup:
    """What `make` says about these facts, in the reader's language; `kind` tells pieces of several kinds apart.

    `proof`: the proof of origin in its forms. `make` is handed what stands for it, so that nobody's is kept.
    Raises `AssertionError` where pieces are doubted and this one depends on more than its facts.
    """
    pieces: FragmentCache = current_app.extensions[_EXTENSION]
    cache_key = (kind, str(get_locale()), key)
    piece = pieces.find(cache_key)
    if piece is None:
        piece = make(_PROOF)
        pieces.keep(cache_key, piece)
    elif VERIFY:
        assert make(_PROOF) == piece, f"what is made of {kind} depends on more than {key}"
    return Markup(piece.replace(_PROOF, proof))  # noqa: S704  (a template made it)


def cached_fragment_for_session(kind: str, key: Hashable, make: Callable[[], str]) -> Markup:
    """The same for pages whose forms carry the session's proof, by `csrf_token()`."""

    def make_with(proof: str) -> str:
        g.csrf_token, own = proof, g.csrf_token  # where Flask-WTF keeps it for the request
        try:
            return make()
        finally:
            g.csrf_token = own

    return cached_fragment(kind, key, make_with, proof=generate_csrf())
