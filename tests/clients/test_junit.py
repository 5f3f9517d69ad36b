"""JUnit files: as runners write them, odd ones, broken ones, hostile ones and large ones; and replayed without any."""

import hashlib
import itertools
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib.clients import junit
from genesis_lib.clients.junit import Dated, TestReport
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Cause, Missing

FILE = "results/telemetry.xml"
AT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Folder:
    """What of a run is needed to read a file."""

    path: Path
    replay: bool = False

    @property
    def evidence(self) -> Evidence:
        """The record."""
        return Evidence(self.path / "evidence", replay=self.replay)

    def file(self, name: str) -> Path:
        """Where it lies."""
        return self.path / Path(name).name


def read(folder: Path, text: str | bytes) -> Answer[TestReport] | Missing:
    (folder / Path(FILE).name).write_bytes(text.encode() if isinstance(text, str) else text)
    return junit.read(Folder(folder), FILE)


def report(folder: Path, text: str | bytes) -> TestReport:
    found = read(folder, text)
    assert isinstance(found, Answer), found
    return found.value


def suite(*cases: str, **said: str) -> str:
    attributes = " ".join(f'{key}="{value}"' for key, value in said.items())
    return f"<testsuite {attributes}>{''.join(cases)}</testsuite>"


def case(name: str = "a", *ended: str, of: str = "tests.test_mod.TestOne", time: str = "0.5") -> str:
    return f'<testcase classname="{of}" name="{name}" time="{time}">{"".join(ended)}</testcase>'


def of_commit(commit: str) -> str:
    return suite(f'<properties><property name="commit" value="{commit}"/></properties>')


FAILED, BROKE, SKIPPED = '<failure message="no"/>', "<error>Traceback</error>", "<skipped/>"


# As runners write them.

A_TEST_FILE = """
import pytest

class TestOne:
    def test_a(self): pass
    @pytest.mark.parametrize("n", [1, 2])
    def test_b(self, n): assert n == 1
    @pytest.mark.skip
    def test_c(self): pass
    @pytest.mark.xfail
    def test_d(self): raise ValueError
    class TestInner:
        def test_e(self): pass

@pytest.fixture
def broken(): raise OSError("<no & disk>")

def test_f(broken): pass
def test_g(record_property): record_property("commit", "of a case, and not of the suite")
"""


