"""Are the files that the environment names there, valid, and what the servers run?"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks.ask import promql, rule_files
from genesis_lib.checks.ask.promql import Unparsable
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.checks.config import config_files, running
from genesis_lib.checks.config.running import RunningFacts
from genesis_lib.demo import binaries
from genesis_lib.evidence import Exchange, Outcome
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "ConfigurationFacts", "FileFact", "gather", "judge"]

NAME = "configuration"
CLAIMS = ("configuration.exists", "configuration.valid", running.CLAIM)

# How the servers' own programs check a file of each kind. Files that a configuration names in turn lie where the server is, not here.
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "prometheus_config": ("promtool", "check", "config", "--syntax-only"),
    "rules": ("promtool", "check", "rules"),
    "alertmanager_config": ("amtool", "check-config"),
}
_REJECTED = 1
# What they print around their messages.
_FRAME = re.compile(
    r"^Checking .*?(?=FAILED|SUCCESS|$)|^SUCCESS.*|FAILED:|^amtool: error: failed to validate.*|parsing YAML file "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """One named file: its key in `files`, its content, and exit code and output of the program that checked it (None: none is on hand)."""

    kind: str
    name: str
    content: Answer[bytes] | Missing
    checked: Answer[tuple[int, str]] | Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationFacts:
    """The files that the environment names, and what the servers run."""

    files: tuple[FileFact, ...]
    running: RunningFacts


def gather(run: Run) -> ConfigurationFacts:
    """Read every named file, have it checked, and ask the servers what they run."""
    named = {name: key.partition(".")[0] for key, name in run.environment.files.named()}
    contents = {name: _read(run, name) for name in named}
    commands = {
        name: _check(run, name, _COMMANDS[kind])
        for name, kind in named.items()
        if kind in _COMMANDS and isinstance(contents[name], Answer) and _is_on_hand(run, _COMMANDS[kind][0])
    }
    checked = run.ask_all(commands)
    return ConfigurationFacts(
        files=tuple(
            FileFact(kind=kind, name=name, content=contents[name], checked=checked.get(name))
            for name, kind in named.items()
        ),
        running=running.gather(run),
    )


def judge(facts: ConfigurationFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """For each file `configuration.exists`, `.valid` where it can be checked, `.running` where a server could run it."""
    del at  # files and configurations have no age
    found: list[Finding] = []
    for file in facts.files:
        runs = running.judge_file(file.kind, file.name, file.content, facts.running, policy)
        found.append(_judge_exists(file, policy))
        if file.kind in _OWN_READING:
            found.append(_judge_valid(file, runs, policy))
        if runs is not None:
            found.append(runs)
    rules = {file.name: file.content for file in facts.files if file.kind == "rules"}
    others = running.judge_other_rules(rules, facts.running, policy)
    return found if others is None else [*found, others]


def _judge_exists(file: FileFact, policy: Policy) -> Finding:
    claim, expected = "configuration.exists", "a file that can be read"
    content = file.content
    if isinstance(content, Missing):
        if content.cause is not Cause.UNREADABLE:
            return cannot_tell(policy, claim, file.name, content, expected=expected)
        observed, reason = "cannot be read", content.detail
    else:
        observed = f"{len(content.value.splitlines())} lines" if content.value else "empty"
        reason = f"{file.name} {'is there and can be read' if content.value else 'is empty'}"
    good = isinstance(content, Answer) and bool(content.value)
    return finding(
        policy,
        claim,
        file.name,
        Verdict.PASS if good else Verdict.FAIL,
        observed=observed,
        expected=expected,
        reason=reason,
        hint="" if good else "put the file there, or correct `files` in the environment's file",
        evidence=proof(content),
    )


def _judge_valid(file: FileFact, runs: Finding | None, policy: Policy) -> Finding:
    claim, expected = "configuration.valid", "a valid file"
    if isinstance(file.content, Missing):
        cause = identify("configuration.exists", file.name)
        return cannot_tell(policy, claim, file.name, file.content, expected=expected, because_of=cause)
    reading = _reading(file, file.content.value)
    if isinstance(reading, Missing):
        hint = "run the command by hand; perhaps the program is too old, or cannot be started"
        return cannot_tell(policy, claim, file.name, reading, expected=expected, hint=hint)
    verdict, observed, hint = Verdict.PASS, "valid", ""
    reason = f"{reading.by} accepts {file.name}"
    if reading.wrong:
        verdict, observed = Verdict.FAIL, "not valid"
        reason, hint = f"{reading.by} rejects {file.name}: {reading.wrong}", "correct the file"
        if runs is not None and runs.verdict is Verdict.PASS:
            verdict, observed = Verdict.WARN, "rejected, yet running"
            reason += "; yet the server has loaded it, so this reader may be older than the server"
            hint = "install the programs of the server's own version here, or correct the file"
    elif reading.remark:
        verdict, observed, hint = Verdict.WARN, "valid, with a remark", "correct the file"
        reason = f"{reading.by} accepts {file.name}, and remarks: {reading.remark}"
    return finding(
        policy,
        claim,
        file.name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(file.content, *([file.checked] if file.checked else [])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Who read a file, what is wrong in it, and what is only remarked."""

    by: str
    wrong: str = ""
    remark: str = ""


