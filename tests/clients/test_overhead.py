"""The benchmark's result: read as it is written, and refused where a number is none."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesis_lib.clients import overhead
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Cause, Missing

RESULT = {
    "schema": 1,
    "measured_at": "2026-11-24T05:00:00+01:00",
    "python": "3.11.7",
    "code": "c0de",
    "overhead": {"ratio": 0.0013, "low": 0.001, "high": 0.0017, "pairs": 400, "operation_s": 0.09, "cost_us": 117.0},
    "collection": {"share": 0.0005, "cpu_s_per_scrape": 0.0075, "interval_s": 15, "series": 120},
    "memory": {"operations": 100_000, "growth_bytes": -40_960, "growth_bytes_per_10k": -4096.0},
}


def changed(part: str, **values: object) -> str:
    return json.dumps(RESULT | {part: RESULT[part] | values})  # type: ignore[operator]


def test_a_result_is_read_once_and_replayed(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps(RESULT | {"load": 0.3}))
    answer = overhead.read(Evidence(tmp_path / "evidence", replay=False), file, name="result.json")
    assert isinstance(answer, Answer)
    found = answer.value
    assert found.measured_at == datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert (found.overhead.high, found.collection.interval_s, found.memory.growth_bytes_per_10k) == (0.0017, 15, -4096)
    file.unlink()
    assert overhead.read(Evidence(tmp_path / "evidence", replay=True), file, name="result.json") == answer


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(changed("overhead", high=float("nan")), "overhead.high", id="NaN"),
        pytest.param(changed("overhead", high=float("inf")), "overhead.high", id="infinity"),
        pytest.param(changed("overhead", high=10**400), "overhead.high", id="more than a number can be"),
        pytest.param(changed("collection", share="0.0005"), "collection.share", id="text"),
        pytest.param(changed("collection", share=None), "collection.share", id="null"),
        pytest.param(changed("collection", share=-0.1), "collection.share", id="less than nothing"),
        pytest.param(changed("memory", growth_bytes_per_10k=True), "memory.growth_bytes_per_10k", id="true"),
        pytest.param(changed("memory", operations=0), "memory.operations", id="memory that was never watched"),
        pytest.param(changed("overhead", ratio=0.5), "overhead", id="an interval around something else"),
        pytest.param(json.dumps(RESULT | {"measured_at": "lately"}), "measured_at", id="no time"),
        pytest.param(json.dumps(RESULT | {"measured_at": "2026-11-24T05:00:00"}), "measured_at", id="no time zone"),
        pytest.param(json.dumps(RESULT | {"schema": 2}), "schema", id="another schema"),
        pytest.param(
            json.dumps({key: RESULT[key] for key in RESULT if key != "memory"}), "memory", id="a part missing"
        ),
        pytest.param("[]", "the file", id="a list"),
        pytest.param(json.dumps(RESULT)[:-30], "the file", id="cut short"),
        pytest.param("", "the file", id="nothing"),
    ],
)
def test_what_is_no_result_is_malformed(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "result.json").write_text(text)
    found = overhead.read(Evidence(tmp_path / "e", replay=False), tmp_path / "result.json", name="result.json")
    assert isinstance(found, Missing)
    assert (found.cause, bool(found.evidence)) == (Cause.MALFORMED, True)
    assert f"benchmarks/telemetry_overhead.py; {place}: " in found.detail


def test_one_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    found = overhead.read(Evidence(tmp_path / "e", replay=False), tmp_path / "none.json", name="none.json")
    assert isinstance(found, Missing)
    assert (found.cause, bool(found.evidence)) == (Cause.UNREADABLE, True)