def test_what_pytest_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_mod.py").write_text(A_TEST_FILE)
    (tmp_path / "conftest.py").write_text(
        "import pytest\n@pytest.fixture(scope='session', autouse=True)\n"
        "def commit(record_testsuite_property): record_testsuite_property('commit', 'abc123')\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-c",
        os.devnull,
        "-p",
        "no:cacheprovider",
        "--junitxml=telemetry.xml",
    ]
    before = datetime.now(UTC)
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, env=alone)
    answer = junit.read(Folder(tmp_path), FILE)
    assert isinstance(answer, Answer)
    found = answer.value
    assert (found.tests, found.passed, found.failed, found.errors, found.skipped) == (8, 4, 1, 1, 2)
    assert {g.name: (g.tests, g.passed) for g in found.groups} == {
        "TestOne": (5, 2),
        "TestInner": (1, 1),
        "test_mod": (2, 1),
    }
    assert found.failures == ("TestOne::test_b[2]", "test_mod::test_f")
    assert {g.name: g.failures for g in found.groups}["test_mod"] == ("test_mod::test_f",)
    assert before <= found.at <= datetime.now(UTC)
    assert found.at.utcoffset() == timedelta(0)
    assert (found.commit, found.dated, found.remarks) == ("abc123", Dated.SUITE, ())
    content = (tmp_path / "telemetry.xml").read_bytes()
    assert (found.digest, found.size) == (hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(suite(case(), case("b", FAILED)), (2, 1, 1, 0, 0), id="a suite alone"),
        pytest.param(f"<testsuites>{suite(case())}{suite(case('b', BROKE))}</testsuites>", (2, 1, 0, 1, 0), id="several suites"),
        pytest.param(suite(suite(case(), tests="1"), case("b"), tests="2"), (2, 2, 0, 0, 0), id="an outer suite that says the sum"),
        pytest.param(suite(suite(case(), tests="1"), case("b"), tests="1"), (2, 2, 0, 0, 0), id="an outer suite that says its own"),
        pytest.param(suite(tests="0"), (0, 0, 0, 0, 0), id="an empty suite"),
        pytest.param("<testsuites/>", (0, 0, 0, 0, 0), id="no suite at all"),
        pytest.param(suite(case("a", SKIPPED), case("b", SKIPPED)), (2, 0, 0, 0, 2), id="skipped ones only"),
        pytest.param(suite(case("a", FAILED, BROKE, SKIPPED)), (1, 0, 0, 1, 0), id="the worst end of a case counts, once"),
        pytest.param(suite('<testcase name="a" status="notrun"/>'), (1, 0, 0, 0, 1), id="googletest says notrun by an attribute"),
        pytest.param(
            suite(case("a", "<rerunFailure/><system-out>&lt;failure/&gt;</system-out>")),
            (1, 1, 0, 0, 0),
            id="a test that failed and passed when run again, and whose output looks like a failure",
        ),
        pytest.param(suite(case()).encode("utf-16"), (1, 1, 0, 0, 0), id="UTF-16"),
        pytest.param('<testsuites xmlns="http://e/ns">' + suite(case()) + "</testsuites>", (1, 1, 0, 0, 0), id="a namespace"),
    ],
)  # fmt: skip
def test_cases_are_counted(tmp_path: Path, text: str | bytes, expected: tuple[int, ...]) -> None:
    found = report(tmp_path, text)
    assert (found.tests, found.passed, found.failed, found.errors, found.skipped) == expected
    assert found.remarks == ()
    assert sum(group.tests for group in found.groups) == found.tests


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["One", "Two", "a.Three", ""]), st.sampled_from(["", FAILED, BROKE, SKIPPED])),
        max_size=30,
    )
)
def test_groups_and_results_add_up(tmp_path_factory: pytest.TempPathFactory, cases: list[tuple[str, str]]) -> None:
    text = suite(*(case(str(n), end, of=of) for n, (of, end) in enumerate(cases)), tests=str(len(cases)))
    found = report(tmp_path_factory.mktemp("junit"), text)
    assert found.passed + found.failed + found.errors + found.skipped == found.tests == len(cases)
    for result, end in (("failed", FAILED), ("errors", BROKE), ("skipped", SKIPPED)):
        assert (
            sum(getattr(g, result) for g in found.groups) == getattr(found, result) == [e for _, e in cases].count(end)
        )
    assert found.time_s == pytest.approx(0.5 * len(cases)) == pytest.approx(sum(g.time_s for g in found.groups))
    assert not found.remarks


# When, and of what.


@pytest.mark.parametrize(
    ("text", "at", "dated"),
    [
        pytest.param(
            f"<testsuites>{suite(timestamp='2026-11-24T06:00:00+02:00')}{suite(timestamp='2026-11-24T03:00:00Z')}</testsuites>",
            AT - timedelta(hours=1),
            Dated.SUITE,
            id="the newest suite, in whatever zone",
        ),
        pytest.param(
            suite(timestamp=AT.astimezone().replace(tzinfo=None).isoformat()),
            AT,
            Dated.LOCAL,
            id="a time without a zone is local, as older pytest wrote it",
        ),
        pytest.param(
            suite(case()), datetime(2026, 11, 1, tzinfo=UTC), Dated.FILE, id="no time: when the file was written"
        ),
        pytest.param(
            suite(case(), timestamp="yesterday"), datetime(2026, 11, 1, tzinfo=UTC), Dated.FILE, id="what is no time"
        ),
        pytest.param(
            suite(timestamp="0001-01-01T00:00:00+14:00"),
            datetime(2026, 11, 1, tzinfo=UTC),
            Dated.FILE,
            id="before all time",
        ),
    ],
)
def test_when_the_tests_ran(tmp_path: Path, text: str, at: datetime, dated: Dated) -> None:
    file = tmp_path / Path(FILE).name
    file.write_text(text)
    written = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    os.utime(file, (written, written))
    answer = junit.read(Folder(tmp_path), FILE)
    assert isinstance(answer, Answer)
    assert (answer.value.at, answer.value.dated) == (at, dated)
    assert bool(answer.value.remarks) is ("timestamp" in text and dated is Dated.FILE)


