"""Read a JUnit XML file, however large: how many tests passed, failed and were skipped, when, and of which commit."""

import hashlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler

from genesis_lib.clients.junit_types import Dated, Group, TestReport
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence, Outcome
from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Answer, Cause, Missing

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["Dated", "Group", "TestReport", "read"]

_CHUNK = 1 << 16
# A tag or a comment of more bytes, or suites nested deeper, would be held in memory as a whole; no test runner writes such.
_LONGEST_TAG, _DEEPEST = 1 << 22, 50
_LONGEST_NAME, _LONGEST_NUMBER = 200, 40
_MOST_GROUPS, _MOST_REMARKS, _MOST_REMEMBERED = 10_000, 5, 200_000
_FAILURES_SHOWN, _FAILURES_SHOWN_OF_GROUP = 10, 3
_SUITES = ("testsuite", "testsuites")
_OTHERS = "other groups"
_LONGEST_TEST_S = 30 * 86_400.0
_MEND = "run the tests again, with `pytest --junitxml=FILE`"


class _Run(Protocol):
    """What is needed of a run, which stands on a floor above."""

    @property
    def evidence(self) -> Evidence: ...

    def file(self, name: str) -> Path: ...


def read(run: _Run, name: str) -> Answer[TestReport] | Missing:
    """What the JUnit file says that the environment names `name`. Recorded is what was read, not the file: a replay needs none."""

    def perform() -> Outcome:
        report = _read(run.file(name), name)
        return Outcome(status=0, media_type="application/json", body=_adapter().dump_json(report))

    try:
        exchange, body = run.evidence.ask(kind="file", source="junit", question=name, perform=perform)
    except SourceError as error:
        return error.missing()
    return Answer(value=_adapter().validate_json(body), evidence=exchange.id, asked_at=exchange.asked_at)


@cache
def _adapter() -> "TypeAdapter[TestReport]":
    from pydantic import TypeAdapter

    return TypeAdapter(TestReport)


def _read(path: Path, name: str) -> TestReport:
    from defusedxml.common import DefusedXmlException
    from defusedxml.expatreader import create_parser

    reader, digest = _Reader(), hashlib.sha256()
    parser = create_parser(forbid_dtd=True)  # without a DTD there are no entities to expand
    parser.setContentHandler(reader)
    try:
        if path.exists() and not path.is_file():  # a pipe would never end
            raise SourceError(Cause.UNREADABLE, f"{name}: is no file; name the JUnit file that the tests write")
        with path.open("rb") as file:
            before = os.fstat(file.fileno())
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                parser.feed(chunk)
                reader.expect_progress(len(chunk))
            after = os.fstat(file.fileno())
        parser.close()
    except OSError as error:
        raise SourceError(Cause.UNREADABLE, f"{name}: {error.strerror}; {_MEND}, or correct its name") from error
    except SAXParseException as error:
        raise _malformed(name, error.getLineNumber(), f"is not XML: {error.getMessage()}") from error
    except DefusedXmlException as error:
        raise _malformed(name, parser.getLineNumber(), "declares a document type, which is refused") from error
    except (ValueError, LookupError) as error:  # ours, or of an encoding that is not to be had
        raise _malformed(name, parser.getLineNumber(), str(error)) from error
    if not after.st_size:
        raise _malformed(name, 1, "is empty")
    # One that was replaced meanwhile was read to its end as it was; one that is being written anew in its place was not.
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceError(Cause.UNREADABLE, f"{name}: was changed while it was read; open a new run")
    return reader.report(
        digest=digest.hexdigest(), size=after.st_size, modified_at=datetime.fromtimestamp(after.st_mtime, UTC)
    )


def _malformed(name: str, line: int | None, problem: str) -> SourceError:
    return SourceError(Cause.MALFORMED, f"{name}, line {line or 1}: {plain(shortened(problem))}; {_MEND}")


