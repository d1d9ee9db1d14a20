"""Testing the connection with services by itself: so staff read the version of one, and that it is down, in time.

A service whose rooms nobody uses is asked about them seldom, and one that has none never. It is done by a job for each
service, soon after what is set of it was changed, and then every hour. No transaction is open while it is asked.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
import structlog

from portal.clock import now
from portal.db import session, transaction
from portal.providers import registry
from portal.providers.base import Testable
from portal.subscriptions.provider_health import record_answer, record_failure
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.services import bound_service

log = structlog.get_logger()

TEST = "test-provider"
"""The job that tests the connection with a service; its id is the uuid of the provider row."""
TEST_AGAIN = timedelta(hours=1)


def providers_to_test() -> list[UUID]:
    """The uuids of providers whose connection should be tested now; of none that is built in."""
    return list(session.scalars(sa.select(ServiceProvider.uuid).where(*_due(now()))))


def test_provider(provider_uuid: UUID) -> bool:
    """Test the connection with the service of this provider, if that is due, and write down what came of it.

    Several jobs may call this at once: the row is claimed by an UPDATE that only one of them wins.
    """
    at = now()
    with transaction():
        claim = sa.update(ServiceProvider).where(ServiceProvider.uuid == provider_uuid, *_due(at))
        claimed = session.scalars(
            claim.values(tested_at=at, updated_at=ServiceProvider.updated_at)
            .returning(ServiceProvider.uuid)
            .execution_options(synchronize_session=False)
        ).all()
        provider = session.get(ServiceProvider, provider_uuid) if claimed else None
    if provider is None:
        return False
    try:
        service = bound_service(provider)
        told = dict(service.test()) if isinstance(service, Testable) else None
    except Exception as error:  # noqa: BLE001  (whatever it was, staff read it on the page of the service)
        log.warning("a service did not stand its test", provider=provider.id, error=type(error).__name__)
        with transaction():
            record_failure(provider.uuid, error, now())
        return True
    if told is not None:
        with transaction():
            record_answer(provider.uuid, at, version=told.get("version"))
    return True


def _due(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    connected = [key for key in registry.known() if registry.adapter(key).properties]
    return (
        ServiceProvider.active.is_(True),
        ServiceProvider.provider_type.in_(connected),
        sa.or_(ServiceProvider.tested_at.is_(None), ServiceProvider.tested_at <= at - TEST_AGAIN),
    )
