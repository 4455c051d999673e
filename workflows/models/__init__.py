from workflows.models.alert import AlertRule
from workflows.models.run import Run, StepRun
from workflows.models.workflow import Enablement, ProjectSecret, Workflow, WorkflowVersion

__all__ = ["AlertRule", "Enablement", "ProjectSecret", "Run", "StepRun", "Workflow", "WorkflowVersion"]
