"""The API's route for the catalogue of features."""

from flask import Blueprint, Response

from portal.api.v1.core import query_params, responses
from portal.api.v1.core.endpoint import endpoint
from portal.api.v1.core.query_params import Listing
from portal.edge.guard import bearer_only
from portal.resources.declaring import fields_of
from portal.resources.subscriptions import FeatureSchema, serialize_feature
from portal.scopes import Scope
from portal.subscriptions.feature_catalog import FEATURES

bp = Blueprint("features", __name__, url_prefix="/features")

CATALOGUE = Listing(columns={}, tie=None, fields=frozenset(fields_of(FeatureSchema)))


@bp.get("")
@endpoint("Features", scope=Scope.ROOMS_READ, returns=FeatureSchema, many=True, listing=CATALOGUE)
@bearer_only
def index() -> Response:
    """List the fixed catalogue of features: what a plan can grant, and whether a room may narrow it."""
    selection = query_params.field_selection(CATALOGUE)
    data = [serialize_feature(feature) for feature in FEATURES.values()]
    return responses.listing(data, selection, responses.one_page(len(data)))
