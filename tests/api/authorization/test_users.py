"""Who may do what with the users of a room. Whoever may manage them still grants only what he holds himself."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs           method  address                                     nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    members:view    GET     /rooms/{room}/users                           401    200   404     200   200   200   403     404     403
    members:manage  POST    /rooms/{room}/users                           401    201   404     403   201   201   403     404     403
    members:view    GET     /rooms/{room}/users/{user}                    401    200   404     200   200   200   403     404     403
    members:view    GET     /rooms/{room}/users/{owner}                   401    200   404     200   200   200   403     404     403
    members:manage  PATCH   /rooms/{room}/users/{user}                    401    200   404     403   200   403   403     404     403
    members:manage  DELETE  /rooms/{room}/users/{user}                    401    204   404     403   204   204   403     404     403
    members:manage  PATCH   /rooms/{room}/users/{bob}                     401    200   404     403   200   403   403     404     403
    members:manage  DELETE  /rooms/{room}/users/{bob}                     401    204   404     403   204   403   403     404     403
    members:manage  DELETE  /rooms/{room}/users/{owner}                   401    404   404     403   404   404   403     404     403

    members:view    GET     /rooms/{their_room}/users                     401    200   404     200   404   404   404     200     403
    members:manage  POST    /rooms/{their_room}/users                     401    201   404     403   404   404   404     201     403
    members:view    GET     /rooms/{their_room}/users/{their_user}        401    200   404     200   404   404   404     200     403
    members:manage  PATCH   /rooms/{their_room}/users/{their_user}        401    200   404     403   404   404   404     200     403
    members:manage  DELETE  /rooms/{their_room}/users/{their_user}        401    204   404     403   404   404   404     204     403

    members:view    GET     /rooms/{their_room}/users/{user}              401    404   404     404   404   404   404     404     403
    members:manage  PATCH   /rooms/{their_room}/users/{user}              401    404   404     403   404   404   404     404     403
    members:manage  DELETE  /rooms/{their_room}/users/{user}              401    404   404     403   404   404   404     404     403

    members:view    GET     /rooms/{room}/users/{their_user}              401    404   404     404   404   404   403     404     403
    members:view    GET     /rooms/{room}/users/{their_owner}             401    404   404     404   404   404   403     404     403
    members:manage  PATCH   /rooms/{room}/users/{their_user}              401    404   404     403   404   404   403     404     403
    members:manage  DELETE  /rooms/{room}/users/{their_user}              401    404   404     403   404   404   403     404     403

    members:view    GET     /rooms/{room}/users/{user2}                   401    404   404     404   404   404   403     404     403
    members:manage  PATCH   /rooms/{room}/users/{user2}                   401    404   404     403   404   404   403     404     403
    members:manage  DELETE  /rooms/{room}/users/{user2}                   401    404   404     403   404   404   403     404     403
    """,
    {
        "POST /rooms/{room}/users": {"user_id": "{user2}", "permissions": ["room:view"]},
        "POST /rooms/{their_room}/users": {"user_id": "{user2}", "permissions": ["room:view"]},
    },
)


@each(TABLE)
def test_users_of_rooms(world: World, line: Line) -> None:
    check(world, line)
