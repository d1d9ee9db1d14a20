"""Who may ask whether somebody would get in, and who is let in. A link opens its own room, for whoever brings it."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs        method  address                                              nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    tokens:view  GET     /rooms/{room}/access-check                             401    200   404     403   200   200   403     404     403
    tokens:view  GET     /rooms/{room}/access-check?token={link}                401    200   404     403   200   200   403     404     403
    tokens:view  GET     /rooms/{their_room}/access-check                       401    200   404     403   404   404   404     200     403
    tokens:view  GET     /rooms/{their_room}/access-check?token={their_link}    401    200   404     403   404   404   404     200     403
    room:view    POST    /rooms/{room}/join                                     401    200   404     200   200   200   404     404     403
    room:view    POST    /rooms/{their_room}/join                               401    200   404     200   404   404   404     200     403
    -            POST    /rooms/{room2}/join                                    401    200   200     200   200   200   200     200     403
    -            POST    /rooms/{open}/join                                     401    200   200     200   200   200   200     200     403
    room:view    POST    /rooms/1111111111/join                                 401    404   404     404   404   404   404     404     403
    """,
    {
        "POST /rooms/{room}/join": {},
        "POST /rooms/{their_room}/join": {},
        "POST /rooms/{room2}/join": {"token": "{link2}", "name": "Gus"},
        "POST /rooms/{open}/join": {"name": "Gus"},
        "POST /rooms/1111111111/join": {"token": "{link}", "name": "Gus"},
    },
)
FOREIGN_LINKS = table(
    """
    needs        method  address                                              nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -            POST    /rooms/{room}/join                                     401    404   404     404   404   404   404     404     403
    -            POST    /rooms/{their_room}/join                               401    404   404     404   404   404   404     404     403
    """,
    {
        "POST /rooms/{room}/join": {"token": "{their_link}", "name": "Gus"},
        "POST /rooms/{their_room}/join": {"token": "{link}", "name": "Gus"},
    },
)


@each(TABLE)
def test_access(world: World, line: Line) -> None:
    check(world, line)


@each(FOREIGN_LINKS)
def test_a_link_of_another_room_opens_none(world: World, line: Line) -> None:
    check(world, line)
