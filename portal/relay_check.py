"""Asking STUN and TURN servers whether they work, as a browser would, for `portal doctor`."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Any

from aioice import stun, turn

PATIENCE = 5  # seconds, for one server
_URL = re.compile(
    r"(stuns?|turns?):(\[[^]]+\]|[^:?\s]+)(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?", re.ASCII | re.IGNORECASE
)
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class ServerAnswer:
    """What one server answered. `words` say it in a line, with what to do if it is not `good`."""

    good: bool
    words: str


def ask(url: str, *, username: str = "", credential: str = "") -> ServerAnswer:
    """Ask the server at this address, as in `iceServers`: a STUN server for ours, a TURN server to relay."""
    found = _URL.fullmatch(url)
    if found is None:
        return ServerAnswer(False, f"{url} is no address of a STUN or TURN server. Write turn:HOST:PORT.")
    scheme, host, port, transport = found.groups()
    secure = scheme.lower() in {"stuns", "turns"}
    where = host.strip("[]"), int(port or (5349 if secure else 3478))
    relays = scheme.lower().startswith("turn")
    if not relays and secure:
        return ServerAnswer(True, f"{url} is not asked: browsers seldom use STUN over TLS")
    asking = _relay(where, username, credential, secure=secure, over=transport or "") if relays else _binding(where)
    try:
        told = asyncio.run(asyncio.wait_for(asking, PATIENCE))
    except stun.TransactionFailed as failed:
        code, reason = failed.response.attributes.get("ERROR-CODE", (0, "it gives no reason"))
        advice = "Is TURN_SECRET its static-auth-secret?" if code == _UNAUTHORIZED else "Look at its log."
        return ServerAnswer(False, f"{url} refuses: {code} {reason}. {advice}")
    except (TimeoutError, OSError, OverflowError, stun.TransactionError) as error:
        why = str(error) or "nothing came back"
        return ServerAnswer(False, f"{url} does not answer ({why}). Check name, port and firewall.")
    return ServerAnswer(True, f"{url} {told}")


async def _relay(where: tuple[str, int], username: str, credential: str, *, secure: bool, over: str) -> str:
    transport, _ = await turn.create_turn_endpoint(
        asyncio.DatagramProtocol,
        where,
        username,
        credential,
        ssl=ssl.create_default_context() if secure else None,
        transport="tcp" if secure or over.lower() == "tcp" else "udp",
    )
    relayed = transport.get_extra_info("sockname")
    transport.close()
    return f"relays by {relayed[0]}"


async def _binding(where: tuple[str, int]) -> str:
    transport, asking = await asyncio.get_running_loop().create_datagram_endpoint(_Asking, None, where)
    try:
        return f"answers, and sees this machine as {await asking.own_address(where)}"
    finally:
        transport.close()


class _Asking(asyncio.DatagramProtocol):
    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.DatagramTransport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transaction.response_received(stun.parse_message(data), addr)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: no answer comes, and the caller's patience ends."""

    def send_stun(self, message: stun.Message, _addr: tuple[str, int]) -> None:
        self._transport.sendto(bytes(message))

    async def own_address(self, where: tuple[str, int]) -> str:
        self._transaction = stun.Transaction(stun.Message(stun.Method.BINDING, stun.Class.REQUEST), where, self)
        answer, _ = await self._transaction.run()
        return str(answer.attributes["XOR-MAPPED-ADDRESS"][0])
