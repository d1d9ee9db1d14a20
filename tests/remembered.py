"""What makes an app, once for all apps of a run: thousands of tests make one each, and a portal does all this once.

The product is told nothing of it. Routes and statements are the same in every app, and no test loses power.
"""

from types import CodeType
from typing import Any

import sqlalchemy as sa
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

_compile = Rule.compile
_compiled_rules: dict[object, dict[str, Any]] = {}
_first_engines: dict[str, sa.Engine] = {}
STATEMENTS = 20_000
"""More than all tests send, where an app keeps the 500 that it used last."""


def remember_pages() -> None:
    """Compile each route and each template once."""
    Rule.compile = _remembered_compile  # type: ignore[method-assign]
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _CompiledTemplates()}


def _remembered_compile(self: Rule) -> None:
    """Take what compiling sets from the first rule that was spelled like this one."""
    key = (self.rule, self.subdomain, self.merge_slashes, repr(self.defaults))
    if key not in _compiled_rules:
        _compile(self)
        names = ("_parts", "_trace", "_converters", "arguments")
        _compiled_rules[key] = {name: getattr(self, name) for name in names} | {
            name: getattr(self, name).__func__ for name in ("_build", "_build_unknown")
        }
    else:
        for name, value in _compiled_rules[key].items():
            setattr(self, name, value.__get__(self) if name.startswith("_build") else value)


class _CompiledTemplates(BytecodeCache):
    """The code of templates, in memory: whose source changed has another checksum."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


def hasten(engine: sa.Engine) -> None:
    """Give `engine` the compiled statements of the first engine of its kind, and do not wait for the disk."""
    kind = f"{engine.dialect.name}+{engine.dialect.driver}"
    if kind not in _first_engines:
        engine.connect().close()  # its dialect learns the server's version, which no other engine would teach it
        _first_engines[kind] = engine
    first: Any = _first_engines[kind]
    first._compiled_cache.capacity = STATEMENTS
    engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _trust_the_system)


def _trust_the_system(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
