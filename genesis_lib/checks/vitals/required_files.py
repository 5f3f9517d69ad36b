"""Is every file that the service needs there, and can each be parsed?"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from genesis_lib.checks.claims import proof
from genesis_lib.checks.vitals import parsing
from genesis_lib.checks.vitals.troubles import Trouble, conclude, lost, named, not_named
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Outcome
from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run
from genesis_lib.slo.asking import changed

__all__ = ["CLAIM", "FileFact", "Files", "gather", "judge"]

CLAIM = "health.files"
_SUBJECT = "required files"
_EXPECTED = "each is there, is not empty, and can be parsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """What was seen of a file: `language` is empty where its suffix tells none, `problem` where nothing is wrong.

    The file itself is not recorded, only its digest: it may hold credentials, and with these masked it could not be parsed.
    """

    size: int
    digest: str
    language: str
    problem: str


Files = dict[str, Answer[FileFact] | Missing]


def gather(run: Run) -> Files:
    """Parse each file, by the name that the environment gives it."""
    return {name: _seen(run, name) for name in run.environment.health.files}


def judge(facts: Files, policy: Policy) -> Finding:
    """One finding for all files."""
    if not facts:
        return not_named(policy, CLAIM, _SUBJECT, CLAIM, expected=_EXPECTED)
    troubles: list[Trouble] = []
    unparsed: list[str] = []
    for name, seen in facts.items():
        if isinstance(seen, Missing):
            troubles.append(lost(seen, hint="let Genesis read it"))
        elif seen.value.problem:
            hint = "put it there, and mend it, or correct health.files"
            troubles.append(Trouble(verdict=Verdict.FAIL, reason=f"{name}: {seen.value.problem}", hint=hint))
        elif not seen.value.language:
            unparsed.append(name)
    good = f"{len(facts)} {'file is' if len(facts) == 1 else 'files are'} there and can be parsed"
    if unparsed:
        good += f", but for {named(unparsed)}, whose suffix does not say what to parse: there, and not empty"
    return conclude(
        policy,
        CLAIM,
        _SUBJECT,
        troubles,
        observed=f"{len(facts) - len(troubles)} of {len(facts)} in order",
        expected=_EXPECTED,
        good=good,
        evidence=proof(*facts.values()),
    )


def _seen(run: Run, name: str) -> Answer[FileFact] | Missing:
    def perform() -> Outcome:
        try:
            fact = _look(run.file(name), name)
        except OSError as error:
            raise SourceError(Cause.UNREADABLE, f"{name}: {error.strerror}") from error
        return Outcome(status=0, media_type="application/json", body=json.dumps(asdict(fact)).encode())

    def ask() -> Answer[bytes]:
        exchange, body = run.evidence.ask(kind="file", source="parser", question=name, perform=perform)
        return Answer(value=body, evidence=exchange.id, asked_at=exchange.asked_at)

    answer = run.ask_now(ask)
    return answer if isinstance(answer, Missing) else changed(answer, FileFact(**json.loads(answer.value)))


def _look(path: Path, name: str) -> FileFact:
    language, parse = parsing.parser(name) or ("", None)
    if not path.is_file():
        problem = "is no file" if path.exists() else "is not there"
        return FileFact(size=0, digest="", language=language, problem=problem)
    content = path.read_bytes()
    problem = "" if content.strip() else "is empty"
    if parse and not problem:
        try:
            parse(content)
        except ValueError as error:
            problem = f"is not {language} that can be parsed: {plain(shortened(str(error)))}"
    return FileFact(size=len(content), digest=hashlib.sha256(content).hexdigest(), language=language, problem=problem)
