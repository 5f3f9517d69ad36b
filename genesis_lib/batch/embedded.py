"""The embedded stack that a job stands on."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from genesis_lib.demo import stack
from genesis_lib.demo.stack import Stack
from genesis_lib.params import Environment

__all__ = ["embedded_stack"]


def embedded_stack(
    environment: Environment, cleanup: ExitStack, *, root: Path, progress: Callable[[str], None]
) -> Stack | None:
    """The environment's embedded stack: the one that is up, else one that ends with the job."""
    if environment.embedded is None:
        return None
    running = stack.find(environment.name, project=root)
    if running is None:
        progress(f"starting the embedded stack, scenario {environment.embedded.scenario}")
        running = cleanup.enter_context(
            stack.start(
                environment.embedded.scenario,
                environment=environment.name,
                project=root,
                tie_to_caller=True,
                progress=progress,
            )
        )
    return running
