"""Who may read accounts, subscriptions and the catalogue: owners what is theirs, staff everything."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

TABLE = table(
    """
    needs  method  address                               nobody  staff  ada  alice  bob  lacks  charlie  client
    -      GET     /accounts                               401    200   200   200   200   200     200     403
    -      GET     /accounts/{account}                     401    200   404   200   404   404     404     403
    -      GET     /accounts/{their_account}               401    200   404   404   404   404     200     403
    -      GET     /subscriptions                          401    200   200   200   200   200     200     403
    -      GET     /subscriptions/{subscription}           401    200   404   200   404   404     404     403
    -      GET     /subscriptions/{their_subscription}     401    200   404   404   404   404     200     403
    -      GET     /features                               401    200   200   200   200   200     200     403
    """
)


@each(TABLE)
def test_accounts_and_subscriptions(world: World, line: Line) -> None:
    check(world, line)
