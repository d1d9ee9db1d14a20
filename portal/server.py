"""The production web server: gunicorn with gevent, which holds thousands of event streams beside ordinary pages.

Without Redis there is exactly one web process, which also works on the jobs; with Redis there may be any number.
"""

import fcntl
import gc
import resource
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from gunicorn.app.base import BaseApplication
from gunicorn.errors import AppImportError

from portal.loopback import is_loopback
from portal.settings import Settings

REQUEST_LINE = 8190
LAST_REQUESTS = 5  # seconds that requests have to be answered after the server was told to end
LOCK = "serving.lock"
OTHER_FILES = 200
GARBAGE = 20_000  # new objects before a collection: a page makes some thousands, and frees them itself

_lock_file: TextIO | None = None
"""Holds the lock of the data folder while it is open."""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured in code."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings, self._options = settings, options
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options: those that never vary, then those that `serve` was called with."""
        fixed = {
            "worker_class": "portal.worker.Worker",
            "worker_connections": most_connections(self._settings.connections),
            "control_socket_disable": True,
            "limit_request_line": REQUEST_LINE,
            "graceful_timeout": LAST_REQUESTS,
            "sendfile": False,  # answers go through the worker's connections, which bound how slowly they are read
            "keepalive": 15,  # seconds for the headers of a request, too
            "timeout": 60,
            "accesslog": None,
            "preload_app": True,  # what all processes share is in memory once
            "pre_fork": _freeze,
            "post_fork": _leave_lock,
            "post_worker_init": _begin,
            "worker_exit": _end,
            "forwarded_allow_ips": "",  # who may say X-Forwarded-… is TRUSTED_PROXIES' to decide, in ProxyFix
            "forwarder_headers": "",  # and nobody may say SCRIPT_NAME or PATH_INFO
            "secure_scheme_headers": {},
        }
        for name, value in {**fixed, **self._options}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Create the portal, once, before gunicorn forks: no connection may be open then."""
        from gevent import monkey  # noqa: PLC0415

        # Before anything that the portal imports keeps what would be patched. Not what gunicorn's first process watches
        # its workers by: patched, it never learns that one died. Each worker patches that for itself.
        monkey.patch_all(os=False, signal=False)
        from portal.app import configure_logs, create_app  # noqa: PLC0415

        _pass_over_forks()
        configure_logs()
        app = create_app(self._settings)
        _load_languages(app)
        return app


def serve(
    settings: Settings,
    *,
    bind: str,
    workers: int = 1,
    certfile: Path | None = None,
    keyfile: Path | None = None,
) -> None:
    """Serve until a signal ends it. Raises `ValueError` for several processes on the same data without Redis."""
    if workers > 1 and not settings.redis_url:
        raise ValueError(
            "Several web processes need REDIS_URL: without it, they could not tell each other who is in a room."
        )
    if not settings.redis_url:
        _be_the_only_one(settings.data)
    Server(
        settings,
        {
            "bind": bind,
            "workers": workers,
            "certfile": str(certfile) if certfile else None,
            "keyfile": str(keyfile) if keyfile else None,
        },
    ).run()


def most_connections(wished: int) -> int:
    """How many connections, at most `wished`, a process can have open: each of them is a file to the system.

    Raises this process's limit of open files as far as it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wished + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wished if soft == resource.RLIM_INFINITY else max(1, min(wished, soft - OTHER_FILES))


def public(settings: Settings, bind: str) -> bool:
    """Whether other machines can reach the portal: by the socket it binds, or by its base URL (through a proxy)."""
    host = "localhost" if bind.startswith("unix:") else bind.rpartition(":")[0]
    return not is_loopback(host) or not settings.loopback


def _be_the_only_one(data: Path) -> None:
    """Lock the data folder until this process ends, however it ends. Raises `ValueError` if another one serves it.

    One that has just been told to end has as long for it as gunicorn gives it.
    """
    global _lock_file
    _lock_file = (data / LOCK).open("w")
    until = time.monotonic() + LAST_REQUESTS + 5
    while True:
        try:
            fcntl.flock(_lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise ValueError(
                    f"Another `portal serve` works with {data} already. Without REDIS_URL there can be only one: "
                    "two could not tell each other who is in a room."
                ) from None
            time.sleep(0.2)
        else:
            return


def _pass_over_forks() -> None:
    """Have nothing logged of what gevent asserts in a child process, which becomes another program at once.

    It looks there for the thread that forked, and in that moment finds another one.
    """
    from gevent import threading as of_gevent  # noqa: PLC0415

    told, hook = sys.unraisablehook, of_gevent._fork_hooks.after_fork_in_child

    def tell(about: "sys.UnraisableHookArgs") -> None:
        if about.object != hook:
            told(about)

    sys.unraisablehook = tell


def _load_languages(app: Any) -> None:
    """Load how languages write dates, which each worker would load for itself with its first page: 3 MB."""
    from flask_babel import get_babel  # noqa: PLC0415

    with app.app_context():
        for language in get_babel().instance.list_translations():
            _ = language.datetime_formats


def _leave_lock(_arbiter: Any, _worker: Any) -> None:
    """Close the lock in a worker: it belongs to the first process, which may end before its workers have noticed."""
    if _lock_file is not None:
        _lock_file.close()


def _freeze(_arbiter: Any, _worker: Any) -> None:
    """Exclude what exists before the fork from garbage collection, so that its memory stays shared."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE, 20, 50)


def _require_migrated(worker: Any) -> None:
    """End the server with one line if it has just been started before the tables were made ready for this code.

    If the database is away, the portal answers 503 until it comes back. A worker that replaces another one starts in
    any case. Raises `AppImportError`, after which gunicorn starts no other worker.
    """
    from portal.web import health  # noqa: PLC0415

    if worker.age > worker.cfg.workers:
        return
    with worker.wsgi.app_context():
        if health.missing() == "migrations":
            raise AppImportError("The database is not up to date. Run `portal migrate`, then serve again.")


def _begin(worker: Any) -> None:
    """Run in each new worker before it serves."""
    _require_migrated(worker)
    _start_background(worker)


def _end(_arbiter: Any, _worker: Any) -> None:
    """Run in each worker when it ends in an orderly way."""
    from portal.jobs import broadcasts, media  # noqa: PLC0415

    broadcasts.stop()
    media.stop()


def _start_background(worker: Any) -> None:
    """Start the greenlets that run beside the requests: the presence sweep, and without Redis the workers on jobs."""
    import gevent  # noqa: PLC0415

    from portal.jobs import broadcasts, loop, media, queue  # noqa: PLC0415

    app = worker.wsgi
    settings: Settings = app.config["SETTINGS"]
    gevent.spawn(loop.run, app)
    if not settings.redis_url:
        gevent.spawn(queue.make_consumer(queue.make_queue(app, settings)).run)
        media.start(app, settings.media_workers)
        broadcasts.start(app)
