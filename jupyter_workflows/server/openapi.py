"""The OpenAPI document, made of the routes and the models that they use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from jupyter_server.base.handlers import JupyterHandler
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .operations import PARAMETERS, File, Operation
from .problems import MEDIA_TYPE, ProblemModel, title_of

#: What is served: a path below `workflows/api` with its parameters in braces, and its handler.
Route = tuple[str, type[JupyterHandler]]
Mode = Literal["validation", "serialization"]

_VERBS = ("get", "post", "put", "patch", "delete")
_REF = "#/components/schemas/{model}"


def operations(routes: Iterable[Route]) -> Iterator[tuple[str, str, Operation]]:
    """Yield path, verb and declaration of everything that is declared."""
    for path, handler in routes:
        for verb in _VERBS:
            declared = getattr(getattr(handler, verb), "operation", None)
            if declared is not None:
                yield path, verb, declared


def openapi(routes: Iterable[Route], *, server: str, version: str) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    server
        Address of the API, as the client sees it.
    version
        Of this program.
    """
    found = list(operations(routes))
    schemas = _Schemas(found)
    paths: dict[str, dict[str, Any]] = {}
    for path, verb, declared in found:
        paths.setdefault(f"/{path}", {})[verb] = _operation(path, declared, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Jupyter Workflows",
            "version": version,
            "description": "Business workflows whose stages are notebooks. Errors are problem details "
            "(RFC 9457); lists go on with `cursor`.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in sorted({_tag(path) for path, _, _ in found})],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "The server's token: `token TOKEN`. Signed-in browsers use their cookie.",
                }
            },
        },
    }


class _Schemas:
    """The JSON schemas of all models: those that are read, and those that are written."""

    def __init__(self, found: list[tuple[str, str, Operation]]) -> None:
        read = _models(declared.body for _, _, declared in found)
        queries = _models(declared.query for _, _, declared in found)
        written = _models([*(declared.answer for _, _, declared in found), ProblemModel])
        inputs: list[tuple[type[BaseModel], Mode]] = [(model, "validation") for model in (*read, *queries)]
        outputs: list[tuple[type[BaseModel], Mode]] = [(model, "serialization") for model in written]
        references, generated = models_json_schema([*inputs, *outputs], ref_template=_REF)
        self._references = references
        self.definitions: dict[str, Any] = dict(generated.get("$defs", {}))
        self.queries = {model: self.definitions.pop(self._name(model, "validation")) for model in queries}

    def _name(self, model: type[BaseModel], mode: Mode) -> str:
        reference: str = self._references[model, mode]["$ref"]
        return reference.rpartition("/")[2]

    def read(self, model: type[BaseModel]) -> Mapping[str, Any]:
        """Return the reference to a model in a request."""
        return self._references[model, "validation"]

    def written(self, model: type[BaseModel]) -> Mapping[str, Any]:
        """Return the reference to a model in an answer."""
        return self._references[model, "serialization"]


def _models(given: Iterable[type[BaseModel] | File | None]) -> list[type[BaseModel]]:
    models: dict[type[BaseModel], None] = {}
    for model in given:
        if isinstance(model, type):
            models[model] = None
    return list(models)


def _tag(path: str) -> str:
    return re.split(r"[/.]", path)[0]


def _operation(path: str, declared: Operation, schemas: _Schemas) -> dict[str, Any]:
    parameters = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
    if declared.query is not None:
        parameters += _query_parameters(schemas.queries[declared.query])
    parameters += [_header(name, text) for name, text in declared.headers]
    made: dict[str, Any] = {
        "operationId": _identifier(declared.name),
        "summary": declared.summary,
        "description": declared.description,
        "tags": [_tag(path)],
        "parameters": parameters,
        "responses": _responses(path, declared, schemas),
    }
    if declared.body is not None:
        made["requestBody"] = {
            "required": declared.body_required,
            "content": {"application/json": {"schema": schemas.read(declared.body)}},
        }
    if declared.upload is not None:
        content = {"schema": {"type": "string", "format": "binary"}}
        made["requestBody"] = {
            "required": True,
            "description": declared.upload.description,
            "content": {declared.upload.media_type: content},
        }
    return {key: value for key, value in made.items() if value not in ("", [])}


def _identifier(name: str) -> str:
    """Return a name such as ``listRuns`` from ``RunsHandler.get``."""
    handler, _, verb = name.partition(".")
    return f"{verb}{handler.removesuffix('Handler')}"


def _path_parameter(name: str) -> dict[str, Any]:
    parameter = PARAMETERS[name]
    schema: dict[str, Any] = (
        {"type": "integer", "minimum": 1, "maximum": 999_999_999}
        if parameter.integer
        else {"type": "string", "pattern": f"^{parameter.pattern}$"}
    )
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": parameter.description,
        "schema": schema,
        "example": parameter.example,
    }


def _query_parameters(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    made = []
    for name, described in schema.get("properties", {}).items():
        described = _without_null(dict(described))
        described.pop("title", None)
        description = described.pop("description", None)
        parameter = {"name": name, "in": "query", "required": name in required, "schema": described}
        if description:
            parameter["description"] = description
        made.append(parameter)
    return made


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that can be left out, but not be null: text cannot say that."""
    alternatives = [one for one in schema.pop("anyOf", ()) if one != {"type": "null"}]
    if schema.get("default", ...) is None:
        del schema["default"]
    if len(alternatives) == 1:
        return {**alternatives[0], **schema}
    return {**schema, "anyOf": alternatives} if alternatives else schema


def _header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    }


def _responses(path: str, declared: Operation, schemas: _Schemas) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": title_of(declared.status)}
    if isinstance(declared.answer, File):
        content: dict[str, Any] = {"type": "string", "format": "binary"} if declared.answer.binary else {}
        answer["content"] = {declared.answer.media_type: {"schema": content}}
        answer["description"] = declared.answer.description
    elif declared.answer is not None:
        answer["content"] = {"application/json": {"schema": schemas.written(declared.answer)}}
    if declared.location:
        answer["headers"] = {
            "Location": {
                "required": True,
                "description": "Address of what was made.",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        }
    statuses = {400, 403, 503, *declared.problems}
    if "{" in path:
        statuses.add(404)
    if declared.body is not None or declared.upload is not None:
        statuses |= {413, 415, 422}
    responses = {str(declared.status): answer}
    for status in sorted(statuses):
        responses[str(status)] = {
            "description": title_of(status),
            "content": {MEDIA_TYPE: {"schema": schemas.written(ProblemModel)}},
        }
    return responses
