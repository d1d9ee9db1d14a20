"""A meeting in which nobody does anything: what the streams and heartbeats of its pages cost the portal."""

import http.client
import json
import re
import time
from dataclasses import asdict, dataclass
from http import HTTPStatus

from benchmarks import clocks
from benchmarks.sites import JSON, Browser, Site
from portal.rooms.models import Role

HEARTBEAT = 3.0  # seconds, as the player's page sends them
MOST_CPU = 0.05  # each heartbeat is judged anew, so that whoever may not be in any more is out within seconds


@dataclass(frozen=True)
class IdleMeeting:
    """How many were in, and the share of one core that the portal and its database needed meanwhile."""

    people: int
    cpu: float

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        return asdict(self)

    @property
    def report(self) -> str:
        """The line of the report."""
        over = "" if self.cpu <= MOST_CPU else "  <- over budget"
        most = f"at most {MOST_CPU * 100:.0f} %{over}"
        return f"{self.people} people in an idle meeting: CPU {self.cpu * 100:.1f} % of a core   {most}"


def sit(site: Site, people: int, seconds: float) -> IdleMeeting:
    """Let so many people be in one room for so long, each with a stream and heartbeats, and nothing else."""
    pages = [_Page(site, number) for number in range(people)]
    for page in pages:
        page.beat()
    roots = site.roots(site.port)
    spent, begin, beats = clocks.cpu(*roots), time.monotonic(), 0
    while (elapsed := time.monotonic() - begin) < seconds:
        if elapsed >= beats * HEARTBEAT:
            beats += 1
            for page in pages:
                page.beat()
        time.sleep(0.1)
    used = (clocks.cpu(*roots) - spent) / (time.monotonic() - begin)
    for page in pages:
        page.stream.close()
    return IdleMeeting(people, used)


class _Page:
    """The player's page of one participant, without a browser's media."""

    def __init__(self, site: Site, number: int) -> None:
        room = site.seeded.rooms[0]
        self.tab, self.browser = f"tab-{number}", site.device(room, site.seeded.tokens[Role.GUEST][0])
        self.base = f"/rooms/{room.id}/-/conference"
        status, _, text = self.browser.open(room.path, {"name": f"Gus {number}"})
        assert status == HTTPStatus.SEE_OTHER, text
        _, _, page = self.browser.open(self.base)
        self.csrf = _found(r'data-csrf="([^"]+)"', page)
        self.stream = _connection(self.browser)
        self.stream.request("GET", f"{self.base}/stream?tab={self.tab}", headers=self.browser.credential)
        assert self.stream.getresponse().status == HTTPStatus.OK

    def beat(self) -> None:
        connection = _connection(self.browser)
        headers = {**self.browser.credential, "Content-Type": JSON, "X-CSRFToken": self.csrf}
        connection.request("POST", f"{self.base}/presence", json.dumps({"tab": self.tab}), headers)
        answer = connection.getresponse()
        assert answer.status == HTTPStatus.OK, answer.read()
        connection.close()


def _connection(browser: Browser) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", browser.port, timeout=30)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text[:2000]
    return found.group(1)
