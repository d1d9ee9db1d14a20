"""Workers wait for receivers side by side, but come to the database a few at a time."""

import threading
from contextlib import ExitStack
from uuid import uuid4

import pytest
from flask import Flask

from portal.jobs import webhook_delivery
from portal.jobs.queue import WORKERS


def test_few_workers_come_to_the_database_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    came = threading.Event()
    monkeypatch.setattr(webhook_delivery, "claim", lambda _uuid: came.set())

    def work() -> None:
        with app.app_context():
            webhook_delivery.deliver(str(uuid4()))

    with ExitStack() as taken:
        for _ in range(webhook_delivery.DATABASE_SLOTS):
            taken.enter_context(webhook_delivery._database_slots)
        worker = threading.Thread(target=work)
        worker.start()
        assert not came.wait(0.3)
    assert came.wait(10)
    worker.join(10)
    assert webhook_delivery.DATABASE_SLOTS < WORKERS