# What is odd is said.


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        pytest.param(suite(case(), name="s", tests="2"), "the suite s says tests=2, and it is 1", id="fewer cases than said"),
        pytest.param(suite(case("a", FAILED), failures="0"), "says failures=0, and it is 1", id="a failure that is not said"),
        pytest.param(suite(case(), errors="many"), "says errors=many, and it is 0", id="a count that is no number"),
        pytest.param(f'<testsuites tests="3">{suite(case())}</testsuites>', "says tests=3, and it is 1", id="the whole's count"),
        pytest.param(suite(case(), case()), "TestOne::a is there more than once", id="a case twice"),
        pytest.param(suite(case(time="-3")), "a says that it took -3 s", id="less than no time"),
        pytest.param(suite(case(time="NaN")), "a says that it took NaN s", id="not a number"),
        pytest.param(suite(case(time="1e30")), "a says that it took 1e30 s", id="longer than the world"),
        pytest.param(suite(case(time="")), "a says that it took  s", id="an empty time"),
        pytest.param(suite(timestamp="today"), "the timestamp today is no time", id="a time that is none"),
        pytest.param(
            f"<testsuites>{of_commit('a')}{of_commit('b')}</testsuites>",
            "of several commits: a, b",
            id="suites of several commits",
        ),
    ],
)  # fmt: skip
def test_what_is_odd_is_said(tmp_path: Path, text: str, remark: str) -> None:
    found = report(tmp_path, text)
    assert len(found.remarks) == 1
    assert remark in found.remarks[0]
    assert found.time_s in (0.0, 0.5, 1.0)


def test_many_remarks_are_counted_and_a_thousand_separator_is_none(tmp_path: Path) -> None:
    found = report(tmp_path, suite(case("long", time="1,234.5"), *(case(str(n), time="-1") for n in range(20))))
    assert found.time_s == 1234.5
    assert (len(found.remarks), found.remarks[-1]) == (6, "and 15 more remarks")


def test_names_are_kept_short_and_only_some_failures_are_named(tmp_path: Path) -> None:
    found = report(tmp_path, suite(*(case("x" * 20_000 + str(n), FAILED, of="y" * 20_000) for n in range(15))))
    (group,) = found.groups
    assert (found.failed, len(found.failures), len(group.failures)) == (15, 10, 3)
    assert max(map(len, (*found.failures, group.name))) < 500
    (tmp_path / "other").mkdir()
    unnamed = report(tmp_path / "other", suite('<testcase name="a"/>', name="js.api"))
    assert [g.name for g in unnamed.groups] == ["api"]  # a case without a class is of its suite


# What cannot be read.

BILLION_LAUGHS = (
    '<!DOCTYPE testsuites [<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)) + "]>"
    "<testsuites>&j;</testsuites>"
)  # fmt: skip
OUTSIDE = '<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/hostname">]><testsuites>&x;</testsuites>'


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        pytest.param(BILLION_LAUGHS, 1, "document type", id="a billion laughs"),
        pytest.param(OUTSIDE, 1, "document type", id="an entity from outside"),
        pytest.param("<!DOCTYPE html><html/>", 1, "document type", id="a page with a document type"),
        pytest.param("<html><body>502 Bad Gateway</body></html>", 1, "<html>", id="a page of a proxy"),
        pytest.param("\n\n<coverage/>", 3, "begins with <coverage>", id="another kind of report"),
        pytest.param(case(), 1, "begins with <testcase>", id="a case without a suite"),
        pytest.param(f"<testsuites>\n{suite(case())}", 2, "is not XML: no element found", id="cut between elements"),
        pytest.param('<testsuites>\n<testsuite name="', 2, "is not XML", id="cut inside of a tag"),
        pytest.param(f"{suite(case())}\n{suite(case())}", 2, "junk after", id="two roots"),
        pytest.param("", 1, "is empty", id="nothing"),
        pytest.param('{"tests": 3}', 1, "is not XML", id="JSON"),
        pytest.param(b"\x00\x01\xff", 1, "is not XML", id="bytes"),
        pytest.param("<testsuites>&nbsp;</testsuites>", 1, "undefined entity", id="an entity that nobody declared"),
        pytest.param('<?xml version="1.0" encoding="martian"?><testsuites/>', 1, "encoding", id="an encoding that there is not"),
        pytest.param('<?xml version="1.0" encoding="big5"?><testsuites/>', 1, "encoding", id="an encoding that is not read"),
        pytest.param(f'<testsuite name="{"x" * 5_000_000}"/>', 1, "4,194,304 bytes", id="a tag of megabytes"),
        pytest.param("<testsuite>" * 1000, 1, "deep", id="suites without end"),
    ],
)  # fmt: skip
def test_what_is_no_junit_file_is_malformed(tmp_path: Path, content: str | bytes, line: int, problem: str) -> None:
    found = read(tmp_path, content)
    assert isinstance(found, Missing)
    assert found.cause is Cause.MALFORMED
    assert found.detail.startswith(f"{FILE}, line {line}: "), found.detail
    assert problem in found.detail
    assert found.detail.endswith("run the tests again, with `pytest --junitxml=FILE`")
    assert len(found.detail) < 800
    assert found.evidence


