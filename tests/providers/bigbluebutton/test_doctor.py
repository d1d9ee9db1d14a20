"""What `portal doctor` says of a server that rooms are held at."""

from portal.db import transaction
from portal.doctor import Finding, _services
from portal.subscriptions.queries import get_provider
from tests.providers.bigbluebutton.server import BbbServer
from tests.providers.bigbluebutton.world import BbbWorld


def findings(world: BbbWorld) -> list[Finding]:
    with world.app.app_context(), transaction():
        return _services()


def test_a_server_that_answers_is_named_with_its_version_and_what_is_built_in_is_not(world: BbbWorld) -> None:
    assert findings(world) == [Finding(True, "service Conference server: answers 3.0.4")]


def test_it_says_what_is_wrong(world: BbbWorld, server: BbbServer) -> None:
    server.secrets = ["another"]
    [refused] = findings(world)
    assert not refused.good
    assert refused.message.startswith("service Conference server: The server answers at this address, and refuses")
    server.dead = True
    [silent] = findings(world)
    assert not silent.good
    assert silent.message.endswith("Look at it under Services.")


def test_one_that_is_switched_off_is_not_asked(world: BbbWorld, server: BbbServer) -> None:
    with world.app.app_context(), transaction():
        get_provider(world.provider_id).active = False
    assert findings(world) == []
    assert server.calls == []
