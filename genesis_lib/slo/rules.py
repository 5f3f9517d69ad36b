"""Write an environment's objectives as a Prometheus rule file: what to record of them, and alerts on how fast their budgets burn."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import yaml
from prometheus_client.utils import floatToGoString

from genesis_lib.clients.scope import put_in
from genesis_lib.objectives.indicator import LatencyIndicator
from genesis_lib.objectives.objective import Objective
from genesis_lib.objectives.slos import BurnWindow, Slos
from genesis_lib.slo.indicators import TILE, Counting, counting
from genesis_lib.slo.recorded import BAD_EVENTS, TOTAL_EVENTS, selector
from genesis_lib.syntax import duration, quote

__all__ = ["rules_file"]

_RATIO = "slo:error_ratio:rate"  # and the window, as Prometheus wants recorded series named: level:metric:operations
_FROM_RECORDED = timedelta(
    days=1
)  # windows of at least this length are added up from recorded events: raw series would be slow
_RUNBOOKS = "docs/runbooks.md"
_HEADER = """\
The objectives of the environment {environment}, as rules for Prometheus. Made by `genesis slo rules {environment}` from policy's
slos.yaml and the environment's parameters: change those and make it anew, rather than this file.

To load it, save it beside Prometheus' configuration, name it there under `rule_files`, and reload Prometheus:
  promtool check rules FILE
To record the past too, do this three hours later; it records up to three hours ago, for what is younger is still in memory
  promtool tsdb create-blocks-from rules --url=http://PROMETHEUS --start=SECONDS --max-block-duration=168h --output-dir=DATA FILE

slo_events      events, and bad ones, of each {tile}; `genesis slo` counts long windows by them where they agree with raw series
slo_burn_rates  the share of bad events by window; 0 where nothing happened; shorter ones from raw series, {long} and more from slo_events
slo_alerts      one alert for each objective and severity: beyond its factor in a long window AND still in a short one, of any pair

Without data nothing is recorded, and no alert fires: that series are absent is for other alerts to say.
"""


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines stay legible."""


_Rule = Mapping[str, Any]
_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def rules_file(
    objectives: Sequence[Objective],
    slos: Slos,
    *,
    edges: Mapping[str, tuple[str, ...]],
    scope: Mapping[str, str],
    environment: str,
) -> str:
    """A rule file, as YAML.

    Args:
        objectives: as the environment wants them.
        slos: what they share.
        edges: for each latency objective by name, the `le` values of its histogram; where there are none, its target is taken for one.
        scope: matchers that are put into every selector, and are labels of what is recorded.
        environment: its name.

    """
    asked = [
        (counting(one, edges.get(one.name) or _spelled(one.target)), slos.windows_of(one.period))
        for one in objectives
        if not one.not_applicable
    ]
    groups: list[tuple[dict[str, str], list[_Rule]]] = [
        (
            {"name": "slo_events", "interval": duration(TILE)},
            [rule for one, _ in asked for rule in _events(one, slos.scrape_interval)],
        ),
        ({"name": "slo_burn_rates"}, [rule for one, windows in asked for rule in _burn_rates(one, windows)]),
        ({"name": "slo_alerts"}, [rule for one, windows in asked for rule in _alerts(one, windows)]),
    ]
    document = {"groups": [head | {"rules": [_in_scope(r, scope) for r in rules]} for head, rules in groups if rules]}
    left_out = [f"{one.name}: not applicable here: {one.not_applicable}" for one in objectives if one.not_applicable]
    left_out += [line for one, windows in asked for line in _left_out(one, windows)]
    header = _HEADER.format(environment=environment, tile=duration(TILE), long=duration(_FROM_RECORDED))
    header += "\n".join(["\nLeft out:", *left_out]) if left_out else ""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    return comment + "\n" + yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))


def _events(asked: Counting, scrape_interval: timedelta) -> Iterator[_Rule]:
    for name, side in ((BAD_EVENTS, "bad"), (TOTAL_EVENTS, "total")):
        if side == "total" or asked.tells_bad:
            expr = asked.tile(scrape_interval=scrape_interval, of=side, with_born=True)
            labels = {"slo": asked.objective.name, "definition": asked.objective.definition}
            yield {"record": name, "expr": expr, "labels": labels}


