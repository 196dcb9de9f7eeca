"""What new workflows and stages begin with, for the commands and for the screen."""

from .projects import NewProject, ProjectExists, new_project, write_project
from .stages import STAGE_TEMPLATES, StageTemplate, notebook_value
from .workflows import WORKFLOW_TEMPLATES, WorkflowTemplate

__all__ = [
    "STAGE_TEMPLATES",
    "WORKFLOW_TEMPLATES",
    "NewProject",
    "ProjectExists",
    "StageTemplate",
    "WorkflowTemplate",
    "new_project",
    "notebook_value",
    "write_project",
]
