"""Calling a server: each call is one signed GET, and one answer in XML that is believed no further than it can be read.

An answer is limited in bytes, elements, attributes and depth, and has no document type; the guarded client limits its
time. While a secret is being replaced there are two: the server may know either, so what it refuses is asked once more
with the other, and the one that it took last is used first.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from portal.errors import Message
from portal.providers.base import ProviderError
from portal.providers.bigbluebutton.refusals import ADDRESS, ServerRefusal, not_the_service
from portal.providers.bigbluebutton.signing import signed_query
from portal.providers.fetch import LARGEST_ANSWER, Answer, get

SUFFIX = "/bigbluebutton/api"
LARGEST_LIST = 8 * 1024 * 1024
"""Bytes of the answer that lists all meetings of a server: some thousand, with the people in them."""
MOST_ELEMENTS, DEEPEST = 400_000, 32
"""Attributes count like elements."""
PIECE, LONGEST_TAG = 64 * 1024, 256 * 1024
"""Bytes that are parsed at a time, and of one tag, which is read whole before anything of it can be counted."""
LONGEST_KEY = 60


def api_address(typed: str) -> str:
    """The address of the API, from what somebody typed in; what is missing at its end is added."""
    require_no_query(typed, field=ADDRESS)
    parts = urlsplit(typed)
    path = parts.path.rstrip("/")
    if not path.endswith("/api"):
        path = f"{path.removesuffix('/bigbluebutton')}{SUFFIX}"
    return urlunsplit((parts.scheme.lower(), parts.netloc.lower(), path, "", ""))


def require_no_query(typed: str, *, field: str) -> None:
    """Raise `ProviderError` on this property for an address with which no other can begin."""
    parts = urlsplit(typed)
    if parts.query or parts.fragment:
        raise ProviderError(Message("Leave out what follows ? or #."), permanent=True, field=field)


class Client:
    """One server. `secrets` has the current one, and the next one while it is being replaced."""

    def __init__(self, address: str, secrets: Sequence[str], algorithm: str) -> None:
        self.address = address
        self.secrets = tuple(secret for secret in secrets if secret)
        self._working = list(self.secrets)
        self._algorithm = algorithm

    @property
    def working(self) -> str:
        """The secret that the server took last; before it was asked, the current one."""
        return self._working[0]

    def signed(self, call: str, parameters: Mapping[str, str]) -> str:
        """The address of a call, whose checksum is made with the working secret. Calls nobody."""
        return f"{self.address}/{call}?{signed_query(call, parameters, self.working, self._algorithm)}"

    def root(self) -> Element:
        """What the server says about itself, which needs no secret. Raises `ProviderError`."""
        return _read("the server", get(self.address))

    def clock(self) -> datetime | None:
        """The time of whatever answers at the address, which needs no secret. Raises `ProviderError`."""
        return get(self.address).date

    def call(self, call: str, parameters: Mapping[str, str], *, largest: int = LARGEST_ANSWER) -> Element:
        """The server's answer to a call that it did. Raises `ServerRefusal`, or another `ProviderError`."""
        for _secret in tuple(self._working):
            try:
                return _read(call, get(self.signed(call, parameters), largest=largest))
            except ServerRefusal as refusal:
                refused = refusal
                if refusal.key != "checksumError":
                    raise
            self._working.append(self._working.pop(0))
        raise refused


def text_of(element: Element, name: str, longest: int = 300) -> str:
    """The text of the first child of this name, cut; empty if there is none."""
    return (element.findtext(name) or "").strip()[:longest]


def number_of(element: Element, name: str) -> int | None:
    """The whole number that is the text of a child; None for anything else."""
    text = text_of(element, name, 20)
    return int(text) if text.isascii() and text.isdigit() else None


def is_true(element: Element, name: str) -> bool:
    """Whether the text of a child is `true`."""
    return text_of(element, name, 10).lower() == "true"


def _read(call: str, answer: Answer) -> Element:
    """The answer's XML, if the server did what it was asked. Raises `ProviderError`."""
    if answer.cut:
        raise ProviderError(f"{call} was answered with too much", permanent=False)
    try:
        found = _parsed(answer.body)
    except _TooMuch:
        raise ProviderError(f"{call} was answered with too much", permanent=False) from None
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise not_the_service(call, answer.status) from None
    if found.tag != "response":
        raise not_the_service(call, answer.status)
    if text_of(found, "returncode") == "SUCCESS" and answer.status == HTTPStatus.OK:
        return found
    raise ServerRefusal(call, text_of(found, "messageKey", LONGEST_KEY))


class _TooMuch(Exception):
    pass


class _Bounded(TreeBuilder):
    """Builds a tree of limited size and depth, without attributes: a small answer may hold very many small things."""

    def __init__(self) -> None:
        super().__init__()
        self._left, self._depth = MOST_ELEMENTS, 0

    def start(self, tag: Any, attrs: Any, /) -> Element:
        self._left -= 1 + len(attrs)
        self._depth += 1
        if self._left < 0 or self._depth > DEEPEST:
            raise _TooMuch
        return super().start(tag, {})

    def end(self, tag: Any, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parsed(body: bytes) -> Element:
    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    for begin in range(0, len(body), PIECE):
        parser.feed(body[begin : begin + PIECE])
        if begin - parser.parser.CurrentByteIndex > LONGEST_TAG:
            raise _TooMuch
    root: Element = parser.close()
    return root
