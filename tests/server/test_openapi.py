"""The OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from jupyter_workflows.server.app import WorkflowsApp


async def test_the_document_is_served(api: Any, workflows_app: WorkflowsApp, jp_base_url: str) -> None:
    document = await api.get("openapi.json")
    assert document == json.loads(json.dumps(workflows_app.openapi))
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": f"{jp_base_url}workflows/api"}]


async def test_every_operation_says_what_it_is(workflows_app: WorkflowsApp) -> None:
    seen = set()
    for path, verbs in workflows_app.openapi["paths"].items():
        for verb, operation in verbs.items():
            assert operation["summary"] and operation["description"], (path, verb)
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert "403" in operation["responses"]
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], (path, verb)


async def test_all_references_lead_somewhere(workflows_app: WorkflowsApp) -> None:
    document = workflows_app.openapi
    known = document["components"]["schemas"]

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix("#/components/schemas/") in known
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(document)
    for schema in known.values():
        jsonschema.Draft202012Validator.check_schema(schema)


async def test_parameters_of_queries_are_what_the_models_take(workflows_app: WorkflowsApp) -> None:
    parameters = {
        parameter["name"]: parameter
        for parameter in workflows_app.openapi["paths"]["/runs"]["get"]["parameters"]
    }
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert parameters["state"]["schema"]["type"] == "array"
    assert parameters["mode"]["schema"] == {"$ref": "#/components/schemas/RunMode"}
    assert not any(parameter["required"] for parameter in parameters.values())
