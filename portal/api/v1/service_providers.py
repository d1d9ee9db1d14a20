"""The API's routes for service providers: rows, tests of their connection, and their health."""

from typing import Annotated, Any

import sqlalchemy as sa
from flask import Blueprint, Response
from pydantic import Field

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import Listing, listing_of
from portal.api.v1.core.request_body import RequestBody
from portal.api.v1.term_bodies import Metadata
from portal.edge import actor
from portal.edge.staff_guard import staff
from portal.people.models import NAME_LENGTH
from portal.people.staff import StaffPermission
from portal.resources.declaring import fields_of
from portal.resources.packages import (
    ConnectionSchema,
    ProviderHealthSchema,
    ProviderSchema,
    serialize_connection,
    serialize_provider,
    serialize_provider_health,
)
from portal.scopes import Scope
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.queries import find_provider
from portal.subscriptions.service_providers import (
    ServiceAnswer,
    change_provider,
    create_provider,
    delete_provider,
    try_connection,
)

bp = Blueprint("service_providers", __name__, url_prefix="/service-providers")

TAG = "Service providers"
LISTING = listing_of(ProviderSchema, ServiceProvider)
HEALTH = Listing(columns={}, tie=None, fields=frozenset(fields_of(ProviderHealthSchema)))
CONNECTION = Listing(columns={}, tie=None, fields=frozenset(fields_of(ConnectionSchema)))
TYPE_LENGTH = 32


class ProviderChange(RequestBody):
    """What is changed of a provider. Properties are merged by name: null removes one, a secret left out stays."""

    resource = ProviderSchema

    provider_name: Annotated[str, Field(max_length=NAME_LENGTH)] = ""
    active: bool = True
    draining: bool = False
    properties: Metadata = Field(default_factory=dict)
    metadata: Metadata = Field(default_factory=dict)


class NewProvider(ProviderChange):
    """A new provider. `bbb` is accepted for `bigbluebutton`."""

    provider_name: Annotated[str, Field(max_length=NAME_LENGTH)]
    provider_type: Annotated[str, Field(max_length=TYPE_LENGTH)]
    service_type: ServiceType = ServiceType.MEET


class ConnectionTest(RequestBody):
    """A type of service and its properties, which are tested and not saved."""

    provider_type: Annotated[str, Field(max_length=TYPE_LENGTH)]
    properties: Metadata = Field(default_factory=dict)


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=ProviderSchema, many=True, listing=LISTING)
@staff(StaffPermission.PROVIDERS_READ)
def index() -> Response:
    """List all service providers."""
    asked = query_params.list_query(LISTING)
    rows, page = pagination.rows_of(asked, sa.select(ServiceProvider))
    return responses.listing([serialize_provider(row[0]) for row in rows], asked.selection, page)


@bp.post("")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=ProviderSchema, status=201, listing=LISTING)
@staff(StaffPermission.PROVIDERS_CREATE)
@takes(NewProvider, built_in={"provider_name": "Conferences", "provider_type": "mesh", "service_type": "meet"})
def create(body: NewProvider) -> Response:
    """Connect a service. What its properties are, its type declares; errors name them as `properties.<name>`."""
    selection = query_params.field_selection(LISTING)
    made = create_provider(by=actor.someone(), **body.given())
    at = f"/api/v1/service-providers/{made.id}"
    return responses.created(serialize_provider(made), selection, at=at, tag=responses.etag_of(made))


@bp.post("/test")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=ConnectionSchema, listing=CONNECTION)
@staff(StaffPermission.PROVIDERS_CREATE)
@takes(ConnectionTest, built_in={"provider_type": "mesh", "properties": {}})
def test_unsaved(body: ConnectionTest) -> Response:
    """Ask a service whether it can be used with these properties. Nothing is saved; errors name the property."""
    selection = query_params.field_selection(CONNECTION)
    return _connection(try_connection(provider_type=body.provider_type, properties=body.properties), selection)


@bp.get("/<anyid:provider_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=ProviderSchema, listing=LISTING)
@staff(StaffPermission.PROVIDERS_READ, provider=find_provider)
def show_one(provider: ServiceProvider) -> Response:
    """Read a service provider. Of its secrets it is told only whether they are set."""
    return _provider_answer(provider)


@bp.patch("/<anyid:provider_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=ProviderSchema, listing=LISTING, refusals=(409,))
@staff(StaffPermission.PROVIDERS_UPDATE, provider=find_provider)
@takes(ProviderChange, drain={"draining": True}, rename={"provider_name": "Conferences, Frankfurt"})
def change(provider: ServiceProvider, body: ProviderChange) -> Response:
    """Change a service provider. While it is the default of something it cannot become inactive."""
    responses.check_if_match(provider)
    change_provider(provider, by=actor.someone(), **body.given())
    return _provider_answer(provider)


@bp.delete("/<anyid:provider_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(409,))
@staff(StaffPermission.PROVIDERS_DELETE, provider=find_provider)
@takes(None)
def delete(provider: ServiceProvider) -> Response:
    """Delete a service provider that is attached to nothing."""
    responses.check_if_match(provider)
    delete_provider(provider, by=actor.someone())
    return responses.no_content()


@bp.post("/<anyid:provider_id>/test")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=ConnectionSchema, listing=CONNECTION)
@staff(StaffPermission.PROVIDERS_READ, provider=find_provider)
@takes(None)
def test(provider: ServiceProvider) -> Response:
    """Ask the service whether it can be used with what is stored."""
    selection = query_params.field_selection(CONNECTION)
    return _connection(try_connection(provider_type=provider.provider_type, properties={}, stored=provider), selection)


@bp.get("/<anyid:provider_id>/health")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=ProviderHealthSchema, listing=HEALTH)
@staff(StaffPermission.PROVIDERS_READ, provider=find_provider)
def health(provider: ServiceProvider) -> Response:
    """Read since when a provider answers or is down, what went wrong last, and how busy its service is."""
    selection = query_params.field_selection(HEALTH)
    return responses.single(serialize_provider_health(provider), selection)


def _provider_answer(provider: ServiceProvider) -> Response:
    selection = query_params.field_selection(LISTING)
    return responses.single(serialize_provider(provider), selection, tag=responses.etag_of(provider))


def _connection(answer: ServiceAnswer, selection: query_params.FieldSelection) -> Response:
    data: dict[str, Any] = serialize_connection(answer)
    return responses.single(data, selection)
