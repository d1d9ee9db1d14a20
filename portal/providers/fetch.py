"""The guarded HTTP client, whole in one file, because all of it is one judgement of an address.

Through it every address that people typed in is called: `post` those of webhooks, `get` those of services. A name may
point anywhere, also at the portal's own network, and may point elsewhere a moment later. So names are resolved here,
each resolved address is checked, and the connection goes to exactly the address that was checked, while TLS and the
Host header keep the name. No redirect is followed, no proxy of the environment is used, no cookie is kept, nothing is
unpacked, and the whole call has one end in time. What else than public https is called, `reach` says.

It uses httpcore2, the engine of httpx2, because only there can the connection be made by our own code.
"""

import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from ssl import SSLCertVerificationError, SSLContext, SSLError
from typing import Any

import httpcore2
import httpx2

from portal.errors import Message
from portal.ip_spelling import is_ip_in_disguise
from portal.loopback import is_loopback
from portal.providers.base import ProviderError
from portal.providers.reach import LAST_PORT, AllowedNetwork, Reach

LONGEST_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024
LONGEST_ADDRESS = 2000
LONGEST_SIGNED_ADDRESS = 8000
"""The longest address of a service with its query: about what servers take in one line."""
_OPEN_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1024

_NO_ADDRESS = Message("Write a whole address, like https://example.org/hook.")

_RESERVED_4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))  # Python's versions differ about these
_PUBLIC_6 = IPv6Network("2000::/3")
_DISGUISES = (  # networks whose addresses contain an IPv4 address, which a check of the IPv6 address would miss
    IPv6Network("::ffff:0:0/96"),  # mapped
    IPv6Network("::/96"),  # compatible
    IPv6Network("64:ff9b::/96"),  # NAT64
    IPv6Network("64:ff9b:1::/48"),  # NAT64, local use
    IPv6Network("2001::/32"),  # Teredo
    IPv6Network("2002::/16"),  # 6to4
)
_LOOPBACK_6 = IPv6Address("::1")

_PORTS = {"https": 443, "http": 80}
_NO_HEADERS: Mapping[str, str] = {}
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_webhooks = Reach()
_services = Reach()


class Trouble(StrEnum):
    """Why a call got no answer."""

    ADDRESS = "address"
    NOT_PUBLIC = "not_public"
    UNKNOWN_NAME = "unknown_name"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    NO_TLS = "no_tls"
    SLOW = "slow"
    GARBLED = "garbled"

    @property
    def words(self) -> Message:
        """The reason as a sentence for people."""
        return _WORDS[self]


_WORDS = {
    Trouble.ADDRESS: Message("The address cannot be called."),
    Trouble.NOT_PUBLIC: Message("The address leads into a private network, which this portal does not call."),
    Trouble.UNKNOWN_NAME: Message("There is no server of that name."),
    Trouble.UNREACHABLE: Message("The server cannot be reached."),
    Trouble.UNTRUSTED: Message("The server's certificate is not trusted, or not valid for this address."),
    Trouble.NO_TLS: Message("The server does not speak TLS (https) on this port, or none that is safe."),
    Trouble.SLOW: Message("The answer took too long."),
    Trouble.GARBLED: Message("The answer was not HTTP, or broke off."),
}


_ACCEPTED = {  # plain, private
    (False, False): Message("An address out on the internet that begins with https://."),
    (False, True): Message("An address that begins with https://; it may lead into a private network."),
    (True, False): Message("An address out on the internet that begins with https:// or http://."),
    (True, True): Message("An address that begins with https:// or http://; it may lead into a private network."),
}


class NoAnswer(ProviderError):
    """A call got no answer, because of `trouble`. `permanent` if the address itself is at fault."""

    def __init__(self, trouble: Trouble, words: Message | None = None) -> None:
        super().__init__(words or trouble.words, permanent=trouble in {Trouble.ADDRESS, Trouble.NOT_PUBLIC})
        self.trouble = trouble


@dataclass(frozen=True)
class Answer:
    """A server's answer. `body` holds at most as many of its first bytes as were asked for; then it is `cut`.

    The names of `headers` are lower case; of several with one name the first is kept.
    """

    status: int
    body: bytes
    cut: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def date(self) -> datetime | None:
        """The server's time to the second below; None if it does not tell."""
        return _date(self.headers.get("date", ""))

    @property
    def location(self) -> str:
        """Where it says that the answer is; whoever goes there calls anew."""
        return self.headers.get("location", "")


