# Pydantic validates the defaults, which are written as JSON.
# mypy: disable-error-code="assignment"
"""The workflow document as pydantic models, generated from schema/workflow.json."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Retries(BaseModel):
    """
    Automatic retries of failed and timed-out attempts.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    max: Annotated[int, Field(ge=0)] = 0
    delay: Annotated[float, Field(ge=0.0)] = 0
    """
    Seconds before the first retry.
    """
    backoff: Annotated[float, Field(ge=1.0)] = 1
    """
    Factor by which the delay grows each time.
    """


class StageTest(BaseModel):
    """
    What the stage is given when it is tried out.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    data: dict[str, Any] | None = None
    answers: dict[str, Any] | list[dict[str, Any]] | None = None
    """
    Answers by field key, or one such object a page.
    """
    request: dict[str, Any] | None = None


class DataReference(BaseModel):
    """
    A key of the stage data.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    from_: Annotated[str, Field(alias="from")]


class HookAuth(BaseModel):
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    kind: Literal["token", "signature", "none"] = "token"


class JobSchedule(BaseModel):
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    cron: str
    """
    Five cron fields, or six with seconds first.
    """
    timezone: str = "UTC"
    """
    IANA name of the time zone.
    """
    missed: Literal["latest", "all", "skip"] = "latest"
    """
    What happens with times that passed while nothing could run.
    """
    overlap: Literal["skip", "queue", "allow"] = "skip"
    """
    What happens when the previous run is still going on.
    """


class Transition(BaseModel):
    """
    A directed edge between stages.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    source: str
    """
    Key of the stage it leaves.
    """
    target: str
    """
    Key of the stage it leads to.
    """
    on: Literal["completed", "failed"] = "completed"
    condition: str | None = None
    """
    Expression over the stage data.
    """
    else_: Annotated[bool, Field(alias="else")] = False
    """
    Fires when no condition of the same source did.
    """
    each: str | None = None
    """
    Key of a list in the stage data: one successor for each item.
    """
    as_: Annotated[str, Field(alias="as")] = "item"
    """
    Name under which a successor finds its item.
    """
    order: float = 0
    """
    Place among the branches of the same source.
    """
    label: str = ""


class Note(BaseModel):
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    text: str = ""
    """
    Markdown.
    """
    position: Annotated[list[float] | None, Field(max_length=2, min_length=2)] = None
    """
    Canvas coordinates: x, y.
    """
    size: Annotated[list[float] | None, Field(max_length=2, min_length=2)] = None
    """
    Width and height on the canvas.
    """
    color: str | None = None


class Group(BaseModel):
    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    title: str = ""
    stages: list[str] = []
    """
    Keys of its stages.
    """
    position: Annotated[list[float] | None, Field(max_length=2, min_length=2)] = None
    """
    Canvas coordinates: x, y.
    """
    size: Annotated[list[float] | None, Field(max_length=2, min_length=2)] = None
    """
    Width and height on the canvas.
    """
    color: str | None = None
    collapsed: bool = False


class Board(BaseModel):
    """
    How the cards of the board look.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    fields: list[str] = []
    """
    Keys of the stage data that a card shows.
    """


class StageBase(BaseModel):
    """
    What stages of every type have.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    path: str
    """
    The slug that people and code use; unique in the workflow.
    """
    title: str
    notebook: str
    """
    Path of the notebook, relative to the document's folder, with forward slashes.
    """
    position: Annotated[list[float] | None, Field(max_length=2, min_length=2)] = None
    """
    Canvas coordinates: x, y.
    """
    start: bool | Literal["members", "anyone-signed-in"] = False
    """
    Makes the stage an entry; for a form, who may start it.
    """
    disabled: bool = False
    """
    Passes its data through without executing; an entry is off.
    """
    retries: Retries | None = None
    timeout: Annotated[float | None, Field(gt=0.0)] = None
    """
    Seconds of executing after which an attempt is interrupted, then killed.
    """
    kernel: str | None = None
    """
    Kernel to use instead of the notebook's.
    """
    executor: str | None = None
    """
    Where the stage is executed.
    """
    join: Literal["any", "all", "settled"] = "any"
    """
    When a stage that several branches reach starts.
    """
    per: str | None = None
    """
    Join separately for each item of the `each` whose `as` is this name.
    """
    collect: dict[str, str] | None = None
    """
    Lists to make of one key of all arrivals: new key to key of the arrivals.
    """
    after_crash: Literal["retry", "fail"] = "retry"
    """
    What becomes of an attempt that was lost.
    """
    memory: str | None = None
    """
    Memory limit, such as 512M or 2G.
    """
    pool: str | None = None
    """
    Named limit of concurrency.
    """
    pinned: dict[str, Any] | None = None
    """
    Stage data kept for tests, which stands in for executing the stage.
    """
    test: StageTest | None = None


class FormStage(StageBase):
    """
    A notebook that asks a person.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    type: Literal["form"]
    assignee: str | DataReference | None = None
    """
    To whom the task belongs: a person, `team:NAME`, or a key of the stage data.
    """
    due: str | None = None
    """
    ISO 8601 duration after which the task is overdue.
    """
    remind: str | None = None
    """
    ISO 8601 duration after which, and again and again, the assignee is reminded.
    """
    expires: str | None = None
    """
    ISO 8601 duration after which a waiting task fails.
    """


class HookStage(StageBase):
    """
    A notebook that an HTTP request starts or wakes.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    type: Literal["hook"]
    methods: Annotated[list[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]], Field(min_length=1)] = ["POST"]
    auth: Annotated[HookAuth, Field(validate_default=True)] = {"kind": "token"}
    route: str | None = None
    """
    The path below the hook's own: `{order}/items/{item}` names its parts, `{rest...}` takes what is left.
    """
    response: Literal["wait", "accept"] = "wait"
    """
    Whether the caller waits for the stage's response or is told at once that it was accepted.
    """
    response_timeout: Annotated[float, Field(gt=0.0)] = 30
    """
    Seconds that a caller waits for the response.
    """
    match: dict[str, str] | None = None
    """
    Which waiting stage run a request is for: key of the stage data to place in the request.
    """
    expires: str | None = None
    """
    ISO 8601 duration after which a waiting hook fails.
    """


class JobStage(StageBase):
    """
    A notebook that a schedule starts.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    type: Literal["job"]
    schedule: JobSchedule | None = None


class ScriptStage(StageBase):
    """
    A notebook that runs when its turn comes.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    type: Literal["script"]


class Document(BaseModel):
    """
    A workflow document (*.workflow), format version 1. Unknown fields are kept.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
    )
    format: Literal[1]
    """
    Version of the document format.
    """
    uid: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    """
    Identity of the workflow, made with the document; a copy needs one of its own.
    """
    title: str
    description: str = ""
    stages: Annotated[
        dict[str, FormStage | HookStage | JobStage | ScriptStage], Field(validate_default=True)
    ] = {}
    """
    Stages by their key, which is opaque and never changes.
    """
    transitions: Annotated[dict[str, Transition], Field(validate_default=True)] = {}
    """
    Transitions by their key, which is opaque and never changes.
    """
    notes: Annotated[dict[str, Note], Field(validate_default=True)] = {}
    """
    Sticky notes on the canvas, by key.
    """
    groups: Annotated[dict[str, Group], Field(validate_default=True)] = {}
    """
    Frames around stages on the canvas, by key.
    """
    board: Board | None = None
