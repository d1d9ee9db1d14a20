"""The portal's commands with a server that tells what its processor time goes to: `python -m benchmarks.sampled serve`.

A timer of the process's own processor time interrupts it some hundred times a second, wherever it is, C code and the
kernel included; whatever Python has called at that moment is one sample. Only for one web process, as each would tell
of itself only.
"""

import signal
from collections import Counter
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from portal import cli, server

ADDRESS = "/samples-of-the-benchmark"
"""Answers what has been sampled since it was last asked: a line for each stack, `outermost;…;innermost count`, with
`module:function` for each call. That is what flame graphs are made of. The first answer begins it."""
EVERY = 0.001
"""Seconds. The kernel's clock makes it 0.004 on most machines."""
TEMPLATE = "template"
"""The module of a compiled template, which has no name."""

_stacks: Counter[str] = Counter()


class SampledServer(server.Server):
    """The portal's server, sampled."""

    def load(self) -> Any:
        """The app, which answers the samples as well."""
        app = super().load()
        app.wsgi_app = _with_samples(app.wsgi_app)
        return app


def _with_samples(serve: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != ADDRESS:
            return serve(environ, start_response)
        global _stacks
        sampled, _stacks = _stacks, Counter()  # another one may be sampled at any moment
        text = "\n".join(f"{stack} {count}" for stack, count in sampled.items()).encode()
        signal.signal(signal.SIGPROF, _sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    return answer


def _sample(_signal: int, frame: FrameType | None) -> None:
    calls = []
    while frame is not None:
        calls.append(f"{frame.f_globals.get('__name__') or TEMPLATE}:{frame.f_code.co_qualname}")
        frame = frame.f_back
    _stacks[";".join(reversed(calls))] += 1


if __name__ == "__main__":
    server.Server = SampledServer  # type: ignore[misc]
    cli.main()
