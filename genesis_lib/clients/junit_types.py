"""What a JUnit XML file tells of a run of tests, as frozen facts."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Dated", "Group", "TestReport"]


class Dated(StrEnum):
    """By what a report is dated."""

    SUITE = "the newest suite's timestamp"
    LOCAL = "the newest suite's timestamp, which names no time zone and is read as this machine's"
    FILE = "the file's modification time, as no suite has a timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The tests of one class, or of one module where they have no class; `failures` names the first that failed."""

    __test__ = False  # for pytest, which takes TestReport for tests

    name: str
    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    time_s: float
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """What was read of a file.

    Cases are counted; what suites say of themselves is only compared, and `remarks` says where it disagrees, and what else is odd.
    `at` is in UTC, and `dated` says whose time it is; `commit` is empty where no suite has a property of this name. `failures` names
    the first that failed. `digest` is the SHA-256 of the file, `size` is in bytes.
    """

    __test__ = False

    tests: int
    passed: int
    failed: int
    errors: int
    skipped: int
    time_s: float
    at: datetime
    dated: Dated
    commit: str
    groups: tuple[Group, ...]
    failures: tuple[str, ...]
    remarks: tuple[str, ...]
    digest: str
    size: int
    modified_at: datetime
