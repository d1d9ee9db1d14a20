"""The schemas of the OpenAPI document, which Pydantic makes from resources and bodies, under their public names."""

import json
import re
from collections import Counter
from enum import StrEnum
from typing import Any

from pydantic.json_schema import models_json_schema

from portal.api.v1 import webhook_docs
from portal.api.v1.core.endpoint import DESCRIPTION, TAKES, Description, Taken
from portal.api.v1.core.envelope import ListMeta, Meta, ProblemSchema
from portal.permissions.permission import Permission
from portal.webhooks.events import Event
from portal.webhooks.models import PauseReason

MEANINGS: dict[type[StrEnum], str] = {Event: "words", PauseReason: "words", Permission: "label"}
"""Enums whose members the document explains → the attribute of a member that has the explanation."""


def schemas_of(views: list[Any]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """References to the schemas of all models of these views, by model; and the schemas by name."""
    models: dict[tuple[Any, str], None] = {
        (model, "serialization"): None
        for model in (
            ProblemSchema,
            Meta,
            ListMeta,
            *sorted(webhook_docs.MODELS, key=str),
        )
    }
    for view in views:
        description: Description = getattr(view, DESCRIPTION)
        taken: Taken | None = getattr(view, TAKES, None)
        if description.returns is not None:
            models[(description.returns, "serialization")] = None
        if taken is not None and taken.model is not None:
            models[(taken.model, "validation")] = None
    mapping, definitions = _public(
        models_json_schema(
            list(models),  # type: ignore[arg-type]
            ref_template="#/components/schemas/{model}",
        )
    )
    components = definitions.get("$defs", {})
    for kind, attribute in MEANINGS.items():
        components[kind.__name__]["x-enumDescriptions"] = {one.value: str(getattr(one, attribute)) for one in kind}
    for component in components.values():
        component["description"] = component.get("description", "").partition("; see *")[0]
        for one in component.get("properties", {}).values():
            one.pop("default", None)  # of a change, what is left out stays as it is
            one.pop("title", None)
    return {model: schema for (model, _), schema in mapping.items()}, components


def _public(made: tuple[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Name schemas as programs know them: `RoomSchema`, the schema of the model `Room`, is `Room` in the document.

    Raises `ValueError` if two would then have one name, of which the document would lose one.
    """
    mapping, definitions = made
    taken = Counter(_public_names(name) for name in definitions.get("$defs", {}))
    if twice := [name for name, times in taken.items() if times > 1]:
        raise ValueError(f"schemas with one public name: {twice}")
    text = json.dumps([list(mapping.values()), definitions])
    references, public = json.loads(_public_names(text))
    return dict(zip(mapping, references, strict=True)), public


def _public_names(text: str) -> str:
    return re.sub(r"\b(\w+?)Schema(?=\b|_)", r"\1", text)
