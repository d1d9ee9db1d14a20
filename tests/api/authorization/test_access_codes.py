"""Who may do what with access codes."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs         method  address                                            nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    codes:view    GET     /rooms/{room}/access-codes                           401    200   404     403   200   200   403     404     403
    codes:manage  POST    /rooms/{room}/access-codes                           401    201   404     403   201   201   403     404     403
    codes:view    GET     /rooms/{room}/access-codes/{code}                    401    200   404     403   200   200   403     404     403
    codes:manage  PATCH   /rooms/{room}/access-codes/{code}                    401    200   404     403   200   200   403     404     403
    codes:manage  DELETE  /rooms/{room}/access-codes/{code}                    401    204   404     403   204   204   403     404     403

    codes:view    GET     /rooms/{their_room}/access-codes                     401    200   404     403   404   404   404     200     403
    codes:manage  POST    /rooms/{their_room}/access-codes                     401    201   404     403   404   404   404     201     403
    codes:view    GET     /rooms/{their_room}/access-codes/{their_code}        401    200   404     403   404   404   404     200     403
    codes:manage  PATCH   /rooms/{their_room}/access-codes/{their_code}        401    200   404     403   404   404   404     200     403
    codes:manage  DELETE  /rooms/{their_room}/access-codes/{their_code}        401    204   404     403   404   404   404     204     403

    codes:view    GET     /rooms/{their_room}/access-codes/{code}              401    404   404     403   404   404   404     404     403
    codes:manage  PATCH   /rooms/{their_room}/access-codes/{code}              401    404   404     403   404   404   404     404     403
    codes:manage  DELETE  /rooms/{their_room}/access-codes/{code}              401    404   404     403   404   404   404     404     403

    codes:view    GET     /rooms/{room}/access-codes/{their_code}              401    404   404     403   404   404   403     404     403
    codes:manage  PATCH   /rooms/{room}/access-codes/{their_code}              401    404   404     403   404   404   403     404     403
    codes:manage  DELETE  /rooms/{room}/access-codes/{their_code}              401    404   404     403   404   404   403     404     403

    codes:view    GET     /rooms/{room}/access-codes/{code2}                   401    404   404     403   404   404   403     404     403
    codes:manage  PATCH   /rooms/{room}/access-codes/{code2}                   401    404   404     403   404   404   403     404     403
    codes:manage  DELETE  /rooms/{room}/access-codes/{code2}                   401    404   404     403   404   404   403     404     403
    """
)


@each(TABLE)
def test_access_codes(world: World, line: Line) -> None:
    check(world, line)
