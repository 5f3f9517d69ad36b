"""Find what a finding follows from, where its check could not know it: a silent service, a query that is wrong whatever the data. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from genesis_lib.evidence import Exchange
from genesis_lib.model import Cause, Finding, Verdict
from genesis_lib.params import Service

__all__ = ["rooted"]

_GONE = (Cause.UNREACHABLE, Cause.TIMEOUT)


def rooted(
    findings: Sequence[Finding],
    judged_services: Sequence[Finding],
    *,
    services: Mapping[str, Service],
    find: Callable[[str], Exchange | None],
) -> list[Finding]:
    """The findings, each with what it follows from; `find` looks an exchange up by its id."""
    firsts: dict[str, str] = {}
    silent = {
        services[f.subject].source or f.subject: f.id
        for f in judged_services
        if f.check == "services.ready" and not f.verdict.is_good
    }

    def root(finding: Finding) -> str:
        if finding.because_of or finding.verdict is not Verdict.UNKNOWN or finding.id in silent.values():
            return finding.because_of
        failed = [e for i in finding.evidence if (e := find(i)) and e.error_cause]
        by_service = next((silent[e.source] for e in failed if e.source in silent), "")
        # Of a source that is no expected service, the first finding that misses it stands for the others.
        gone = next((e.source for e in failed if e.error_cause in _GONE), "")
        first = by_service or (firsts.setdefault(gone, finding.id) if gone else "")
        return "" if first == finding.id else first

    # What a query does wrongly whatever the data is why it shows nothing.
    unsound = {f.subject: f.id for f in findings if f.check == "queries.sound" and f.verdict is Verdict.FAIL}
    prefixes = {"queries.answered": "", "dashboards.panel": "panel "}

    def unsound_root(f: Finding) -> str:
        if f.because_of or f.verdict is not Verdict.FAIL or f.check not in prefixes:
            return root(f)
        return unsound.get(prefixes[f.check] + f.subject, "")

    return [replace(f, because_of=unsound_root(f)) for f in findings]