def use(*, private: bool, plain: bool, allowed: Sequence[AllowedNetwork] = ()) -> None:
    """Set what may be called. Called once by `create_app`.

    `private` addresses and `plain` http are for webhooks, the networks `allowed` for services.
    """
    global _webhooks, _services
    _webhooks, _services = Reach(private, plain), Reach(allowed=tuple(allowed))


def accepted() -> Message:
    """A sentence about which addresses of webhooks this portal calls, for people who type one in."""
    return _ACCEPTED[_webhooks.plain, _webhooks.private]


def problem_with(address: str) -> Message | None:
    """What is wrong with a webhook's address, as far as can be told without resolving it; None if nothing is."""
    try:
        _read(address, _webhooks)
    except _Wrong as wrong:
        return wrong.words
    return None


def post(address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` to a webhook by POST and return the answer, whatever its status, cut at `LARGEST_ANSWER`.

    Raises `NoAnswer`, after ten seconds at most. The time that the system needs to resolve the name comes on top.
    """
    try:
        url = _read(address, _webhooks)
    except _Wrong:
        raise NoAnswer(Trouble.ADDRESS) from None
    return _call(_Call("POST", url, body, headers, LARGEST_ANSWER), _webhooks)


def get(address: str, *, largest: int = LARGEST_ANSWER) -> Answer:
    """Get the answer of a service at an address that is sent as it stands, cut at `largest` bytes.

    Raises `NoAnswer` as `post` does. Its words say what is wrong with an address that cannot be called.
    """
    return send("GET", address, largest=largest)


def send(
    method: str,
    address: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] = _NO_HEADERS,
    largest: int = LARGEST_ANSWER,
) -> Answer:
    """Send a request of any method to a service. Otherwise as `get`."""
    try:
        url = _read(address, _services, longest=LONGEST_SIGNED_ADDRESS)
    except _Wrong as wrong:
        raise NoAnswer(Trouble.ADDRESS, wrong.words) from None
    return _call(_Call(method, url, body, headers, largest), _services)


@dataclass(frozen=True)
class _Call:
    """What is sent where, and how much of the answer is read."""

    method: str
    url: httpx2.URL
    body: bytes
    headers: Mapping[str, str]
    largest: int


def _call(call: _Call, reach: Reach) -> Answer:
    line = _Line(time.monotonic() + LONGEST_SECONDS, reach, plain=call.url.scheme == "http")
    try:
        with httpcore2.ConnectionPool(ssl_context=_trust(), network_backend=line) as pool:
            answer = _exchange(pool, call)
    except httpcore2.TimeoutException:
        raise NoAnswer(Trouble.SLOW) from None
    except httpcore2.NetworkError as error:
        raise NoAnswer(_network_trouble(line, error)) from None
    except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
        raise NoAnswer(Trouble.SLOW if line.over else Trouble.GARBLED) from None
    finally:
        line.hang_up()
    if line.over:
        raise NoAnswer(Trouble.SLOW)
    return answer


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether this is a public address of the internet. Others are called only if an operator allows private ones."""
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_6 and address.is_global and not _disguised(address)
    reserved = address.is_multicast or address.is_reserved or any(address in network for network in _RESERVED_4)
    return address.is_global and not reserved


def may_be_called(address: IPv4Address | IPv6Address, port: int = 443, reach: Reach | None = None) -> bool:
    """Whether this portal calls the address; that of a webhook, unless another `reach` is given.

    Never multicast, link-local (metadata of clouds) and disguised ones.
    """
    if is_public(address):
        return True
    if address.is_multicast or address.is_link_local or address.is_unspecified or _disguised(address):
        return False
    reach = reach or _webhooks
    return reach.allows(address, port) or (reach.private and (address.is_private or address.is_loopback))


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class _Line(httpcore2.SyncBackend):
    """The network backend of one call: it connects to a checked address, and cuts the connection when time is up."""

    def __init__(self, until: float, reach: Reach, *, plain: bool) -> None:
        self._until, self._reach, self._plain = until, reach, plain
        self._knife: threading.Timer | None = None
        self._wire: socket.socket | None = None
        self.over = False

    @property
    def left(self) -> float:
        """The seconds that are left, at least a millisecond."""
        return max(0.001, self._until - time.monotonic())

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        for address in _checked(host, port, self._reach, plain=self._plain):
            if time.monotonic() > self._until:
                raise NoAnswer(Trouble.SLOW)
            try:
                stream = super().connect_tcp(address, port, self.left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
            self._watch(stream.get_extra_info("socket"))
            return stream
        raise NoAnswer(Trouble.SLOW if time.monotonic() > self._until else Trouble.UNREACHABLE)

    def hang_up(self) -> None:
        """Stop the timer that would cut the connection, and close it."""
        if self._knife is not None:
            self._knife.cancel()
        if self._wire is not None:
            self._wire.close()

    def _watch(self, connected: socket.socket) -> None:
        self._wire = connected.dup()  # TLS takes the original over; shutting down the copy ends both
        self._knife = threading.Timer(self.left, self._cut)
        self._knife.daemon = True
        self._knife.start()

    def _cut(self) -> None:
        self.over = True
        with suppress(OSError):
            assert self._wire is not None
            self._wire.shutdown(socket.SHUT_RDWR)


class _Wrong(Exception):
    def __init__(self, words: Message) -> None:
        super().__init__(words)
        self.words = words


def _read(address: str, reach: Reach, *, longest: int = LONGEST_ADDRESS) -> httpx2.URL:
    """Parse and check the address. Raises `_Wrong`."""
    if len(address) > longest or not address.isprintable() or " " in address:
        raise _Wrong(_NO_ADDRESS)
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        raise _Wrong(_NO_ADDRESS) from None
    if url.scheme not in {"https", "http"} or not url.host:
        raise _Wrong(_NO_ADDRESS)
    if url.scheme == "http" and not reach.plain and not reach.allowed:
        raise _Wrong(Message("The address must begin with https://."))
    if url.userinfo:
        raise _Wrong(Message("Leave name and password out of the address: signatures say who is calling."))
    if url.port is not None and url.port not in _OPEN_PORTS and not _FIRST_FREE_PORT <= url.port <= LAST_PORT:
        raise _Wrong(Message("Use port 80, 443, or one from 1024 on."))
    literal = _literal(url.host.rstrip("."))
    here = is_loopback(url.host.rstrip(".")) and not reach.private and not reach.allowed
    port = url.port or _PORTS[url.scheme]
    if here or (literal is not None and not may_be_called(literal, port, reach)):
        raise _Wrong(Trouble.NOT_PUBLIC.words)
    if is_ip_in_disguise(url.host):
        raise _Wrong(Message("Write an IP address as four numbers, like 192.0.2.1, or use a name."))
    return url


def _exchange(pool: httpcore2.ConnectionPool, call: _Call) -> Answer:
    url, headers = call.url, {"Accept-Encoding": "identity", "Connection": "close", **call.headers}
    target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    seconds = dict.fromkeys(("connect", "read", "write", "pool"), LONGEST_SECONDS)
    named = [(b"Host", url.netloc), *((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items())]
    sent = call.body if call.method in _WITH_BODY else None
    with pool.stream(call.method, target, headers=named, content=sent, extensions={"timeout": seconds}) as answer:
        received = bytearray()
        for piece in answer.iter_stream():
            received += piece
            if len(received) >= call.largest:
                break
        told = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in reversed(answer.headers)}
    return Answer(answer.status, bytes(received[: call.largest]), cut=len(received) >= call.largest, headers=told)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _checked(host: str, port: int, reach: Reach, *, plain: bool) -> list[str]:
    """Resolve the name. Raises `NoAnswer` if any of its addresses may not be called, since such a name is suspect."""
    try:
        found = resolve(host, port)
    except (OSError, UnicodeError):
        raise NoAnswer(Trouble.UNKNOWN_NAME) from None
    addresses = [ip_address(address) for address in found]
    if not all(may_be_called(address, port, reach) for address in addresses):
        raise NoAnswer(Trouble.NOT_PUBLIC)
    if plain and not reach.plain and not all(reach.allows(address, port) for address in addresses):
        raise NoAnswer(Trouble.ADDRESS, Message("The address must begin with https://."))
    return found


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _disguised(address: IPv4Address | IPv6Address) -> bool:
    if not isinstance(address, IPv6Address) or address == _LOOPBACK_6:
        return False
    return address.scope_id is not None or any(address in network for network in _DISGUISES)


def _network_trouble(line: _Line, error: Exception) -> Trouble:
    if line.over:
        return Trouble.SLOW
    if isinstance(error, (httpcore2.ReadError, httpcore2.WriteError)):
        return Trouble.GARBLED  # it had been reached
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SSLError):
            return Trouble.UNTRUSTED if isinstance(cause, SSLCertVerificationError) else Trouble.NO_TLS
        cause = cause.__cause__ or cause.__context__
    return Trouble.UNREACHABLE


@lru_cache(maxsize=1)
def _trust() -> SSLContext:
    return httpx2.create_ssl_context()
