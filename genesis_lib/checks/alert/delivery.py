"""Did the synthetic alert arrive? What `actions/probe.py` found, as it stands in the record."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from genesis_lib.errors import SourceError
from genesis_lib.model import Answer, Missing
from genesis_lib.run import Run

__all__ = ["KIND", "QUESTION", "SOURCE", "Delivery", "from_json", "gather", "to_json"]

# Under these the probe is recorded: one exchange for the whole of it.
KIND, SOURCE, QUESTION = "probe", "alertmanager", "POST /api/v2/alerts: GenesisReadinessProbe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the synthetic alert.

    `receivers` are those that listed it. `took_s` is how many seconds after the post the expected one did, or, where that never did,
    the first other; Missing: none did in time (`NO_DATA`), or their list could not be read (any other cause).
    """

    expected_receiver: str
    receivers: tuple[str, ...]
    posted_at: datetime
    took_s: float | Missing


_ADAPTER = TypeAdapter(Delivery)


def gather(run: Run) -> Answer[Delivery] | Missing:
    """What the probe found, from the record alone: it is made before anything is judged, or not at all (`NOT_RECORDED`)."""
    try:
        exchange, body = run.evidence.recorded(kind=KIND, source=SOURCE, question=QUESTION)
    except SourceError as error:
        return error.missing()
    return Answer(value=from_json(body), evidence=exchange.id, asked_at=exchange.asked_at)


def to_json(delivery: Delivery) -> bytes:
    """As it is recorded."""
    return _ADAPTER.dump_json(delivery, indent=1)


def from_json(body: bytes) -> Delivery:
    """The same, read back."""
    return _ADAPTER.validate_json(body)