def _burn_rates(asked: Counting, windows: Sequence[BurnWindow]) -> Iterator[_Rule]:
    if not asked.tells_bad:
        return
    of = selector(asked.objective)
    for length in sorted({length for pair in windows for length in (pair.long, pair.short)}):
        bad, total = asked.bad(length), asked.total(length)
        if length >= _FROM_RECORDED:
            bad, total = (f"sum(sum_over_time({name}{of}[{duration(length)}]))" for name in (BAD_EVENTS, TOTAL_EVENTS))
        expr = f"{bad} / ({total} > 0)\nor\n({total} == 0)"
        yield {"record": f"{_RATIO}{duration(length)}", "expr": expr, "labels": {"slo": asked.objective.name}}


def _alerts(asked: Counting, windows: Sequence[BurnWindow]) -> Iterator[_Rule]:
    objective = asked.objective
    if not asked.tells_bad:
        return
    camel_case = "".join(word[:1].upper() + word[1:] for word in objective.name.split("_"))
    for urgency, severity, how in (("page", "critical", "fast"), ("ticket", "warning", "steadily")):
        pairs = [pair for pair in windows if pair.severity == urgency and _is_reachable(objective, pair)]
        if pairs:
            yield {
                "alert": f"{camel_case}BudgetBurn",
                "expr": "\nor\n".join(_beyond(objective, pair) for pair in pairs),
                "labels": {"severity": severity, "slo": objective.name},
                "annotations": {
                    "summary": f"{objective.title}: its error budget burns {how}",
                    "description": f"{{{{ $value | humanizePercentage }}}} of all events were bad, where "
                    f"{_percent(objective.budget_ratio)} may be: a pace that spends more than {_spent(objective, pairs)}.",
                    "runbook_url": objective.runbook or _RUNBOOKS,
                },
            }


def _beyond(objective: Objective, pair: BurnWindow) -> str:
    limit = f"> {pair.factor(objective.period):.12g} * {objective.budget_ratio:.12g}"
    long, short = (f"{_RATIO}{duration(length)}{_of(objective)} {limit}" for length in (pair.long, pair.short))
    return f"(\n  {long}\n  and\n  {short}\n)"


def _spent(objective: Objective, pairs: Sequence[BurnWindow]) -> str:
    spent = (
        f"{_percent(pair.budget)} of the budget of {duration(objective.period)} in {duration(pair.long)}, "
        f"and still in the last {duration(pair.short)}"
        for pair in pairs
    )
    return "; or ".join(spent)


def _is_reachable(objective: Objective, pair: BurnWindow) -> bool:
    """Whether the share of bad events can be that high: over 0 where there is no budget, which would be any event, and never over 1."""
    return 0 < pair.factor(objective.period) * objective.budget_ratio < 1


def _left_out(asked: Counting, windows: Sequence[BurnWindow]) -> Iterator[str]:
    """What the file does not hold of an objective, and why."""
    objective = asked.objective
    if isinstance(objective.indicator, LatencyIndicator) and not asked.tells_bad:
        yield (
            f"{objective.name}: bad events, shares and alerts: no bucket of {objective.indicator.histogram} ends at its target of "
            f"{objective.target:g} s, so it cannot be told how many took longer"
        )
    elif not objective.budget_ratio:
        yield f"{objective.name}: alerts: a target of 100 % leaves no budget, so that any bad event burns it infinitely fast"
    else:
        for pair in windows:
            factor = pair.factor(objective.period)
            if not _is_reachable(objective, pair):
                both, share = f"{duration(pair.long)} and {duration(pair.short)}", factor * objective.budget_ratio
                yield (
                    f"{objective.name}: the {pair.severity} on {both} can never fire: {factor:.4g} times the budget of "
                    f"{objective.budget_ratio:g} is {share:.4g} of all events, and no more than 1 can be bad"
                )


def _in_scope(rule: _Rule, scope: Mapping[str, str]) -> _Rule:
    """The rule about the environment's series alone. What is recorded bears the scope's labels, and alerts have them from there."""
    labels = rule["labels"] | (scope if "record" in rule else {})
    return {**rule, "expr": put_in(rule["expr"], scope), "labels": labels}


def _of(objective: Objective) -> str:
    return f"{{slo={quote(objective.name)}}}"


def _spelled(bound: float) -> tuple[str, ...]:
    """How `le` may write a bound: as clients and Prometheus 3 do (`1.0`), and as Go's text format does (`1`)."""
    text = str(floatToGoString(bound))  # type: ignore[no-untyped-call]
    return tuple(dict.fromkeys((text, text.removesuffix(".0"))))


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
