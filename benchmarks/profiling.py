"""Where the processor time of one path goes, by component: `python -m benchmarks --profile 'join page'`.

One process of the portal is sampled under load (`benchmarks.sampled`) and the database's clock is read beside it. A
sample is its component's that was called last; Python's own library works for whoever called it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.request import urlopen

from benchmarks import clocks, load
from benchmarks.asking import Path
from benchmarks.measuring import answered, requests_of
from benchmarks.sampled import ADDRESS, TEMPLATE
from benchmarks.sites import Site

DRIVER = "psycopg, sqlite3"
DRIVING = "sqlalchemy.engine.default:DefaultDialect.do_"
"""How SQLAlchemy calls the driver: SQLite works below these, in C."""
COMPONENTS = {
    "gunicorn, gevent": ("gunicorn", "gevent", "greenlet", "portal.worker", "portal.server"),
    "werkzeug, flask": ("werkzeug", "flask", "flask_login", "itsdangerous", "blinker"),
    "sqlalchemy.orm": ("sqlalchemy.orm", "flask_sqlalchemy"),
    "sqlalchemy core": ("sqlalchemy",),
    DRIVER: ("psycopg", "psycopg_pool", "psycopg_binary", "sqlite3", "portal.postgresql_driver"),
    "jinja2, templates": ("jinja2", "markupsafe", TEMPLATE),
    "compression": ("flask_compress", "gzip", "zlib", "brotli"),
    "babel": ("babel", "flask_babel"),
    "redis, limits": ("redis", "limits", "flask_limiter", "portal.throttling"),
    "wtforms": ("wtforms", "flask_wtf"),
    "pydantic": ("pydantic", "pydantic_core", "pydantic_settings"),
    "json": ("json",),
    "cryptography": ("cryptography", "hmac", "hashlib"),
    "structlog": ("structlog", "logging"),
}
"""What is no part of the portal, by the beginnings of its modules' names. The portal's packages are components each."""
OTHERS = "others"
ROUNDS, SECONDS = 4, 2.0
FUNCTIONS = 25
"""How many functions are named."""

_component_of = {name: component for component, names in COMPONENTS.items() for name in names}


@dataclass(frozen=True)
class Profile:
    """What one path costs: milliseconds of processor time for one request, of the portal and of the database."""

    path: str
    portal: float
    database: float
    stacks: Counter[tuple[str, ...]]
    """How often each stack was sampled. A stack is its calls, `module:function`, the outermost first."""

    @property
    def report(self) -> str:
        """A line for each component, for the functions that work most, and for the portal's that most is done below."""
        own, below, works, functions = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for stack, count in self.stacks.items():
            own[component_of(call := working(stack)) or OTHERS] += count
            works[call] += count
            below += Counter(dict.fromkeys(filter(None, map(component_of, stack)), count))
            functions += Counter(dict.fromkeys((call for call in stack if call.startswith("portal.")), count))
        lines = [f"{self.path}: {self.portal:.2f} ms in the portal, {self.database:.2f} ms in the database's processes"]
        lines += [f"{'component':<68}{'ms':>7}{'%':>7}   with what it calls"]
        lines += [
            self._line(component, count) + self._line("", below[component], 3) for component, count in own.most_common()
        ]
        lines += ["", "functions that work most"]
        lines += [self._line(call, count) for call, count in works.most_common(FUNCTIONS)]
        lines += ["", "the portal's functions, with what they call"]
        lines += [self._line(call, count) for call, count in functions.most_common(FUNCTIONS)]
        return "\n".join(lines)

    def _line(self, name: str, count: int, width: int = 68) -> str:
        share = count / max(1, self.stacks.total())
        return f"{name:<{width}}{share * self.portal:>7.3f}{share:>7.1%}"


def component_of(call: str) -> str | None:
    """The component of a call, `module:function`; None for what works for its caller, such as Python's library."""
    if call.startswith(DRIVING):
        return DRIVER
    module = call.partition(":")[0]
    packages = module.split(".")
    for length in range(len(packages), 0, -1):
        if (component := _component_of.get(".".join(packages[:length]))) is not None:
            return component
    return ".".join(packages[:2]) if packages[0] == "portal" else None


def working(stack: Sequence[str]) -> str:
    """The stack's last call that belongs to a component; the last one if none does."""
    return next(filter(component_of, reversed(stack)), stack[-1])


def profiled(path: Path, site: Site) -> Profile:
    """Where the path's time goes, on a portal that is sampled, after a round that fills its caches."""
    spent, stacks, total = [0.0, 0.0], Counter[tuple[str, ...]](), 0
    for round_ in range(1 + ROUNDS):
        requests = requests_of(lambda connection: path.asks(site, connection))
        _samples(site)
        before = _clocks(site)
        result = answered(load.Load(site.port, requests, path.status, SECONDS))
        if round_:
            spent = [sofar + now - then for sofar, now, then in zip(spent, _clocks(site), before, strict=True)]
            stacks += _samples(site)
            total += result.total
    portal, database = (seconds / total * 1000 for seconds in spent)
    return Profile(path.name, portal, database, stacks)


def _clocks(site: Site) -> tuple[float, float]:
    return clocks.cpu(site.pid), clocks.cpu(site.database_pid) if site.database_pid is not None else 0.0


def _samples(site: Site) -> Counter[tuple[str, ...]]:
    """What has been sampled since the last call."""
    with urlopen(f"{site.portal.address}{ADDRESS}") as answer:
        lines = answer.read().decode().splitlines()
    return Counter({tuple(stack.split(";")): int(count) for stack, _, count in (one.rpartition(" ") for one in lines)})
