"""Post a synthetic alert, see where it arrives, and end it: the one time that Genesis does more to a server than read."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from genesis_lib.checks.alert.delivery import KIND, QUESTION, SOURCE, Delivery, to_json
from genesis_lib.clients.alertmanager import SyntheticAlertSender
from genesis_lib.clients.http import Http
from genesis_lib.clients.shapes import read
from genesis_lib.endpoint import Endpoint
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Outcome
from genesis_lib.model import Cause, Missing
from genesis_lib.params import SyntheticAlert
from genesis_lib.run import Run

__all__ = ["post_synthetic_alert"]

_LOOK_EVERY_S = 0.2
_PAGE_TIMEOUT_S = 5.0
# How long the alert outlives the wait where nobody is left to end it; more than the clocks of two servers differ.
_ENDS_ITSELF_AFTER = timedelta(minutes=5)
_ANNOTATIONS = {
    "summary": "A test by Genesis readiness; no action is needed",
    "description": "It was posted to prove that alerts arrive, and ends itself within minutes.",
}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alert:
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Notification:
    """One entry of the page `arrived`; what else it says is passed over."""

    receiver: str
    alerts: tuple[_Alert, ...]


def post_synthetic_alert(run: Run, *, progress: Progress) -> None:
    """Post the alert that the environment opted in to, once for each run, and record what became of it, errors included.

    Nothing is posted in replay, nor for a run about the past. `checks.delivery` reads the record. `progress` is told in a line what is
    going on.
    """
    probe, evidence = run.environment.probes.synthetic_alert, run.evidence
    if probe is None or evidence.replay or run.historical:
        return

    def perform() -> Outcome:
        delivery = _probe(run, probe, progress)
        return Outcome(status=0, media_type="application/json", body=to_json(delivery))

    try:
        evidence.ask(kind=KIND, source=SOURCE, question=QUESTION, perform=perform)
    except SourceError as error:  # it is recorded, and so judged
        progress(f"the synthetic alert could not be posted: {error.detail}")


def _probe(run: Run, probe: SyntheticAlert, progress: Progress) -> Delivery:
    endpoint = run.environment.alertmanager
    if endpoint is None:
        raise SourceError(Cause.NOT_DECLARED, f"{run.environment.name} declares that it has no alertmanager")
    # One of a kind: runs of two environments, begun in the same second, must not take each other's alert for their own.
    mark = f"{run.run_id}-{secrets.token_hex(4)}"
    own = {"alertname": "GenesisReadinessProbe", "genesis_probe": "true", "genesis_run": mark}
    labels, posted_at = {**probe.labels, **own}, datetime.now(UTC)
    ends_itself_at = posted_at + timedelta(seconds=probe.within_s) + _ENDS_ITSELF_AFTER
    with SyntheticAlertSender(endpoint) as sender:

        def post(ends_at: datetime) -> None:
            sender.post(labels=labels, annotations=_ANNOTATIONS, starts_at=posted_at, ends_at=ends_at)

        progress(f"posting a synthetic alert; it must arrive at {probe.receiver} within {probe.within_s:g} s")
        post(ends_itself_at)
        try:
            receivers, took_s = _arrival(probe, mark)
        finally:
            try:
                post(datetime.now(UTC))
            except SourceError as error:
                progress(f"the synthetic alert ends itself at {ends_itself_at:%H:%M} UTC, not now: {error.detail}")
    progress(_summary(receivers, took_s))
    return Delivery(expected_receiver=probe.receiver, receivers=receivers, posted_at=posted_at, took_s=took_s)


def _arrival(probe: SyntheticAlert, mark: str) -> tuple[tuple[str, ...], float | Missing]:
    """Which receivers list the alert, and after how many seconds.

    Looks until the expected one does, and once more for others that are told at the same time; or until the time is up.
    """
    endpoint = Endpoint(url=probe.arrived, timeout_s=min(_PAGE_TIMEOUT_S, probe.within_s), retries=0)
    started, seen_after_s = time.monotonic(), dict[str, float]()
    with Http(endpoint, source="receiver", evidence=None) as page:
        while True:
            has_arrived = probe.receiver in seen_after_s
            listed = _listed(page, mark)
            waited_s = time.monotonic() - started
            if not isinstance(listed, Missing):
                seen_after_s = dict.fromkeys(listed, waited_s) | seen_after_s
            if has_arrived or waited_s >= probe.within_s:
                break
            time.sleep(_LOOK_EVERY_S)
    if seen_after_s:
        took_s = seen_after_s.get(probe.receiver, min(seen_after_s.values()))
        return tuple(sorted(seen_after_s)), round(took_s, 3)
    if isinstance(listed, Missing):
        return (), listed
    detail = f"no receiver listed it at {probe.arrived} within {probe.within_s:g} s"
    return (), Missing(cause=Cause.NO_DATA, detail=detail)


def _listed(page: Http, mark: str) -> list[str] | Missing:
    try:
        notifications = read(page, "", tuple[_Notification, ...]).value
    except SourceError as error:
        return error.missing()
    return [n.receiver for n in notifications if any(a.labels.get("genesis_run") == mark for a in n.alerts)]


def _summary(receivers: tuple[str, ...], took_s: float | Missing) -> str:
    if isinstance(took_s, Missing):
        return f"the synthetic alert did not arrive: {took_s.detail}"
    return f"the synthetic alert arrived at {', '.join(receivers)} after {took_s:.2g} s"
