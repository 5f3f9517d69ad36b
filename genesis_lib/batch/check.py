"""Judge one environment at once, without notebooks and without a report."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from genesis_lib.actions.probe import post_synthetic_alert
from genesis_lib.batch.embedded import embedded_stack
from genesis_lib.checks.registry import CHECKS
from genesis_lib.errors import ParameterError
from genesis_lib.model import Finding
from genesis_lib.params import load_environment
from genesis_lib.readiness.decision import Call, call_of
from genesis_lib.report import machine
from genesis_lib.runbook import Runbook, begin, check

__all__ = ["Checked", "run_checks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found, and what it calls for: by the findings alone where only some checks were asked for, else by the score too.

    `json` is the same for machines; it lies in the run's folder as `findings.json`.
    """

    book: Runbook
    findings: tuple[Finding, ...]
    call: Call
    json: str


def run_checks(
    name: str, *, only: Sequence[str], root: Path, as_of: str, probe: bool, progress: Callable[[str], None]
) -> Checked:
    """Judge an environment by the checks named in `only`, or by all that policy lists.

    The run is kept beside others, marked interactive; it never becomes `latest`. `probe` posts the environment's synthetic alert.

    Raises:
        GenesisError: it could not run.

    """
    unknown = [check_name for check_name in only if check_name not in CHECKS]
    if unknown:
        raise ParameterError(f"--only {unknown[0]}: no such check; known are {', '.join(CHECKS)}")
    environment = load_environment(name, root=root)
    check(environment, root=root)
    if probe and environment.probes.synthetic_alert is None:
        raise ParameterError(f"--probe: {environment.name} names no probes.synthetic_alert in its parameters")
    with ExitStack() as cleanup:
        embedded = embedded_stack(environment, cleanup, root=root, progress=progress)
        book = begin(environment, root=root, as_of=as_of, interactive=True, embedded=embedded)
        cleanup.callback(book.run.close)
        if probe:
            post_synthetic_alert(book.run, progress=progress)
        found = book.findings(*only) + (book.waiver_remarks(*only) if only else [])
        call = call_of(found) if only else book.judgement.decision.call
        written = machine.findings_to_json(environment.name, book.run.run_id, book.as_of, call.exit_code, found)
        (book.run.folder / "findings.json").write_text(written + "\n", encoding="utf-8")
    return Checked(book=book, findings=tuple(found), call=call, json=written)
