"""Whether somebody who acts still may, after a service was asked on his behalf."""

from collections.abc import Callable

import pytest
from flask import Flask

from portal.clock import now
from portal.db import transaction
from portal.people.actor import Actor, actor_of
from portal.people.operations import sign_out, start_sign_in, user_of
from portal.people.signed_in import still_acts
from tests.cast import Cast
from tests.conftest import BOTH


def deactivate(actor: Actor) -> None:
    user_of(actor).deactivated_at = now()


@BOTH
@pytest.mark.parametrize("end", [sign_out, deactivate])
def test_who_is_signed_out_or_deactivated_meanwhile_acts_no_more(
    app: Flask, cast: Cast, end: Callable[[Actor], None]
) -> None:
    with app.app_context():
        with transaction():
            alice = cast.user("alice")
            actor, other = (
                actor_of(alice, start_sign_in(alice, network="192.0.2.1")),
                actor_of(alice, start_sign_in(alice, network="192.0.2.1")),
            )
        assert still_acts(actor)
        with transaction():
            end(actor)
        assert not still_acts(actor)
        assert still_acts(other) is (end is sign_out)
