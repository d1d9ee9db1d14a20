"""Who may see what is happening in a room and what happened, start it and end it."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs          method  address                                   nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    status:view    GET     /rooms/{room}/status                        401    200   404     200   200   200   403     404     403
    room:moderate  POST    /rooms/{room}/start                         401    200   404     403   200   200   403     404     403
    room:moderate  POST    /rooms/{room}/end                           401    200   404     403   200   200   403     404     403
    reports:view   GET     /rooms/{room}/sessions                      401    200   404     200   200   200   403     404     403
    reports:view   GET     /rooms/{room}/sessions/{run}                401    200   404     200   200   200   403     404     403

    status:view    GET     /rooms/{their_room}/status                  401    200   404     200   404   404   404     200     403
    room:moderate  POST    /rooms/{their_room}/start                   401    200   404     403   404   404   404     200     403
    room:moderate  POST    /rooms/{their_room}/end                     401    200   404     403   404   404   404     200     403
    reports:view   GET     /rooms/{their_room}/sessions                401    200   404     200   404   404   404     200     403
    reports:view   GET     /rooms/{their_room}/sessions/{their_run}    401    200   404     200   404   404   404     200     403

    reports:view   GET     /rooms/{their_room}/sessions/{run}          401    404   404     404   404   404   404     404     403
    reports:view   GET     /rooms/{room}/sessions/{their_run}          401    404   404     404   404   404   403     404     403
    reports:view   GET     /rooms/{room}/sessions/{run2}               401    404   404     404   404   404   403     404     403
    """
)


@each(TABLE)
def test_what_happens_in_rooms(world: World, line: Line) -> None:
    check(world, line)
