"""What all commands share: the settings, the app, and how refusals are reported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from portal.errors import Invalid, Refused
from portal.settings import Settings

if TYPE_CHECKING:
    from flask import Flask
    from pydantic_core import ErrorDetails

    from portal.people.password_links import IssuedPasswordLink


def settings() -> Settings:
    """The settings in the environment. Raises `ClickException` if they are not right."""
    with reports_settings():
        return Settings()


@contextmanager
def reports_settings() -> Iterator[None]:
    """Report settings that are not right as one line, by a `ClickException`."""
    try:
        yield
    except ValidationError as error:
        reasons = "; ".join(_reason(problem) for problem in error.errors())
        raise click.ClickException(f"The settings are not right: {reasons}") from None


def _reason(problem: "ErrorDetails") -> str:
    named = "".join(f"{name}: ".upper() for name in problem["loc"][:1])
    return named + problem["msg"].removeprefix("Value error, ")


def app() -> "Flask":
    """The app with these settings, whose folder is made if it is missing."""
    from portal.app import configure_logs, create_app

    chosen = settings()
    chosen.folder()
    configure_logs()
    return create_app(chosen)


_OPTIONS = {
    "name": "--name",
    "company_name": "--name",
    "password": "--password",
    "redirect_uris": "--redirect-uri",
    "scopes": "--scopes",
    "owner_email": "--owner-email",
    "owner_name": "--owner-name",
}
"""Field of an operation → option of the command line, where the two have different names."""


def _field_error(name: str, message: str) -> str:
    return f"{_OPTIONS[name]}: {message}" if name in _OPTIONS else message


def reports_refusals(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command to report a `Refused` as one line on standard error, without a traceback."""

    @wraps(command)
    def reporting(*args: Any, **options: Any) -> Any:
        from sqlalchemy.exc import OperationalError, ProgrammingError

        from portal.engine import lacks_migration

        try:
            return command(*args, **options)
        except (OperationalError, ProgrammingError) as error:
            if not lacks_migration(error):
                raise
            raise click.ClickException("The database is not up to date. Run `portal migrate`.") from None
        except Invalid as invalid:
            errors = [_field_error(name, message) for name, message in invalid.fields.items()]
            raise click.ClickException("; ".join(errors) or invalid.message) from None
        except Refused as refused:
            raise click.ClickException(refused.message) from None

    return reporting


def told(link: "IssuedPasswordLink", *, email: str) -> str:
    """The lines that hand out a link for setting a password."""
    from portal.public_url import public_url

    return (
        f"{email} sets a password here, once, until {link.expires_at:%d %B %Y, %H:%M} UTC:\n"
        f"  {public_url(link.path)}\n"
        "It is not kept, and an older one ends. `portal user password-link` prints another."
    )
