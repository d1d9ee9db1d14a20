"""Who may do what with packages and service providers: staff only, and everybody else finds nothing."""

from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line, check, each, table

PACKAGES = table(
    """
    needs  method  address                                               nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /service-packages                                        401    200   404     403   404   404   404     404     403
    -      POST    /service-packages                                        401    201   404     403   404   404   404     404     403
    -      GET     /service-packages/{package}                              401    200   404     403   404   404   404     404     403
    -      PATCH   /service-packages/{package}                              401    200   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{package}                              401    204   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{sold_package}                         401    409   404     403   404   404   404     404     403
    -      GET     /service-packages/1111111111                             401    404   404     403   404   404   404     404     403
    -      GET     /service-packages/{package}/features                     401    200   404     403   404   404   404     404     403
    -      POST    /service-packages/{package}/features                     401    201   404     403   404   404   404     404     403
    -      GET     /service-packages/{package}/features/{feature}          401    200   404     403   404   404   404     404     403
    -      PATCH   /service-packages/{package}/features/{feature}          401    200   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{package}/features/{feature}          401    204   404     403   404   404   404     404     403
    -      GET     /service-packages/{their_package}/features/{feature}          401    404   404     403   404   404   404     404     403
    -      PATCH   /service-packages/{their_package}/features/{feature}          401    404   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{their_package}/features/{feature}          401    404   404     403   404   404   404     404     403
    -      GET     /service-packages/{package}/providers                    401    200   404     403   404   404   404     404     403
    -      POST    /service-packages/{package}/providers                    401    201   404     403   404   404   404     404     403
    -      GET     /service-packages/{package}/providers/{attached}         401    200   404     403   404   404   404     404     403
    -      PATCH   /service-packages/{package}/providers/{attached}         401    200   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{package}/providers/{attached}         401    409   404     403   404   404   404     404     403
    -      GET     /service-packages/{their_package}/providers/{attached}   401    404   404     403   404   404   404     404     403
    -      PATCH   /service-packages/{their_package}/providers/{attached}   401    404   404     403   404   404   404     404     403
    -      DELETE  /service-packages/{their_package}/providers/{attached}   401    404   404     403   404   404   404     404     403
    """,
    {"POST /service-packages/{package}/providers": {"service_provider_id": "{free_provider}"}},
)
PROVIDERS = table(
    """
    needs  method  address                                     nobody  staff  ada  reader  alice  bob  lacks  charlie  client
    -      GET     /service-providers                             401    200   404     403   404   404   404     404     403
    -      POST    /service-providers                             401    201   404     403   404   404   404     404     403
    -      POST    /service-providers/test                        401    200   404     403   404   404   404     404     403
    -      GET     /service-providers/{free_provider}             401    200   404     403   404   404   404     404     403
    -      PATCH   /service-providers/{free_provider}             401    200   404     403   404   404   404     404     403
    -      DELETE  /service-providers/{free_provider}             401    204   404     403   404   404   404     404     403
    -      DELETE  /service-providers/{used_provider}             401    409   404     403   404   404   404     404     403
    -      POST    /service-providers/{free_provider}/test        401    200   404     403   404   404   404     404     403
    -      GET     /service-providers/{free_provider}/health      401    200   404     403   404   404   404     404     403
    """
)


@each(PACKAGES)
def test_packages(world: World, line: Line) -> None:
    check(world, line)


@each(PROVIDERS)
def test_service_providers(world: World, line: Line) -> None:
    check(world, line)
