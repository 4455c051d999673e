"""The kinds of steps, one module each."""

from workflows.steps.action import Action
from workflows.steps.base import StepType
from workflows.steps.condition import Condition
from workflows.steps.delay import Delay
from workflows.steps.fan_out import FanOut
from workflows.steps.http import Http
from workflows.steps.request import Request
from workflows.steps.response import Response
from workflows.steps.values import Values

TYPES: dict[str, StepType] = {
    kind.type: kind for kind in (Action(), Request(), Http(), Condition(), FanOut(), Delay(), Values(), Response())
}
