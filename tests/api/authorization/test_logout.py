"""Who may give a credential back: everybody his own, whatever it may do; and then it opens nothing."""

import pytest

from portal.scopes import Scope
from tests.api.authorization.conftest import PERSON, WITH_ADMIN, World
from tests.api.authorization.table import MEMBERS, table
from tests.api.conftest import EVERYTHING, Program

TABLE = table(
    """
    needs  method  address   nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      DELETE  /logout    401    204   204     204   204   204   204     204     204
    """
)


@pytest.mark.parametrize("member", MEMBERS)
def test_logout(world: World, member: str) -> None:
    (line,) = TABLE
    scopes = {"staff": WITH_ADMIN, "reader": WITH_ADMIN, "client": (Scope.STATUS_READ,)}.get(member, EVERYTHING)
    token = "" if member == "nobody" else world.new_token(PERSON.get(member, member), scopes)
    caller = Program(world.app, token)
    assert caller.call(line.method, line.address).status_code == line.expected[member]
    assert caller.get("/rooms").status_code == caller.call(line.method, line.address).status_code == 401