# How a test ended, as the elements in a case are named; the worst last. Plain text, for an enumeration is hashed slowly.
_PASSED, _SKIPPED, _FAILURE, _ERROR = _RESULTS = ("passed", "skipped", "failure", "error")
# Some runners (googletest) say only by an attribute of the case that it did not run.
_NOT_RUN = ("notrun", "disabled", "skipped", "suppressed")
_ATTRIBUTES = {"failures": _FAILURE, "errors": _ERROR, "skipped": _SKIPPED}


@dataclass(slots=True)
class _Tally:
    """Tests being counted, by how they ended."""

    results: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_RESULTS, 0))
    time_s: float = 0.0
    failures: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        return {
            "tests": sum(self.results.values()),
            "passed": self.results[_PASSED],
            "failed": self.results[_FAILURE],
            "errors": self.results[_ERROR],
            "skipped": self.results[_SKIPPED],
            "time_s": round(self.time_s, 6),
            "failures": tuple(self.failures),
        }


@dataclass(slots=True)
class _Suite:
    """A suite being read: the cases right in it, and those of its suites."""

    said: Mapping[str, str]
    own: _Tally = field(default_factory=_Tally)
    inner: _Tally = field(default_factory=_Tally)


@dataclass(slots=True)
class _Case:
    classname: str
    name: str
    result: str
    time_s: float


