"""Finding service providers."""

import sqlalchemy as sa

from portal.db import session
from portal.errors import NotFound
from portal.subscriptions.models import ServiceProvider


def get_provider(provider_id: str) -> ServiceProvider:
    """The provider with this short public id, whether it is active or not. Raises `NotFound`."""
    provider = session.scalar(sa.select(ServiceProvider).where(ServiceProvider.id == provider_id))
    if provider is None:
        raise NotFound
    return provider
