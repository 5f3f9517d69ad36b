"""Is what the tests left behind of the commit that is judged?"""

from dataclasses import dataclass

from genesis_lib.checks.vitals.troubles import Trouble, lost
from genesis_lib.model import Answer, Missing, Verdict
from genesis_lib.run import Run

__all__ = ["Commits", "gather", "trouble"]

_SHORTEST = 7  # characters by which a commit is commonly told from others
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """The commit that is judged, or empty; and the file that names the commit of tests and coverage: None where there is none."""

    judged: str
    of_artefacts: Answer[bytes] | Missing | None

    @property
    def evidence(self) -> str:
        """The exchange by which the file came."""
        return "" if self.of_artefacts is None else self.of_artefacts.evidence


def gather(run: Run) -> Commits:
    """Read the file, where a commit is judged and a file is named."""
    health = run.environment.health
    name = health.commit_of_artefacts
    if not health.commit or not name:
        return Commits(judged=health.commit, of_artefacts=None)
    content = run.ask(lambda: run.evidence.file(run.file(name), name=name))
    return Commits(judged=health.commit, of_artefacts=content)


def trouble(commits: Commits, what: str, *, own: str = "") -> Trouble | None:
    """What is wrong with the commit of `what`, which may name its `own`. None: it is the one judged, or nobody asks."""
    told, judged = commits.of_artefacts, commits.judged
    if not judged:
        return None
    if not own and isinstance(told, Missing):
        return lost(told, hint="have the build write its commit into that file")
    found = own or (told.value.decode(errors="replace").strip() if isinstance(told, Answer) else "")
    if not found:
        reason = f"nothing says of which commit {what} is"
        return Trouble(
            verdict=Verdict.UNKNOWN, reason=reason, hint="name a file that does as health.commit_of_artefacts"
        )
    if _is_same(found, judged):
        return None
    reason = f"{what} is of commit {found[:_SHOWN]}, and {judged[:_SHOWN]} is judged"
    return Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint="run the tests on the commit that is judged")


def _is_same(one: str, other: str) -> bool:
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return shorter == longer or (len(shorter) >= _SHORTEST and longer.startswith(shorter))
