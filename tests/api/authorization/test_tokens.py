"""Who may do what with tokens. A token is its own room's only, also for who may see both rooms."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs          method  address                                           nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    tokens:view    GET     /rooms/{room}/tokens                                401    200   404     403   200   200   403     404     403
    tokens:manage  POST    /rooms/{room}/tokens                                401    201   404     403   201   201   403     404     403
    tokens:view    GET     /rooms/{room}/tokens/{token}                        401    200   404     403   200   200   403     404     403
    tokens:manage  PATCH   /rooms/{room}/tokens/{token}                        401    200   404     403   200   200   403     404     403
    tokens:manage  DELETE  /rooms/{room}/tokens/{token}                        401    204   404     403   204   204   403     404     403
    tokens:manage  POST    /rooms/{room}/tokens/{token}/rotate                 401    201   404     403   201   201   403     404     403

    tokens:view    GET     /rooms/{their_room}/tokens                          401    200   404     403   404   404   404     200     403
    tokens:manage  POST    /rooms/{their_room}/tokens                          401    201   404     403   404   404   404     201     403
    tokens:view    GET     /rooms/{their_room}/tokens/{their_token}            401    200   404     403   404   404   404     200     403
    tokens:manage  PATCH   /rooms/{their_room}/tokens/{their_token}            401    200   404     403   404   404   404     200     403
    tokens:manage  DELETE  /rooms/{their_room}/tokens/{their_token}            401    204   404     403   404   404   404     204     403
    tokens:manage  POST    /rooms/{their_room}/tokens/{their_token}/rotate     401    201   404     403   404   404   404     201     403

    tokens:view    GET     /rooms/{their_room}/tokens/{token}                  401    404   404     403   404   404   404     404     403
    tokens:manage  PATCH   /rooms/{their_room}/tokens/{token}                  401    404   404     403   404   404   404     404     403
    tokens:manage  DELETE  /rooms/{their_room}/tokens/{token}                  401    404   404     403   404   404   404     404     403
    tokens:manage  POST    /rooms/{their_room}/tokens/{token}/rotate           401    404   404     403   404   404   404     404     403

    tokens:view    GET     /rooms/{room}/tokens/{their_token}                  401    404   404     403   404   404   403     404     403
    tokens:manage  PATCH   /rooms/{room}/tokens/{their_token}                  401    404   404     403   404   404   403     404     403
    tokens:manage  DELETE  /rooms/{room}/tokens/{their_token}                  401    404   404     403   404   404   403     404     403
    tokens:manage  POST    /rooms/{room}/tokens/{their_token}/rotate           401    404   404     403   404   404   403     404     403

    tokens:view    GET     /rooms/{room}/tokens/{token2}                       401    404   404     403   404   404   403     404     403
    tokens:manage  PATCH   /rooms/{room}/tokens/{token2}                       401    404   404     403   404   404   403     404     403
    tokens:manage  DELETE  /rooms/{room}/tokens/{token2}                       401    404   404     403   404   404   403     404     403
    tokens:manage  POST    /rooms/{room}/tokens/{token2}/rotate                401    404   404     403   404   404   403     404     403
    """,
    {
        "POST /rooms/{room}/tokens": {"role": "guest"},
        "POST /rooms/{their_room}/tokens": {"role": "guest"},
    },
)
MODERATORS = table(
    """
    needs          method  address                                           nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    tokens:manage  POST    /rooms/{room}/tokens                                401    201   404     403   201   403   403     404     403
    tokens:view    GET     /rooms/{room}/tokens/{chair}                        401    200   404     403   200   200   403     404     403
    tokens:manage  PATCH   /rooms/{room}/tokens/{chair}                        401    200   404     403   200   403   403     404     403
    tokens:manage  PATCH   /rooms/{room}/tokens/{token}                        401    200   404     403   200   403   403     404     403
    tokens:manage  POST    /rooms/{room}/tokens/{chair}/rotate                 401    201   404     403   201   403   403     404     403
    """,
    {
        "POST /rooms/{room}/tokens": {"role": "moderator"},
        "PATCH /rooms/{room}/tokens/{chair}": {"label": "Chair"},
        "PATCH /rooms/{room}/tokens/{token}": {"role": "moderator"},
    },
)


@each(TABLE)
def test_tokens(world: World, line: Line) -> None:
    check(world, line)


@each(MODERATORS)
def test_nobody_hands_out_a_role_that_he_lacks(world: World, line: Line) -> None:
    check(world, line)
