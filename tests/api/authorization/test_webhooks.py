"""Who may do what with webhooks: who may change the room; those of all rooms belong to the customer's owner."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs      method  address                                                  nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -          GET     /webhooks                                                  401    200   200     200   200   200   200     200     403
    room:edit  POST    /webhooks                                                  401    201   422     403   201   201   403     422     403
    room:edit  GET     /webhooks/{hook}                                           401    200   404     403   200   200   403     404     403
    room:edit  PATCH   /webhooks/{hook}                                           401    200   404     403   200   200   403     404     403
    room:edit  DELETE  /webhooks/{hook}                                           401    204   404     403   204   204   403     404     403
    room:edit  POST    /webhooks/{hook}/rotate-secret                             401    200   404     403   200   200   403     404     403
    room:edit  POST    /webhooks/{hook}/test                                      401    201   404     403   201   201   403     404     403
    room:edit  GET     /webhooks/{hook}/deliveries                                401    200   404     403   200   200   403     404     403
    room:edit  GET     /webhooks/{hook}/deliveries/{delivery}                     401    200   404     403   200   200   403     404     403
    room:edit  POST    /webhooks/{hook}/deliveries/{delivery}/retry               401    200   404     403   200   200   403     404     403

    room:edit  GET     /webhooks/{their_hook}                                     401    200   404     403   404   404   404     200     403
    room:edit  PATCH   /webhooks/{their_hook}                                     401    200   404     403   404   404   404     200     403
    room:edit  DELETE  /webhooks/{their_hook}                                     401    204   404     403   404   404   404     204     403
    room:edit  POST    /webhooks/{their_hook}/rotate-secret                       401    200   404     403   404   404   404     200     403
    room:edit  POST    /webhooks/{their_hook}/test                                401    201   404     403   404   404   404     201     403
    room:edit  GET     /webhooks/{their_hook}/deliveries                          401    200   404     403   404   404   404     200     403
    room:edit  GET     /webhooks/{their_hook}/deliveries/{their_delivery}         401    200   404     403   404   404   404     200     403
    room:edit  POST    /webhooks/{their_hook}/deliveries/{their_delivery}/retry   401    200   404     403   404   404   404     200     403

    room:edit  GET     /webhooks/{wide}                                           401    200   404     403   200   404   404     404     403
    room:edit  PATCH   /webhooks/{wide}                                           401    200   404     403   200   404   404     404     403
    room:edit  DELETE  /webhooks/{wide}                                           401    204   404     403   204   404   404     404     403
    room:edit  POST    /webhooks/{wide}/rotate-secret                             401    200   404     403   200   404   404     404     403
    room:edit  POST    /webhooks/{wide}/test                                      401    201   404     403   201   404   404     404     403
    room:edit  GET     /webhooks/{wide}/deliveries                                401    200   404     403   200   404   404     404     403
    room:edit  GET     /webhooks/{wide}/deliveries/{wide_delivery}                401    200   404     403   200   404   404     404     403
    room:edit  POST    /webhooks/{wide}/deliveries/{wide_delivery}/retry          401    200   404     403   200   404   404     404     403

    room:edit  GET     /webhooks/{their_hook}/deliveries/{delivery}               401    404   404     403   404   404   404     404     403
    room:edit  POST    /webhooks/{their_hook}/deliveries/{delivery}/retry         401    404   404     403   404   404   404     404     403
    room:edit  GET     /webhooks/{hook}/deliveries/{their_delivery}               401    404   404     403   404   404   403     404     403
    room:edit  POST    /webhooks/{hook}/deliveries/{their_delivery}/retry         401    404   404     403   404   404   403     404     403
    room:edit  GET     /webhooks/{hook}/deliveries/{wide_delivery}                401    404   404     403   404   404   403     404     403
    room:edit  POST    /webhooks/{hook}/deliveries/{delivery2}/retry              401    404   404     403   404   404   403     404     403
    """,
    {"POST /webhooks": {"room_id": "{room}", "url": "https://hooks.example/", "events": ["room.updated"]}},
)
FOR_A_CUSTOMER = table(
    """
    needs      method  address                                                  nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -          POST    /webhooks                                                  401    201   422     422   201   422   422     422     403
    """,
    {"POST /webhooks": {"customer_id": "{customer}", "url": "https://hooks.example/", "events": ["room.updated"]}},
)
FOR_A_FOREIGN_ROOM = table(
    """
    needs      method  address                                                  nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -          POST    /webhooks                                                  401    201   422     403   422   422   422     201     403
    """,
    {"POST /webhooks": {"room_id": "{their_room}", "url": "https://hooks.example/", "events": ["room.updated"]}},
)


@each(TABLE)
def test_webhooks(world: World, line: Line) -> None:
    check(world, line)


@each([*FOR_A_CUSTOMER, *FOR_A_FOREIGN_ROOM])
def test_webhooks_of_somebody_else(world: World, line: Line) -> None:
    check(world, line)
