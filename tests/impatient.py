"""The portal's commands with a server that has few slots and little patience: `python -m tests.impatient serve …`.

SLOTS is how many connections it has at most, SECONDS how long it waits for whatever it waits for, RATE how many bytes
of a body gain one second more.
"""

import os

from portal import cli, server


class ImpatientServer(server.Server):
    """The portal's server with the bounds that the environment says."""

    def load_config(self) -> None:
        from portal.worker import Patience, Worker

        seconds, rate = float(os.environ["SECONDS"]), int(os.environ["RATE"])

        class ImpatientWorker(Worker):
            patience = Patience(handshake=seconds, body=seconds, rate=rate, unread=seconds)

        super().load_config()
        self.cfg.set("worker_class", ImpatientWorker)
        self.cfg.set("worker_connections", int(os.environ["SLOTS"]))
        self.cfg.set("keepalive", int(seconds))


if __name__ == "__main__":
    server.Server = ImpatientServer  # type: ignore[misc]
    cli.main()
