"""A player's page without a browser: its heartbeats, its signals and its stream."""

import itertools
import json
from collections.abc import Generator
from typing import Any

from portal.rooms.models import Role
from tests.cast import Cast, Client


class Player:
    """Somebody's player page, without a browser."""

    def __init__(self, client: Client, room_id: str, tab: str) -> None:
        self.client, self.tab = client, tab
        self.base = f"/rooms/{room_id}/-/conference"
        page = client.get(self.base)
        assert page.status_code == 200, page.status_code
        self.id = page.text.split('data-id="')[1].split('"')[0]
        self.csrf = page.text.split('data-csrf="')[1].split('"')[0]

    def say(self, what: str, **body: Any) -> Any:
        body.setdefault("tab", self.tab)
        return self.client.post(f"{self.base}/{what}", json=body, headers={"X-CSRFToken": self.csrf})

    def alive(self, **body: Any) -> Any:
        return self.say("presence", **body)

    def closes(self, tab: str | None = None) -> Any:
        """What the beacon of a page says that goes away."""
        form = {"csrf_token": self.csrf, "tab": tab or self.tab}
        return self.client.post(f"{self.base}/closing", data=form)

    def hear(self, events: int = 1, *, after: str | None = None) -> list[tuple[str, Any]]:
        """The first so many events of a stream opened now."""
        stream = self.stream(after=after)
        heard = list(itertools.islice(stream, events))
        stream.close()
        return heard

    def stream(self, *, after: str | None = None) -> Generator[tuple[str, Any]]:
        """The events of a stream opened now, each when it is asked for."""
        mark = "" if after is None else f"&after={after}"
        answer = self.client.get(f"{self.base}/stream?tab={self.tab}{mark}")
        assert answer.status_code == 200
        try:
            for chunk in answer.response:
                text = chunk.decode() if isinstance(chunk, bytes) else chunk
                fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if ": " in line)
                if "event" in fields:
                    yield fields["event"], json.loads(fields["data"])
        finally:
            answer.close()


def entered(cast: Cast, role: Role, name: str) -> Player:
    """Somebody who came into the board room by the link of this role, and whose page has sent a heartbeat."""
    player = Player(cast.join(role, name=name), cast.board, f"{name}-tab")
    assert player.alive().status_code == 200
    return player
