"""Are all feature flags of policy there, in a file of the right form, and does an evaluation give each its safe value?"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genesis_lib.checks.claims import cannot_tell, proof
from genesis_lib.checks.vitals import flag_format, parsing
from genesis_lib.checks.vitals.program import last_line
from genesis_lib.checks.vitals.troubles import Trouble, conclude, lost, mend, named, not_named
from genesis_lib.formatting import plain
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIM", "FlagFacts", "gather", "judge"]

CLAIM = "health.flags"
_SUBJECT = "feature flags"
_EVALUATE = Path(__file__).with_name("flag_evaluation.py")
_WORDS = {True: "on", False: "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFacts:
    """The flag file, and exit code and output of the program that evaluated it; None where no file is named, or none could be read."""

    name: str
    content: Answer[bytes] | Missing | None
    evaluated: Answer[tuple[int, str]] | Missing | None


def gather(run: Run) -> FlagFacts | None:
    """Read the file, and have it evaluated in a process of its own. None: declared not to exist."""
    name = run.environment.health.flags
    if name is None:
        return None
    content = run.ask_now(lambda: run.evidence.file(run.file(name), name=name)) if name else None
    evaluated = _evaluate(run, name) if isinstance(content, Answer) else None
    return FlagFacts(name=name, content=content, evaluated=evaluated)


def judge(facts: FlagFacts, policy: Policy) -> Finding:
    """Form first: a file that no program may take alike is not evaluated further."""
    expected = f"{len(policy.flags)} flags, each with its safe value"
    if facts.content is None:
        return not_named(policy, CLAIM, _SUBJECT, CLAIM, expected=expected)
    if isinstance(facts.content, Missing):
        hint = mend(facts.content, "deploy the flag file, or correct health.flags")
        return cannot_tell(policy, CLAIM, _SUBJECT, facts.content, expected=expected, hint=hint)
    document, troubles = _read(facts.name, facts.content.value)
    flags = {} if troubles else document["flags"]
    wanted = {flag.name: flag.safe for flag in policy.flags}
    there = [name for name in wanted if name in flags]
    if not troubles:
        troubles += _of_names(wanted, flags)
        troubles += _of_values({name: wanted[name] for name in there}, facts.evaluated)
    return conclude(
        policy,
        CLAIM,
        _SUBJECT,
        troubles,
        observed=_observed(len(there), len(wanted), troubles) if document else "a file that cannot be taken",
        expected=expected,
        good=f"an evaluation of {facts.name} through OpenFeature gives each of the {len(wanted)} flags its safe value",
        evidence=proof(facts.content, *([facts.evaluated] if facts.evaluated else [])),
    )


def _observed(there: int, wanted: int, troubles: Sequence[Trouble]) -> str:
    is_safe = all(trouble.verdict.is_good for trouble in troubles)
    return f"{there} of {wanted} flags there, {'each' if is_safe else 'not each known to be'} safe"


def _evaluate(run: Run, name: str) -> Answer[tuple[int, str]] | Missing:
    flags = [flag.name for flag in run.policy.flags]
    argv = [sys.executable, "-I", str(_EVALUATE), str(run.file(name).absolute()), *flags]
    shown = " ".join(("python -I", _EVALUATE.name, name, *flags))
    return run.ask_now(lambda: run.evidence.command(argv, name=shown))


def _read(name: str, content: bytes) -> tuple[dict[str, Any], list[Trouble]]:
    """The document, empty where it cannot be used; and what is wrong with it."""
    # As the provider tells them apart.
    language, parse = ("YAML", parsing.yaml_document) if name.endswith(".yaml") else ("JSON", parsing.json_document)
    try:
        document = parse(content)
    except ValueError as error:
        reason = f"{name} is not {language} that every reader takes alike: {plain(str(error))}"
        return {}, [Trouble(verdict=Verdict.FAIL, reason=reason, hint="mend the file, and deploy it")]
    if wrong := flag_format.problems(document):
        reason = f"{name} is not in flagd's format: {named(wrong)}"
        return {}, [Trouble(verdict=Verdict.FAIL, reason=reason, hint="mend the file, and deploy it")]
    return dict(document) if isinstance(document, dict) else {}, []


def _of_names(wanted: Mapping[str, bool], flags: Mapping[str, Any]) -> Iterator[Trouble]:
    if lacks := [name for name in wanted if name not in flags]:
        hint = "add it, with its safe value, to the flag file"
        yield Trouble(verdict=Verdict.FAIL, reason=f"not in the flag file: {named(lacks)}", hint=hint)
    if strange := [plain(name) for name in flags if name not in wanted]:
        hint = "name it in the policy's flags.yaml, or remove it"
        yield Trouble(verdict=Verdict.WARN, reason=f"in the flag file, and not in policy: {named(strange)}", hint=hint)


def _of_values(wanted: Mapping[str, bool], evaluated: Answer[tuple[int, str]] | Missing | None) -> Iterator[Trouble]:
    told = last_line(evaluated, "the flags cannot be evaluated")
    if isinstance(told, Missing):
        yield lost(told, hint="run the command by hand")
        return
    if told["refused"]:
        reason = f"OpenFeature's provider does not take the file: {plain(told['refused'])}"
        yield Trouble(verdict=Verdict.FAIL, reason=reason, hint="mend the file, and deploy it")
        return
    of_code, unsafe = [], []
    for name, safe in wanted.items():
        result = told["flags"][name]
        if result["error"]:
            reason = f"{name} cannot be evaluated: {plain(result['error'])}"
            yield Trouble(verdict=Verdict.FAIL, reason=reason, hint="mend the flag's variants and targeting")
        elif result["variant"] is None:
            of_code.append(f"{name} ({result['reason'].lower()})")
        elif result["value"] is not safe:
            unsafe.append(f"{name} is {_WORDS[result['value']]}, and {_WORDS[safe]} is safe")
    if unsafe:
        hint = "set it back to its safe value; a rollout gives others by targeting, not to all"
        yield Trouble(verdict=Verdict.FAIL, reason=named(unsafe), hint=hint)
    if of_code:
        reason = (
            f"what these are is left to the default in the service's code, which is not known here: {named(of_code)}"
        )
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint="enable the flag, and give it a defaultVariant")
