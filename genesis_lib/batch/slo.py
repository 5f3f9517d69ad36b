"""Judge an environment's objectives at once, without notebooks; and write its objectives as rules for Prometheus."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from genesis_lib.batch.embedded import embedded_stack
from genesis_lib.model import Finding
from genesis_lib.params import load_environment
from genesis_lib.readiness.decision import Call, call_of
from genesis_lib.report import slo_json
from genesis_lib.runbook import Runbook, begin, check
from genesis_lib.slo.rules import rules_file
from genesis_lib.slo.status import Status

__all__ = ["SloResult", "judge_objectives", "write_rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SloResult:
    """The objectives' status, the findings about them, and what they call for; `json` lies in the run's folder as `slo.json`."""

    book: Runbook
    statuses: tuple[Status, ...]
    findings: tuple[Finding, ...]
    call: Call
    json: str


def judge_objectives(name: str, *, root: Path, as_of: str, progress: Callable[[str], None]) -> SloResult:
    """Judge the objectives of an environment. The run is kept beside others, marked interactive; it never becomes `latest`.

    Raises:
        GenesisError: it could not run.

    """
    environment = load_environment(name, root=root)
    check(environment, root=root)
    with ExitStack() as cleanup:
        embedded = embedded_stack(environment, cleanup, root=root, progress=progress)
        book = begin(environment, root=root, as_of=as_of, interactive=True, embedded=embedded)
        cleanup.callback(book.run.close)
        found = book.findings("slos") + book.waiver_remarks("slos")
        statuses, call = book.objectives(), call_of(found)
        written = slo_json.to_json(
            statuses,
            found,
            environment=environment.name,
            run_id=book.run.run_id,
            as_of=book.as_of,
            exit_code=call.exit_code,
            not_applicable=book.slos.not_applicable,
            requests=book.slos.requests,
        )
        (book.run.folder / "slo.json").write_text(written + "\n", encoding="utf-8")
    return SloResult(book=book, statuses=statuses, findings=tuple(found), call=call, json=written)


def write_rules(name: str, *, root: Path) -> str:
    """The rule file of an environment's objectives, as YAML; no server is asked.

    Raises:
        GenesisError: the parameters or the policy are wrong.

    """
    environment = load_environment(name, root=root)
    policy = check(environment, root=root)
    objectives = policy.slos.in_environment(environment.slos, shown_as=environment.path)
    wanted = [one for one in objectives if not one.not_applicable]
    return rules_file(wanted, policy.slos, edges={}, scope=environment.scope, environment=environment.name)
