"""Who may do what with rooms."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs        method  address                         nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -            GET     /rooms                             401    200  200     200    200  200    200      200     403
    -            POST    /rooms                             401    201  422     422    201  422    422      422     403
    room:view    GET     /rooms/{room}                      401    200  404     200    200  200    404      404     403
    room:edit    PATCH   /rooms/{room}                      401    200  404     403    200  200    403      404     403
    room:delete  DELETE  /rooms/{room}                      401    204  404     403    204  204    403      404     403
    room:view    GET     /rooms/{their_room}                401    200  404     200    404  404    404      200     403
    room:edit    PATCH   /rooms/{their_room}                401    200  404     403    404  404    404      200     403
    room:delete  DELETE  /rooms/{their_room}                401    204  404     403    404  404    404      204     403
    room:view    GET     /rooms/1111111111                  401    404  404     404    404  404    404      404     403
    """,
    {"POST /rooms": {"room_name": "Made by a table", "account_id": "{account}"}},
)


@each(TABLE)
def test_rooms(world: World, line: Line) -> None:
    check(world, line)