class _Reader(ContentHandler):
    """Counts while the parser reads, and keeps nothing that grows with the file beyond fixed bounds."""

    def __init__(self) -> None:
        super().__init__()
        self._suites: list[_Suite] = []
        self._case: _Case | None = None
        self._total = _Tally()
        self._groups: dict[str, _Tally] = {}
        self._newest: tuple[datetime, Dated] | None = None
        self._commits: dict[str, None] = {}
        self._seen: set[int] = set()
        self._remarks: list[str] = []
        self._unsaid = 0
        self._unread = 0

    def expect_progress(self, fed: int) -> None:
        """Refuse a tag of megabytes, after `fed` more bytes of the file."""
        self._unread += fed
        if self._unread > _LONGEST_TAG:
            raise ValueError(f"has a tag of more than {_LONGEST_TAG:,} bytes, which no test runner writes")

    def characters(self, content: str) -> None:
        """Output of tests, which is passed over."""
        del content
        self._unread = 0

    def startElement(self, name: str, attrs: Mapping[str, str]) -> None:  # type: ignore[override]  # noqa: N802 - SAX's name
        """Begin a suite or a case, or note how the case ended."""
        self._unread = 0
        if name == "testcase" and self._suites:
            result = _SKIPPED if attrs.get("status") in _NOT_RUN or attrs.get("result") in _NOT_RUN else _PASSED
            classname = attrs.get("classname") or self._suites[-1].said.get("name", "")
            self._case = _Case(classname, attrs.get("name", ""), result, self._seconds(attrs))
        elif name in _SUITES:
            if len(self._suites) == _DEEPEST:
                raise ValueError(f"has suites more than {_DEEPEST} deep in each other, which no test runner writes")
            self._suites.append(_Suite(said=attrs))
            self._note_time(attrs.get("timestamp", ""))
        elif not self._suites:
            raise ValueError(
                f"begins with <{name[:_LONGEST_NUMBER]}>, and a JUnit file with <testsuites> or <testsuite>"
            )
        elif self._case is not None and name in _RESULTS:
            self._case.result = max(self._case.result, name, key=_RESULTS.index)
        elif self._case is None and name == "property" and attrs.get("name") == "commit" and len(self._commits) <= 1:
            self._commits[_short(attrs.get("value", ""))] = None

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's name
        """Count the case, or compare what a suite says of itself with what stood in it."""
        self._unread = 0
        if name == "testcase" and self._case is not None:
            self._count(self._case)
            self._case = None
        elif name in _SUITES:
            suite = self._suites.pop()
            self._compare(suite)
            if self._suites:
                outer = self._suites[-1].inner.results
                for result in _RESULTS:
                    outer[result] += suite.own.results[result] + suite.inner.results[result]

    def report(self, *, digest: str, size: int, modified_at: datetime) -> TestReport:
        """What was counted."""
        at, dated = self._newest or (modified_at, Dated.FILE)
        if len(self._commits) > 1:
            self._remark(f"its suites are of several commits: {', '.join(self._commits)}")
        more = [f"and {self._unsaid:,} more remarks"] if self._unsaid else []
        return TestReport(
            **self._total.facts(),
            at=at,
            dated=dated,
            commit=next(iter(self._commits), ""),
            groups=tuple(Group(name=name, **tally.facts()) for name, tally in self._groups.items()),
            remarks=(*self._remarks, *more),
            digest=digest,
            size=size,
            modified_at=modified_at,
        )

    def _count(self, case: _Case) -> None:
        name = _short(case.classname[case.classname.rfind(".") + 1 :])
        group = self._groups.get(name) or self._new_group(name)
        for tally, most in ((self._total, _FAILURES_SHOWN), (group, _FAILURES_SHOWN_OF_GROUP)):
            tally.results[case.result] += 1
            tally.time_s += case.time_s
            if case.result in (_FAILURE, _ERROR) and len(tally.failures) < most:
                tally.failures.append(f"{name}::{_short(case.name)}")
        self._suites[-1].own.results[case.result] += 1
        key = hash((case.classname, case.name))
        if key in self._seen:
            self._remark(f"{name}::{_short(case.name)} is there more than once, and counted each time")
        elif len(self._seen) < _MOST_REMEMBERED:
            self._seen.add(key)

    def _new_group(self, name: str) -> _Tally:
        if len(self._groups) >= _MOST_GROUPS:
            self._remark(f"it has more than {_MOST_GROUPS:,} groups; {name} is counted among {_OTHERS}")
            name = _OTHERS
        return self._groups.setdefault(name, _Tally())

    def _compare(self, suite: _Suite) -> None:
        own, inner = suite.own.results, suite.inner.results
        for attribute in ("tests", *_ATTRIBUTES):
            said = suite.said.get(attribute)
            results = (_ATTRIBUTES[attribute],) if attribute in _ATTRIBUTES else _RESULTS
            right_in_it = sum(own[result] for result in results)
            # Runners differ in whether a suite counts those of the suites in it.
            counts = (right_in_it + sum(inner[result] for result in results), right_in_it)
            if said is not None and said.strip() not in map(str, counts):
                name, told = _short(suite.said.get("name", "")), shortened(said, _LONGEST_NUMBER)
                self._remark(f"the suite {name or 'without a name'} says {attribute}={told}, and it is {counts[0]:,}")

    def _note_time(self, text: str) -> None:
        if not text:
            return
        try:
            said = datetime.fromisoformat(text.strip())
            at = said.astimezone(
                UTC
            )  # without a zone it is read as local time, which pytest wrote before it wrote zones
        except (ValueError, OverflowError, OSError):
            self._remark(f"the timestamp {shortened(text, _LONGEST_NUMBER)} is no time")
            return
        if self._newest is None or at > self._newest[0]:
            self._newest = at, Dated.LOCAL if said.tzinfo is None else Dated.SUITE

    def _seconds(self, attrs: Mapping[str, str]) -> float:
        text = attrs.get("time", "0")
        try:
            seconds = float(text.replace(",", ""))  # surefire writes 1,234.5
        except ValueError:
            seconds = math.nan
        if 0 <= seconds <= _LONGEST_TEST_S:
            return seconds
        told = f"{_short(attrs.get('name', ''))} says that it took {shortened(text, _LONGEST_NUMBER)} s"
        self._remark(f"{told}, which cannot be and counts as 0")
        return 0.0

    def _remark(self, text: str) -> None:
        if len(self._remarks) < _MOST_REMARKS:
            self._remarks.append(text)
        else:
            self._unsaid += 1


def _short(name: str) -> str:
    return shortened(name, _LONGEST_NAME)
