"""The text of shared documents, by the vectors that the browser's tests have, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_workflows.collaboration.text import Content, parse, write

FOLDER = Path(__file__).with_name("vectors")
TEXTS = json.loads((FOLDER / "texts.json").read_text("utf-8"))
PROBLEMS = json.loads((FOLDER / "problems.json").read_text("utf-8"))


def content_of(text: str) -> Content:
    content = parse(text)
    assert isinstance(content, Content)
    return content


@pytest.mark.parametrize("vector", TEXTS, ids=[vector["about"] for vector in TEXTS])
def test_canonical_text(vector: dict[str, str]) -> None:
    assert write(content_of(vector["text"])) == vector["canonical"]
    assert write(content_of(vector["canonical"])) == vector["canonical"]


@pytest.mark.parametrize("vector", PROBLEMS, ids=[vector["about"] for vector in PROBLEMS])
def test_what_is_no_graph(vector: dict[str, Any]) -> None:
    assert parse(vector["text"]) == vector["problem"]


@settings(max_examples=200, deadline=None)
@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_any_text_is_read_or_refused(text: str) -> None:
    content = parse(text)
    assert content in ("invalid", "newer") or isinstance(content, Content)
