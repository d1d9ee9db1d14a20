"""Measuring one path: its processor time beside the bare page's and the reference's, and its SQL statements."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus

from benchmarks import clocks, load
from benchmarks.asking import Ask, Path
from benchmarks.sites import CONNECTIONS, Browser, Site
from portal.db import db
from tests.statements import statements

WARMING = 120
"""Answers of each path by each server before it is measured. A connection to PostgreSQL prepares what it has run five
times, and each process has six in use."""


class WrongAnswers(Exception):
    """A server answered otherwise than it should, so nothing was measured."""


@dataclass(frozen=True)
class Figures:
    """What was measured of one path. Ratios are processor times of plain servers, divided by the portal's."""

    path: str
    to_bare: float
    to_reference: float | None
    reference_to_bare: float | None
    sql: int
    ratio_budget: float
    sql_budget: int
    milliseconds: float
    """Processor time of one request, of portal and database together."""
    per_second: float
    bare_per_second: float

    @property
    def within(self) -> bool:
        """Whether it costs no more than it may."""
        return self.to_bare >= self.ratio_budget and self.sql <= self.sql_budget

    @property
    def line(self) -> str:
        """The line of the report."""
        reference = f"{self.to_reference:>10.2f}" if self.to_reference is not None else f"{'-':>10}"
        return (
            f"{self.path:<22}{self.to_bare:>8.2f}{reference}{self.sql:>5}   "
            f"{self.ratio_budget:.2f} {self.sql_budget:>2}"
            f"{self.milliseconds:>9.2f}{self.per_second:>9.0f}{self.bare_per_second:>7.0f}"
            f"{'' if self.within else '  <- over budget'}"
        )

    def as_json(self) -> dict[str, object]:
        """The figures by name."""
        return asdict(self)


HEAD = f"{'path':<22}{'to bare':>8}{'to refer.':>10}{'sql':>5}   budget    CPU ms    req/s   bare"


def measured(path: Path, site: Site, rounds: int, seconds: float) -> Figures:
    """The path's figures, after rounds of the bare page, the reference and the path. Raises `WrongAnswers`."""
    bare = Ask(Browser(site.bare_port), "/")
    servers: dict[str, tuple[int, Callable[[int], list[Ask]], HTTPStatus]] = {
        "bare": (site.bare_port, lambda _connection: [bare], HTTPStatus.OK)
    }
    if path.reference is not None:
        reference = path.reference
        servers["reference"] = (site.reference_port, lambda number: reference(site, number), path.status)
    servers["ours"] = (site.port, lambda number: path.asks(site, number), path.status)
    costs: dict[str, list[float]] = {name: [] for name in servers}
    speeds: dict[str, list[float]] = {name: [] for name in servers}
    for port, asks, status in servers.values():  # what each fills caches with is no part of a request's cost
        answered(load.Load(port, requests_of(asks), status, seconds=0, least=WARMING))
    for _ in range(rounds):
        for name, (port, asks, status) in servers.items():
            cost, speed = _loaded(site, port, asks, status, seconds)
            costs[name].append(cost)
            speeds[name].append(speed)
    middle = statistics.median

    def ratio(upper: str, lower: str) -> float:
        return middle(one / other for one, other in zip(costs[upper], costs[lower], strict=True))

    return Figures(
        path.name,
        ratio("bare", "ours"),
        ratio("reference", "ours") if "reference" in servers else None,
        ratio("bare", "reference") if "reference" in servers else None,
        counted(path, site),
        path.ratio,
        path.statements,
        middle(costs["ours"]) * 1000,
        middle(speeds["ours"]),
        middle(speeds["bare"]),
    )


def requests_of(asks: Callable[[int], list[Ask]]) -> list[list[str]]:
    """For each connection of the load generator, the requests that it sends in turn."""
    return [[ask.text for ask in asks(connection)] for connection in range(CONNECTIONS)]


def answered(sent: load.Load) -> load.Result:
    """What came back. Raises `WrongAnswers`."""
    result = load.apply(sent)
    if result.wrong or not result.answers:
        raise WrongAnswers(f"{result.wrong} wrong answers of {result.total}, such as {result.example[:400]!r}")
    return result


def _loaded(
    site: Site, port: int, asks: Callable[[int], list[Ask]], status: HTTPStatus, seconds: float
) -> tuple[float, float]:
    """The processor seconds of one request, and requests per second."""
    requests = requests_of(asks)
    roots = site.roots(port)
    before = clocks.cpu(*roots)
    result = answered(load.Load(port, requests, status, seconds))
    return (clocks.cpu(*roots) - before) / result.total, result.per_second


def counted(path: Path, site: Site) -> int:
    """How many SQL statements the path's request takes, counted in an app of this process on the same database."""
    with site.app.app_context():
        engine = db.engine
    client = site.app.test_client(use_cookies=False)
    asks = path.asks(site, 0)
    for ask in (asks[0], asks[1 % len(asks)]):  # the first may do what is done once, such as asking what a server can
        kind, body = ask.by.body(ask.fields)
        with statements(engine) as seen:
            answer = client.open(
                ask.address, method=ask.method, data=body, content_type=kind or None, headers=ask.by.credential
            )
        assert answer.status_code == path.status, answer.text
    return len(seen)
