"""People with platform roles, for the tests of the admin's pages."""

from portal.db import transaction
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission
from tests.cast import Cast, Client


def with_role(cast: Cast, name: str, *permissions: StaffPermission, role: str = "helpers") -> Client:
    """This one of the cast, signed in, and member of the staff with these permissions."""
    with cast.app.app_context(), transaction():
        made = PlatformRole(name=role, permissions=[str(one) for one in permissions])
        cast.user(name).platform_roles = [made]
    return cast.sign_in(name)
