"""Who may do what with recordings. `{recording}` is for owners only, `{shared}` for members of the room as well."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs              method  address                                         nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    room:view          GET     /rooms/{room}/recordings                           401    200   404     200   200   200   404     404     403
    recordings:view    GET     /rooms/{room}/recordings/{recording}               401    200   404     404   200   200   404     404     403
    room:view          GET     /rooms/{room}/recordings/{shared}                  401    200   404     200   200   200   404     404     403
    recordings:manage  PATCH   /rooms/{room}/recordings/{recording}               401    200   404     403   200   200   403     404     403
    recordings:manage  PATCH   /rooms/{room}/recordings/{shared}                  401    200   404     403   200   200   403     404     403
    recordings:manage  DELETE  /rooms/{room}/recordings/{shared}                  401    204   404     403   204   204   403     404     403

    room:view          GET     /rooms/{their_room}/recordings                     401    200   404     200   404   404   404     200     403
    recordings:view    GET     /rooms/{their_room}/recordings/{their_recording}   401    200   404     404   404   404   404     200     403
    recordings:manage  PATCH   /rooms/{their_room}/recordings/{their_recording}   401    200   404     403   404   404   404     200     403
    recordings:manage  DELETE  /rooms/{their_room}/recordings/{their_recording}   401    204   404     403   404   404   404     204     403

    recordings:view    GET     /rooms/{their_room}/recordings/{recording}         401    404   404     404   404   404   404     404     403
    recordings:manage  PATCH   /rooms/{their_room}/recordings/{recording}         401    404   404     403   404   404   404     404     403
    recordings:manage  DELETE  /rooms/{their_room}/recordings/{recording}         401    404   404     403   404   404   404     404     403

    recordings:view    GET     /rooms/{room}/recordings/{their_recording}         401    404   404     404   404   404   404     404     403
    recordings:manage  PATCH   /rooms/{room}/recordings/{their_recording}         401    404   404     403   404   404   403     404     403
    recordings:manage  DELETE  /rooms/{room}/recordings/{their_recording}         401    404   404     403   404   404   403     404     403

    recordings:view    GET     /rooms/{room}/recordings/{shared2}                 401    404   404     404   404   404   404     404     403
    recordings:manage  PATCH   /rooms/{room}/recordings/{shared2}                 401    404   404     403   404   404   403     404     403
    recordings:manage  DELETE  /rooms/{room}/recordings/{shared2}                 401    404   404     403   404   404   403     404     403
    """
)


@each(TABLE)
def test_recordings(world: World, line: Line) -> None:
    check(world, line)
