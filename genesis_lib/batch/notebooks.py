"""Execute notebooks by papermill, side by side, in worker processes that are warm before they are needed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from opentelemetry.trace import INVALID_SPAN, Span, StatusCode

from genesis_lib.errors import NotebookError
from genesis_lib.tracing import Carried, Trace

__all__ = ["Execution", "Workers"]

_START_TIMEOUT_S = 60
_EXECUTION_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What became of one notebook: where its executed copy lies, how long it took, and its error (empty: none)."""

    notebook: str
    output: Path
    took_s: float
    error: str


class Workers:
    """Two processes that execute notebooks. They import papermill as soon as they are made, while the caller does other things."""

    def __init__(self, count: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(count, mp_context=context, initializer=_leave_ctrl_c_to_the_caller)
        self._warm = [self._pool.submit(_warm_up) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            for worker in multiprocessing.active_children():  # kernels end with the worker that started them
                worker.terminate()
        self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def execute(
        self,
        notebooks: Mapping[Path, Path],
        parameters: Mapping[str, str],
        *,
        progress: Callable[[Execution], None],
        trace: Carried | None = None,
    ) -> list[Execution]:
        """Execute each notebook into its output file; `progress` is told as each ends, and `trace`, if there is one, goes on in it.

        Raises:
            NotebookError: a notebook does not have one of the parameters; nothing was executed.

        """
        for notebook in notebooks:
            _refuse_unknown(notebook, parameters)
        waiting: set[Future[Execution]] = {
            self._pool.submit(_execute, notebook, output, dict(parameters), trace)
            for notebook, output in notebooks.items()
        }
        done: list[Execution] = []
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                done.append(future.result())
                progress(done[-1])
        return sorted(done, key=lambda execution: execution.notebook)


def _refuse_unknown(notebook: Path, parameters: Mapping[str, str]) -> None:
    """Papermill only warns of a parameter that a notebook does not have."""
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise NotebookError(
            f"{notebook.name} has no parameter {', '.join(unknown)}; it has {', '.join(known) or 'none'}"
        )


def _leave_ctrl_c_to_the_caller() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _warm_up() -> None:
    import papermill  # noqa: F401 - importing it, which takes over a second, is the point


@contextmanager
def _traced(notebook: str, carried: Carried | None) -> Iterator[Span]:
    """A span around a notebook, which its kernel is told of."""
    if carried is None:
        yield INVALID_SPAN
        return
    with Trace.joined(carried) as trace, trace.step(notebook) as span:
        os.environ.update(trace.carried(carried.folder).variables)  # this process executes one notebook at a time
        yield span


def _execute(notebook: Path, output: Path, parameters: dict[str, str], trace: Carried | None) -> Execution:
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    started, error = time.perf_counter(), ""
    with _traced(notebook.stem, trace) as span:
        try:
            # The kernel is spoken to by sockets in a private folder; others on this machine could listen at TCP ports.
            with TemporaryDirectory(prefix="genesis-kernel-") as sockets:
                papermill.execute_notebook(
                    str(notebook),
                    str(output),
                    parameters=parameters,
                    kernel_name="python3",
                    progress_bar=False,
                    cwd=str(notebook.parent),
                    start_timeout=_START_TIMEOUT_S,
                    execution_timeout=_EXECUTION_TIMEOUT_S,
                    extra_arguments=["--log-level=CRITICAL"],  # how a kernel is ended is no error to report
                    config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"}),
                )
        except PapermillExecutionError as crash:
            error = f"cell {crash.exec_count}: {crash.ename}: {crash.evalue}"
        except Exception as crash:  # noqa: BLE001 - whatever a kernel dies of, the run goes on and says so
            error = f"{type(crash).__name__}: {crash}"
        if error:
            span.set_status(StatusCode.ERROR, error)
    return Execution(notebook=notebook.stem, output=output, took_s=time.perf_counter() - started, error=error)
