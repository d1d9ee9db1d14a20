"""What makes an app, once for all apps of a run: thousands of tests make one each, and a portal does all this once.

The product is told nothing of it. Routes and statements are the same in every app, and no test loses power.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]
_compile_builder = Rule._compile_builder
_builders: dict[object, _Builder] = {}
_first_engines: dict[str, sa.Engine] = {}


def remember_routes() -> None:
    """Compile the function that writes a route's address once: it takes all else from the rule that it is called on."""
    Rule._compile_builder = _remembered_builder  # type: ignore[method-assign]


def _remembered_builder(self: Rule, append_unknown: bool = True) -> _Builder:
    key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(self, append_unknown)
    return _builders[key]


def hasten(engine: sa.Engine) -> None:
    """Give `engine` the compiled statements of the first engine of its kind, and do not wait for the disk."""
    first: Any = _first_engines.setdefault(f"{engine.dialect.name}+{engine.dialect.driver}", engine)
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _trust_the_system)


def _trust_the_system(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
