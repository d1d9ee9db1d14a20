"""What a child does between its start and the tool that it becomes: it bounds itself.

It is run as a script of its own, with nothing but Python's own library, so that no code of the portal runs in a copy of
a process with threads or greenlets. It is given what `Bounds` says as JSON, and then the tool with its arguments.
"""

import ctypes
import json
import os
import resource
import signal
import sys

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
_NEW_USERS, _NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET
_OPEN_FILES = 256


def main(bounds: dict[str, int], command: list[str]) -> None:
    """Bound this process, and become the tool."""
    system = ctypes.CDLL(None)
    system.unshare(_NEW_USERS | _NEW_NETWORK)  # no network at all; where the system forbids that, it goes on without
    system.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != bounds["parent"]:  # it has died already
        os._exit(1)
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python, and then by the tool
        signal.signal(ignored, signal.SIG_DFL)
    limits = (
        (resource.RLIMIT_AS, bounds["memory"]),
        (resource.RLIMIT_FSIZE, bounds["file_size"]),
        (resource.RLIMIT_CPU, bounds["cpu_seconds"]),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, most in limits:
        hard = resource.getrlimit(kind)[1]
        lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (lowest, lowest))
    os.nice(bounds["nice"])
    os.execv(command[0], command)  # noqa: S606 - a list, of ours


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