def _reading(file: FileFact, content: bytes) -> _Reading | Missing:
    program = _COMMANDS.get(file.kind, ("",))[0]
    if file.checked is None:
        by = "Genesis's own parser" + (f" ({program} is not on hand)" if program else "")
        return _Reading(by=by, wrong="; ".join(_OWN_READING[file.kind](content)))
    if isinstance(file.checked, Missing):
        return file.checked
    status, output = file.checked.value
    message = _message(output, file.name)
    if status not in (0, _REJECTED) or "try --help" in output:
        detail = f"{program} could not check {file.name} (exit code {status}): {message}"
        return Missing(cause=Cause.UNREADABLE, detail=detail, evidence=file.checked.evidence)
    if status == _REJECTED:
        return _Reading(by=program, wrong=message)
    return _Reading(by=program, remark=message if "lint error" in message else "")


def _message(output: str, name: str) -> str:
    """What promtool or amtool has to say, without the frame around it."""
    lines = (_FRAME.sub("", line.strip()).strip().removeprefix(f"{name}: ") for line in output.splitlines())
    return "; ".join(dict.fromkeys(line for line in lines if line))


def _wrong_rules(content: bytes) -> list[str]:
    rules = rule_files.read(content)
    if isinstance(rules, str):
        return [rules]
    parsed = [(rule, promql.parse(rule.expr)) for rule in rules]
    return [f"group {r.group}, rule {r.name}: {p.reason}" for r, p in parsed if isinstance(p, Unparsable)]


def _wrong_dashboard(content: bytes) -> list[str]:
    try:
        document = json.loads(content)
    except ValueError as error:
        return [f"is not JSON: {error}"]
    if isinstance(document, dict) and isinstance(document.get("dashboard"), dict):
        document = document["dashboard"]  # as Grafana's API exports it
    has_panels = isinstance(document, dict) and any(document.get(key) for key in ("panels", "rows"))
    return [] if has_panels else ["has no `panels`"]


_OWN_READING: Mapping[str, Callable[[bytes], list[str]]] = {
    "prometheus_config": config_files.prometheus,
    "rules": _wrong_rules,
    "alertmanager_config": config_files.alertmanager,
    "dashboards": _wrong_dashboard,
}


def _read(run: Run, name: str) -> Answer[bytes] | Missing:
    return run.ask(lambda: run.evidence.file(run.environment.file(name), name=name))


def _is_on_hand(run: Run, program: str) -> bool:
    """Whether a program is here, or was when the run was recorded."""

    def perform() -> Outcome:
        body = b"yes" if binaries.on_hand(program) else b"no"
        return Outcome(status=0, media_type="text/plain", body=body)

    question = f"is {program} on this machine?"
    found = run.ask(lambda: _fact(run.evidence.ask(kind="fact", source="local", question=question, perform=perform)))
    return isinstance(found, Answer) and found.value == b"yes"


def _fact(recorded: tuple[Exchange, bytes]) -> Answer[bytes]:
    exchange, body = recorded
    return Answer(value=body, evidence=exchange.id, asked_at=exchange.asked_at)


def _check(run: Run, name: str, command: tuple[str, ...]) -> Callable[[], Answer[tuple[int, str]]]:
    program = str(binaries.on_hand(command[0]) or command[0])
    argv = [program, *command[1:], name]
    # In the folder that names are relative to, so that the program names a file as the environment does.
    folder = run.environment.file(".").resolve()
    return lambda: run.evidence.command(argv, name=" ".join((*command, name)), cwd=folder)
