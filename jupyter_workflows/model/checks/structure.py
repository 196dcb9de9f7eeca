"""Checks of the graph: paths, transitions, entries, joins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..conditions import ConditionSyntaxError, parse
from ..document import Document, JobStage, Stage, Transition
from ..findings import Finding
from ..graph import Graph
from ..slugs import SLUG, slug


def check_structure(document: Document, graph: Graph) -> Iterator[Finding]:
    """Find what is wrong with the graph, whatever the notebooks are."""
    yield from _paths(document)
    for key, transition in document.transitions.items():
        yield from _ends(document, key, transition)
        yield from _names(key, transition)
        yield from _condition(key, transition)
    yield from _otherwise(document)
    yield from _entries(document, graph)
    for key, stage in document.stages.items():
        yield from _join(graph, key, stage)


def _paths(document: Document) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for key, stage in sorted(document.stages.items()):
        if not SLUG.fullmatch(stage.path):
            yield Finding(
                "bad-path",
                "error",
                f"The path {stage.path!r} has other characters than a to z, 0 to 9 and hyphens.",
                f"Call it {slug(stage.path or stage.title)!r}, for example.",
                stage=key,
                field="path",
            )
        if stage.path in owners:
            other = document.stages[owners[stage.path]].title
            yield Finding(
                "duplicate-path",
                "error",
                f"The stage {other!r} has the path {stage.path!r} too.",
                "Give each stage a path of its own.",
                stage=key,
                field="path",
            )
        owners.setdefault(stage.path, key)


def _ends(document: Document, key: str, transition: Transition) -> Iterator[Finding]:
    for field, end in (("source", transition.source), ("target", transition.target)):
        if end not in document.stages:
            yield Finding(
                "dangling-transition",
                "error",
                f"There is no stage {end!r}.",
                "Remove the transition, or connect it to a stage.",
                transition=key,
                field=field,
            )
    if isinstance(document.stages.get(transition.target), JobStage):
        yield Finding(
            "transition-into-job",
            "error",
            "A transition leads into a job, which only its schedule starts.",
            "Remove the transition, or make the stage a script.",
            transition=key,
            field="target",
        )


def _names(key: str, transition: Transition) -> Iterator[Finding]:
    if transition.each is None:
        if "as_" in transition.model_fields_set:
            yield Finding(
                "as-without-each",
                "warning",
                "“as” names the item of an “each”, of which there is none.",
                "Say over which list the transition fans out, or remove “as”.",
                transition=key,
                field="as",
            )
        return
    for field, name in (("each", transition.each), ("as", transition.as_)):
        if not name.isidentifier():
            yield Finding(
                "bad-name",
                "error",
                f"{name!r} cannot be used as a name in notebooks and conditions.",
                "Use letters, digits and underscores.",
                transition=key,
                field=field,
            )


def _condition(key: str, transition: Transition) -> Iterator[Finding]:
    if transition.condition is None:
        return
    if transition.else_:
        yield Finding(
            "else-with-condition",
            "error",
            "The transition has a condition and is an “else” as well.",
            "Remove one of the two.",
            transition=key,
            field="else",
        )
    try:
        parse(transition.condition)
    except ConditionSyntaxError as error:
        place = f" (line {error.line}, column {error.column})" if transition.condition.strip() else ""
        yield Finding(
            "bad-condition",
            "error",
            f"{error.message}{place}",
            "Write a comparison such as amount > 100; without a condition the transition always fires.",
            transition=key,
            field="condition",
        )


def _otherwise(document: Document) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    conditional: set[tuple[str, str]] = set()
    for key, transition in sorted(document.transitions.items()):
        group: tuple[str, str] = (transition.source, transition.on)
        if transition.condition is not None:
            conditional.add(group)
        elif transition.else_:
            groups[group].append(key)
    for branch, keys in groups.items():
        if branch not in conditional:
            yield Finding(
                "else-without-condition",
                "warning",
                "No other transition of the stage has a condition, so “else” always fires.",
                "Give another transition a condition, or remove “else”.",
                transition=keys[0],
                field="else",
            )
        for key in keys[1:]:
            yield Finding(
                "several-else",
                "warning",
                "The stage has more than one “else”; all of them fire.",
                "Keep one, unless both branches are meant.",
                transition=key,
                field="else",
            )


def _entries(document: Document, graph: Graph) -> Iterator[Finding]:
    if not document.stages:
        yield Finding("no-stages", "info", "The workflow has no stages yet.", "Add the first one.")
        return
    if not graph.entries:
        yield Finding(
            "no-entry",
            "error",
            "No stage can start a run.",
            "Enable the first stage, or set “start” on the one with which a run begins.",
        )
        return
    reached = set(graph.entries).union(*(graph.reachable(key) for key in graph.entries))
    for key, stage in document.stages.items():
        if key not in reached and not stage.disabled:
            yield Finding(
                "unreachable-stage",
                "warning",
                "No run that begins with a first stage gets to this one.",
                "Connect it to another, set its “start”, or enable the stage before it.",
                stage=key,
            )


def _join(graph: Graph, key: str, stage: Stage) -> Iterator[Finding]:
    incoming = any(transition.target == key for transition in graph.transitions.values())
    if stage.join != "any" and not incoming:
        yield Finding(
            "join-without-arrivals",
            "warning",
            "The stage joins branches, but no transition leads to it.",
            "Connect the branches to it, or set “join” to “any”.",
            stage=key,
            field="join",
        )
    for field in ("per", "collect"):
        if getattr(stage, field) is not None and stage.join == "any":
            yield Finding(
                f"{field}-without-join",
                "warning",
                f"“{field}” has no effect: the stage starts with each arrival.",
                "Set “join” to “all” or “settled”.",
                stage=key,
                field=field,
            )
    if stage.per is not None and not any(
        transition.each is not None
        and transition.name == stage.per
        and (key == transition.target or key in graph.reachable(transition.target))
        for transition in graph.transitions.values()
    ):
        yield Finding(
            "per-without-each",
            "error",
            f"No “each” on the way to this stage calls its items {stage.per!r}.",
            "Use the name that the transition with “each” gives in “as”.",
            stage=key,
            field="per",
        )
