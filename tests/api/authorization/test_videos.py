"""Who may do what with videos. `{film}` can be watched, `{rushes}` is hidden."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs         method  address                                              nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    room:view     GET     /rooms/{films}/videos                                   401    200   404     200   200   200   404     404     403
    room:view     GET     /rooms/{films}/videos/{film}                            401    200   404     200   200   200   404     404     403
    media:manage  GET     /rooms/{films}/videos/{rushes}                          401    200   404     404   200   200   404     404     403
    media:manage  POST    /rooms/{films}/videos                                   401    409   404     403   409   409   403     404     403
    media:manage  PATCH   /rooms/{films}/videos/{film}                            401    200   404     403   200   200   403     404     403
    media:manage  POST    /rooms/{films}/videos/{rushes}/cancel                   401    200   404     403   200   200   403     404     403
    media:manage  POST    /rooms/{films}/videos/{film}/retry                      401    200   404     403   200   200   403     404     403
    media:manage  DELETE  /rooms/{films}/videos/{film}                            401    204   404     403   204   204   403     404     403
    room:view     GET     /rooms/{films}/videos/{film}/captions                   401    200   404     200   200   200   404     404     403
    media:manage  POST    /rooms/{films}/videos/{film}/captions                   401    201   404     403   201   201   403     404     403
    media:manage  DELETE  /rooms/{films}/videos/{film}/captions/{captions}        401    204   404     403   204   204   403     404     403

    room:view     GET     /rooms/{their_films}/videos                             401    200   404     200   404   404   404     200     403
    media:manage  PATCH   /rooms/{their_films}/videos/{their_film}                401    200   404     403   404   404   404     200     403
    media:manage  DELETE  /rooms/{their_films}/videos/{their_film}                401    204   404     403   404   404   404     204     403

    media:manage  PATCH   /rooms/{films}/videos/{their_film}                      401    404   404     403   404   404   403     404     403
    media:manage  PATCH   /rooms/{films}/videos/{film2}                           401    404   404     403   404   404   403     404     403
    media:manage  DELETE  /rooms/{films}/videos/{their_film}/captions/{captions}  401    404   404     403   404   404   403     404     403

    room:view     GET     /rooms/{their_films}/videos/{their_film}                                     401    200    404    200    404    404    404    200    403
    media:manage  POST    /rooms/{their_films}/videos                                                  401    409    404    403    404    404    404    409    403
    media:manage  POST    /rooms/{their_films}/videos/{their_rushes}/cancel                            401    200    404    403    404    404    404    200    403
    media:manage  POST    /rooms/{their_films}/videos/{their_film}/retry                               401    200    404    403    404    404    404    200    403
    room:view     GET     /rooms/{their_films}/videos/{their_film}/captions                            401    200    404    200    404    404    404    200    403
    media:manage  POST    /rooms/{their_films}/videos/{their_film}/captions                            401    201    404    403    404    404    404    201    403
    media:manage  DELETE  /rooms/{their_films}/videos/{their_film}/captions/{their_captions}           401    204    404    403    404    404    404    204    403

    room:view     GET     /rooms/{films}/videos/{their_film}                                           401    404    404    404    404    404    404    404    403
    media:manage  DELETE  /rooms/{films}/videos/{their_film}                                           401    404    404    403    404    404    403    404    403
    media:manage  POST    /rooms/{films}/videos/{their_rushes}/cancel                                  401    404    404    403    404    404    403    404    403
    media:manage  POST    /rooms/{films}/videos/{their_film}/retry                                     401    404    404    403    404    404    403    404    403
    room:view     GET     /rooms/{films}/videos/{their_film}/captions                                  401    404    404    404    404    404    404    404    403
    media:manage  POST    /rooms/{films}/videos/{their_film}/captions                                  401    404    404    403    404    404    403    404    403
    media:manage  DELETE  /rooms/{films}/videos/{film}/captions/{their_captions}                       401    404    404    403    404    404    403    404    403
    """
)


@each(TABLE)
def test_videos(world: World, line: Line) -> None:
    check(world, line)
