"""Read Prometheus rule files as they lie on disk, with an account of what is wrong in them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import promql_parser
import yaml

from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.run import Run
from genesis_lib.syntax import tree

__all__ = ["RuleFile", "RuleSpec", "all_rules", "expression_key", "gather", "read", "told_apart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    """One rule as its file states it. `for_s` is in seconds; `is_alert` tells alerts from recording rules.

    `subject` is its name, with what tells it apart where several rules have that name.
    """

    group: str
    subject: str
    name: str
    is_alert: bool
    expr: str
    for_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A rule file: its rules, or why they cannot be read."""

    name: str
    rules: tuple[RuleSpec, ...] | Missing
    evidence: str


def gather(run: Run) -> tuple[RuleFile, ...]:
    """Read every rule file that the environment names."""
    return run.once(
        "rule_files", lambda run: told_apart(tuple(_read(run, path) for path in run.environment.files.rules))
    )


def all_rules(files: Iterable[RuleFile]) -> list[RuleSpec]:
    """The rules of all files that could be read."""
    return [rule for file in files if not isinstance(file.rules, Missing) for rule in file.rules]


def read(content: bytes) -> tuple[RuleSpec, ...] | str:
    """The rules of a file, or what is wrong in it."""
    try:
        document = yaml.safe_load(content)
    except yaml.YAMLError as error:
        return f"is not YAML: {error}"
    groups = document.get("groups") if isinstance(document, dict) else None
    if not isinstance(groups, list) or not groups:
        return "has no `groups`"
    try:
        return tuple(_rule(group["name"], rule) for group in groups for rule in group.get("rules") or [])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"holds a group or rule that lacks a part or has one of a wrong kind: {error!r}"


def expression_key(text: str) -> str:
    """An expression in its normal spelling, so that two spellings of one question compare equal."""
    try:
        return str(tree(text).prettify())
    except ValueError:
        return text


def _read(run: Run, path: str) -> RuleFile:
    answer: Answer[bytes] | Missing = run.ask(lambda: run.evidence.file(run.environment.file(path), name=path))
    if isinstance(answer, Missing):
        return RuleFile(name=path, rules=answer, evidence=answer.evidence)
    found = read(answer.value)
    if isinstance(found, str):
        missing = Missing(cause=Cause.MALFORMED, detail=f"{path}: {found}", evidence=answer.evidence)
        return RuleFile(name=path, rules=missing, evidence=answer.evidence)
    return RuleFile(name=path, rules=found, evidence=answer.evidence)


def told_apart(files: tuple[RuleFile, ...]) -> tuple[RuleFile, ...]:
    """The same files, each rule with a subject of its own."""
    names = Counter(rule.name for rule in all_rules(files))
    taken: Counter[str] = Counter()

    def distinct(rule: RuleSpec) -> RuleSpec:
        severity = rule.labels.get("severity", "")
        subject = f"{rule.name} ({severity})" if names[rule.name] > 1 and severity else rule.name
        taken[subject] += 1
        return replace(rule, subject=subject if taken[subject] == 1 else f"{subject} #{taken[subject]}")

    return tuple(f if isinstance(f.rules, Missing) else replace(f, rules=tuple(map(distinct, f.rules))) for f in files)


def _rule(group: str, rule: Mapping[str, object]) -> RuleSpec:
    is_alert = "alert" in rule
    name = str(rule["alert"] if is_alert else rule["record"])
    return RuleSpec(
        group=group,
        subject=name,
        name=name,
        is_alert=is_alert,
        expr=str(rule["expr"]).strip(),
        for_s=_seconds(rule.get("for")),
        labels=_texts(rule.get("labels")),
        annotations=_texts(rule.get("annotations")),
    )


def _seconds(duration: object) -> float:
    """A rule's `for`; the parser knows no zero, Prometheus does."""
    text = str(duration or 0)
    return 0.0 if re.fullmatch(r"0(ms|[smhdwy])?", text) else promql_parser.parse_duration(text).total_seconds()


def _texts(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TypeError("labels and annotations are mappings")
    return {str(k): str(v) for k, v in value.items()}
