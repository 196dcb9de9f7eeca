"""What the routes of working copies do. All methods may block: they are called on threads."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path

from jupyter_workflows.deploying import compare
from jupyter_workflows.execution.project import Project
from jupyter_workflows.model.checks import check
from jupyter_workflows.model.document import Document, DocumentError, load
from jupyter_workflows.model.slugs import slug
from jupyter_workflows.store import Store
from jupyter_workflows.templates import (
    STAGE_TEMPLATES,
    WORKFLOW_TEMPLATES,
    ProjectExists,
    new_project,
    notebook_value,
    write_project,
)
from jupyter_workflows.templates.projects import REQUIREMENTS, SUFFIX

from ..deployments.models import DeploymentModel
from ..problems import Problem
from ..projects import ProjectPaths
from ..workflows.manager import HookAddress, WorkflowsManager
from .models import (
    CompareRequest,
    ComparisonModel,
    DifferenceModel,
    NewProjectModel,
    NewProjectRequest,
    NextTime,
    ProjectList,
    ProjectModel,
    RequirementsModel,
    StageOfProject,
    StageTemplateModel,
    TemplateList,
    WorkflowTemplateModel,
)

#: How many folders of one name are tried before giving up.
_MOST = 1000
_PACKAGE = re.compile(r"Add (\S+) to it\.")
_PACKAGES = re.compile(r"Create one with: (.+)\.")


def templates() -> TemplateList:
    """Return what new stages and workflows begin with."""
    return TemplateList(
        stages=[
            StageTemplateModel(
                type=kind,
                title=template.title,
                settings=dict(template.settings),
                notebook=notebook_value(template.cells, slug(template.title)),
            )
            for kind, template in STAGE_TEMPLATES.items()
        ],
        workflows=[
            WorkflowTemplateModel(
                name=template.name,
                title=template.title,
                description=template.description,
                types=[stage.type for stage in template.stages],
            )
            for template in WORKFLOW_TEMPLATES.values()
        ],
    )


class WorkingCopies:
    """Projects in the server's files."""

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths

    def make(self, wanted: NewProjectRequest) -> NewProjectModel:
        """Make a project; nothing is overwritten."""
        template = WORKFLOW_TEMPLATES.get(wanted.template)
        if template is None:
            raise Problem(
                422,
                "no-such-template",
                f"there is no template {wanted.template!r}",
                errors=[("template", "There is no such template")],
                choices=list(WORKFLOW_TEMPLATES),
            )
        title = wanted.title.strip()
        if not title:
            raise Problem(422, "invalid-request", "1 field is not right", errors=[("title", "It is empty")])
        parent = self._paths.folder(wanted.folder)
        name = slug(title, "workflow")[:100].strip("-")
        for number in range(1, _MOST):
            numbered = name if number == 1 else f"{name}-{number}"
            folder = parent / numbered if wanted.own_folder else parent
            try:
                if wanted.own_folder:
                    folder.mkdir()
                elif (parent / f"{numbered}{SUFFIX}").exists():
                    continue
                files = write_project(folder, new_project(template, numbered, title))
            except FileExistsError:
                continue
            except ProjectExists as error:
                raise Problem(
                    409,
                    "file-exists",
                    f"{self._paths.name_of(error.files[0])} exists already",
                    "Choose another folder; nothing was written",
                ) from error
            except OSError as error:
                raise Problem(
                    409,
                    "file-error",
                    f"the project could not be written: {error.strerror or error}",
                    errors=[("folder", "It cannot be written to")],
                ) from error
            names = [self._paths.name_of(file) for file in files]
            return NewProjectModel(path=names[0], folder=self._paths.name_of(folder), files=names)
        raise Problem(409, "file-exists", f"there are too many folders named {name}", "Choose another title")

    def find(self, path: str) -> ProjectList:
        """Return the workflows in whose projects a file lies, the nearest first."""
        at = self._paths.existing(path)
        root = self._paths.existing("")
        folder = at if at.is_dir() else at.parent
        found = []
        while True:
            for file in sorted(folder.glob(f"*{SUFFIX}")):
                document = _read(file)
                if document is not None:
                    found.append(self._model(file, document))
            if folder == root or root not in folder.parents:
                return ProjectList(projects=found)
            folder = folder.parent

    def requirements(self, file: Path) -> RequirementsModel:
        """Say what a project's requirements.txt lacks."""
        project = Project.open(file)
        missing: set[str] = set()
        for finding in check(project.document, project):
            if finding.code == "package-not-required" and (found := _PACKAGE.fullmatch(finding.mend)):
                missing.add(found[1])
            elif finding.code == "no-requirements" and (found := _PACKAGES.fullmatch(finding.mend)):
                missing |= set(found[1].split(", "))
        there = file.parent / REQUIREMENTS
        try:
            text = there.read_text("utf-8-sig")
            exists = True
        except FileNotFoundError:
            text, exists = "", False
            missing.add("jupyter_workflows")
        except (OSError, UnicodeDecodeError) as error:
            raise Problem(409, "file-error", f"{REQUIREMENTS} cannot be read: {error}") from error
        if text and not text.endswith("\n"):
            text += "\n"
        return RequirementsModel(
            path=self._paths.name_of(there),
            exists=exists,
            missing=sorted(missing),
            text=text + "".join(f"{name}\n" for name in sorted(missing)),
        )

    def _model(self, file: Path, document: Document) -> ProjectModel:
        folder = self._paths.name_of(file.parent)
        return ProjectModel(
            path=self._paths.name_of(file),
            uid=document.uid,
            title=document.title,
            stages=[
                StageOfProject(
                    key=key,
                    path=stage.path,
                    title=stage.title,
                    type=stage.type,
                    notebook=posixpath.normpath(posixpath.join(folder, stage.notebook)),
                )
                for key, stage in sorted(document.stages.items())
                if stage.notebook
            ],
        )


def compare_copy(store: Store, file: Path, wanted: CompareRequest, address: HookAddress) -> ComparisonModel:
    """Say how a working copy stands beside what is live."""
    if wanted.document is None:
        project = Project.open(file)
    else:
        content = wanted.document.encode()
        project = Project(file.resolve(), content, load(content, path=file))
    found = compare(store, project)
    workflow = None
    jobs = []
    if found.workflow is not None:
        workflow = WorkflowsManager(store).show(found.workflow.uid, address)
        if not found.workflow.paused:
            jobs = [
                NextTime(stage=job.stage, next_due=job.next_due)
                for job in store.schedules_of(found.workflow.uid)
            ]
    return ComparisonModel(
        status=found.status,
        workflow=workflow,
        live=None if found.live is None else DeploymentModel.of(found.live),
        differences=[
            DifferenceModel(kind=one.kind, name=one.name, done=one.done, stage=one.stage)
            for one in found.differences
        ],
        stages=dict(found.stages),
        jobs=jobs,
    )


def _read(file: Path) -> Document | None:
    """Return a workflow's document; `None` if it cannot be read."""
    try:
        status = file.stat()
        return _load(str(file), status.st_mtime_ns, status.st_size)
    except (OSError, DocumentError):
        return None


@lru_cache(maxsize=128)
def _load(file: str, mtime: int, size: int) -> Document:
    """Read a document, once as long as its file is the same."""
    return load(Path(file).read_bytes())
