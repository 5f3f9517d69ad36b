"""Has the Python that runs the service the packages of its lock file? Judged only of an interpreter that is proven to be the service's."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from genesis_lib.artefacts import Interpreter
from genesis_lib.checks.claims import proof
from genesis_lib.checks.vitals.lock_file import pins
from genesis_lib.checks.vitals.program import last_line
from genesis_lib.checks.vitals.troubles import Trouble, conclude, lost, named, not_named
from genesis_lib.formatting import plain
from genesis_lib.model import Answer, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIM", "PythonFacts", "gather", "judge"]

CLAIM = "health.python"
_SUBJECT = "Python environment"
_OWN = "own"
_SCRIPT = Path(__file__).with_name("installed.py")
_PATH, _VERSION = (
    "process_executable_path",
    "process_runtime_version",
)  # as OpenTelemetry names what it knows of the process


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonFacts:
    """What the named interpreter says of itself, what is locked, and by which interpreters the service says that it runs."""

    declared: Interpreter
    told: Answer[tuple[int, str]] | Missing
    lock: Answer[bytes] | Missing
    service: Answer[tuple[Sample, ...]] | Missing


def gather(run: Run) -> PythonFacts | str | None:
    """Run the interpreter that the environment names, never one that a metric names. Empty: not named; None: declared not to exist."""
    declared = run.environment.health.python
    if not isinstance(declared, Interpreter):
        return declared
    own = declared.interpreter == _OWN
    # Not resolved: a virtual environment's interpreter is a link, and it is the link's place that makes it one.
    program = sys.executable if own else os.path.abspath(run.file(declared.interpreter))  # noqa: PTH100
    argv = [program, "-I", str(_SCRIPT), *declared.packages]
    shown = " ".join(("python" if own else declared.interpreter, "-I", _SCRIPT.name, *declared.packages))
    return PythonFacts(
        declared=declared,
        told=run.ask_now(lambda: run.evidence.command(argv, name=shown)),
        lock=run.ask_now(lambda: run.evidence.file(run.file(declared.lock), name=declared.lock)),
        service=run.ask(lambda: run.prometheus.query(f"target_info{{job={json.dumps(declared.job)}}}", at=run.as_of)),
    )


def judge(facts: PythonFacts | str, policy: Policy, *, down: Mapping[str, str]) -> Finding:
    """`down` has, for each job that is down, the finding that says so."""
    expected = "the service's own interpreter, with the packages of its lock file"
    if isinstance(facts, str):
        return not_named(policy, CLAIM, _SUBJECT, CLAIM, expected=expected)
    troubles: list[Trouble] = []
    observed = "no data"
    told = last_line(facts.told, f"the interpreter {facts.declared.interpreter} could not be asked")
    if isinstance(told, Missing):
        observed = f"no data ({told.cause})"
        troubles.append(lost(told, hint="correct health.python.interpreter"))
    else:
        have = [f"{name} {version or 'missing'}" for name, version in told["packages"].items()]
        observed = plain(", ".join([f"Python {told['markers']['python_full_version']}", *have]))
        others = list(_of_service(told, facts, down))
        # A package that another interpreter lacks is no failure of the service's.
        verdict = Verdict.UNKNOWN if any(t.verdict is Verdict.UNKNOWN for t in others) else Verdict.FAIL
        troubles += [*others, *_of_packages(told, facts, verdict)]
    return conclude(
        policy,
        CLAIM,
        _SUBJECT,
        troubles,
        observed=observed,
        expected=expected,
        good=f"{facts.declared.job} runs by it, and each of {len(facts.declared.packages)} packages is of the locked version",
        evidence=proof(facts.told, facts.lock, facts.service),
    )


def _of_service(told: Mapping[str, Any], facts: PythonFacts, down: Mapping[str, str]) -> Iterator[Trouble]:
    """By the interpreter's folder: in it lie all names of one and the same interpreter."""
    job, service = facts.declared.job, facts.service
    if isinstance(service, Missing):
        yield lost(service, hint="mend the source, then open a new run", because_of=down.get(job, ""))
        return
    if job in down:
        reason = f"{job} is not known to be up, so by which interpreter it runs is not told"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=f"start {job}", because_of=down[job])
        return
    runs = [(s.labels.get(_PATH, ""), s.labels.get(_VERSION, "")) for s in service.value]
    if not runs or not all(path and version for path, version in runs):
        reason = f"by which interpreter {job} runs is not known: it exposes no target_info with {_PATH} and {_VERSION}"
        hint = "have its telemetry tell them, by OpenTelemetry's ProcessResourceDetector"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=hint)
        return
    mine, version = os.path.normpath(told["executable"]), told["markers"]["python_full_version"]
    if others := sorted({path for path, _ in runs if _folder(path) != _folder(mine)}):
        reason = f"{plain(mine)} is another interpreter than the service's, which is {plain(named(others))}"
        hint = "name that one as health.python.interpreter; it must be on this machine"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=hint)
    elif olds := sorted({its for _, its in runs if its != version}):
        reason = f"{job} still runs Python {plain(named(olds))}, and its interpreter is now {version}"
        yield Trouble(verdict=Verdict.FAIL, reason=reason, hint="restart the service")


def _of_packages(told: Mapping[str, Any], facts: PythonFacts, verdict: Verdict) -> Iterator[Trouble]:
    if isinstance(facts.lock, Missing):
        yield lost(facts.lock, hint="correct health.python.lock")
        return
    locked = pins(facts.lock.value.decode(errors="replace"), told["markers"])
    unlocked = [name for name in facts.declared.packages if canonicalize_name(name) not in locked]
    if unlocked:
        reason = f"{facts.declared.lock} pins no version of {named(unlocked)}"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint="lock it, or correct health.python.packages")
    for name in facts.declared.packages:
        wanted, version = locked.get(canonicalize_name(name)), told["packages"][name]
        if wanted is not None and not (version and wanted.contains(version, prereleases=True)):
            there = f"{name} is {plain(version)}" if version else f"{name} is not installed"
            reason = f"{there}, and {facts.declared.lock} wants {wanted}"
            hint = (
                "install what is locked" if verdict is Verdict.FAIL else ""
            )  # not into an interpreter that is none of the service's
            yield Trouble(verdict=verdict, reason=reason, hint=hint)


def _folder(executable: str) -> str:
    return os.path.dirname(os.path.normpath(executable))  # noqa: PTH120 - as text: it may be of another machine