def missing(file: Path) -> None:
    assert not file.exists()


def folder(file: Path) -> None:
    file.mkdir()


def pipe(file: Path) -> None:
    os.mkfifo(file)


@pytest.mark.parametrize(
    ("make", "problem"),
    [(missing, "No such file or directory"), (folder, "is no file"), (pipe, "is no file")],
)
def test_what_is_no_file_is_unreadable(tmp_path: Path, make: Callable[[Path], None], problem: str) -> None:
    make(tmp_path / Path(FILE).name)
    found = junit.read(Folder(tmp_path), FILE)
    assert isinstance(found, Missing)
    assert (found.cause, bool(found.evidence)) == (Cause.UNREADABLE, True)
    assert found.detail.startswith(f"{FILE}: {problem}")
    assert str(tmp_path) not in found.detail


# Others write meanwhile.


@contextmanager
def repeated(action: Callable[[int], object]) -> Iterator[None]:
    """The action again and again, in a thread beside."""
    over = threading.Event()

    def act() -> None:
        for number in itertools.count():
            action(number)
            if over.is_set():
                return

    thread = threading.Thread(target=act)
    thread.start()
    yield
    over.set()
    thread.join()


def test_one_that_is_written_anew_in_its_place_is_unreadable(tmp_path: Path) -> None:
    file = tmp_path / Path(FILE).name
    file.write_text(suite(*(case(str(n)) for n in range(20_000))))
    with repeated(lambda number: os.utime(file, (number, number))):
        found = junit.read(Folder(tmp_path), FILE)
    assert isinstance(found, Missing)
    assert (found.cause, found.detail) == (Cause.UNREADABLE, f"{FILE}: was changed while it was read; open a new run")


def test_one_that_is_replaced_is_read_whole_as_it_was_or_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / Path(FILE).name

    def replace(number: int) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(suite(*(case(str(n)) for n in range(2000 + number % 2))))
        fresh.replace(file)

    replace(0)
    with repeated(replace):
        for number in range(8):
            place = tmp_path / str(number)
            place.mkdir()
            (place / file.name).symlink_to(file)
            found = junit.read(Folder(place), FILE)
            assert isinstance(found, Answer), found
            assert found.value.tests in (2000, 2001)


# As evidence.


@pytest.mark.parametrize(
    "text", [suite(case("é", FAILED), timestamp="2026-11-24T05:00:00Z"), "<html/>"], ids=["read", "broken"]
)
def test_a_replay_needs_no_file(tmp_path: Path, text: str) -> None:
    first = read(tmp_path, text)
    (tmp_path / Path(FILE).name).unlink()
    assert junit.read(Folder(tmp_path, replay=True), FILE) == first
    assert junit.read(Folder(tmp_path), FILE) == first  # and one run reads it once
    unknown = junit.read(Folder(tmp_path, replay=True), "another.xml")
    assert isinstance(unknown, Missing)
    assert unknown.cause is Cause.NOT_RECORDED


def test_what_is_recorded_is_small(tmp_path: Path) -> None:
    read(tmp_path, suite(*(case(f"test_{n}", FAILED, "x" * 1000) for n in range(2000))))
    (exchange,) = Folder(tmp_path).evidence.exchanges()
    assert (exchange.kind, exchange.source, exchange.question) == ("file", "junit", FILE)
    assert exchange.size < 2000


# Large ones.


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        place = tmp_path / str(count)
        place.mkdir()
        text = suite(
            *(
                case("same", FAILED if n % 9 == 0 else "", f"<system-out>{'line of output ' * 40}\n</system-out>")
                for n in range(count)
            )
        )
        (place / Path(FILE).name).write_text(text)
        del text
        tracemalloc.start()
        found = junit.read(Folder(place), FILE)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert isinstance(found, Answer)
        assert found.value.tests == count
        return most

    small, large = peak(100), peak(6_000)  # 60 kB and 4 MB
    assert large < small + 300_000
