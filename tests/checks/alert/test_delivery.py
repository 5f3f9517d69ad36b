"""What the probe found reads back as it was recorded; where no probe was made, that is said."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesis_lib import run as runs
from genesis_lib.checks.alert import delivery
from genesis_lib.checks.alert.delivery import KIND, QUESTION, SOURCE, Delivery
from genesis_lib.evidence import Outcome
from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests import builders

LATE = Missing(cause=Cause.NO_DATA, detail="no receiver listed it")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = load_environment("demo", root=builders.ROOT)
    return runs.create(environment, builders.policy(), root=tmp_path, as_of=None, interactive=True)


def make_delivery(*, receivers: tuple[str, ...], took_s: float | Missing) -> Delivery:
    posted_at = datetime(2026, 11, 24, 6, 0, 0, 123_000, tzinfo=UTC)
    return Delivery(expected_receiver="critical", receivers=receivers, posted_at=posted_at, took_s=took_s)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(make_delivery(receivers=("critical", "warning"), took_s=0.412), id="it arrived"),
        pytest.param(make_delivery(receivers=(), took_s=LATE), id="it did not arrive"),
    ],
)
def test_a_delivery_reads_back_as_it_was_recorded(found: Delivery, run: Run) -> None:
    outcome = Outcome(status=0, media_type="application/json", body=delivery.to_json(found))
    exchange, _ = run.evidence.ask(kind=KIND, source=SOURCE, question=QUESTION, perform=lambda: outcome)
    assert delivery.gather(run) == Answer(value=found, evidence=exchange.id, asked_at=exchange.asked_at)


def test_without_a_probe_it_is_not_recorded_and_asking_records_nothing(run: Run) -> None:
    answer = delivery.gather(run)
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.NOT_RECORDED
    assert not run.evidence.exchanges()
