"""Draw the status of objectives as tables: all of it in one, the budgets, and the burn rates behind the alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Finding, Missing
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.status import Status
from genesis_lib.views import markup
from genesis_lib.views import objective_words as words
from genesis_lib.views.frame import Column, frame, nothing, row
from genesis_lib.views.markup import Html
from genesis_lib.views.theme import VERDICT_LOOKS

__all__ = ["budgets", "burn_rates", "objectives"]

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_OBJECTIVE = "The environment has no objective."
_EVIDENCE_SHOWN = 2
_SHORT = 19  # characters that stay on one line
_OBJECTIVES = (
    Column(name="objective", header="Objective"),
    Column(name="value", header="Value"),
    Column(name="limits", header="Target and limits"),
    Column(name="period", header="Good in the period"),
    Column(name="budget", header="Budget left"),
    Column(name="burn", header="Burn rate"),
    Column(name="source", header="Counted by"),
)
_BUDGETS = (
    Column(name="objective", header="Objective"),
    Column(name="allowed", header="May be bad"),
    Column(name="used", header="Used"),
    Column(name="left", header="Left"),
    Column(name="forecast", header="Forecast"),
)
_BURNS = (
    Column(name="objective", header="Objective"),
    Column(name="windows", header="Windows"),
    Column(name="factor", header="Alerts beyond"),
    Column(name="long", header="Long rate", unit=Unit.NUMBER),
    Column(name="short", header="Short rate", unit=Unit.NUMBER),
    Column(name="state", header="State"),
)
_RATES = "A burn rate of 1 spends the whole budget in just the period, 2 in half of it."
_TRENDS = "A trend is in percentage points, against the period before."
_PAIRS = (
    "A pair of windows alerts when the budget burns beyond the factor in both, which would spend the share of it that stands under the "
    "factor: the long one shows that it matters, the short one that it goes on."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """What is said first, and smaller lines under it; empty ones are left out."""

    main: str
    notes: tuple[str, ...] = ()
    is_missing: bool = False
    is_strong: bool = False

    @property
    def markup(self) -> str:
        kind = "g-missing" if self.is_missing else _wrapping(self.main)
        notes = "".join(f'<div class="g-muted {_wrapping(n)}">{markup.text(n)}</div>' for n in self.notes if n)
        main = f"<strong>{markup.text(self.main)}</strong>" if self.is_strong else markup.text(self.main)
        return f'<div class="{kind}">{main}</div>{notes}'


def _wrapping(line: str) -> str:
    return "g-short" if len(line) <= _SHORT else "g-long"


def objectives(
    statuses: Sequence[Status], findings: Sequence[Finding], *, not_applicable: Mapping[str, str] = _NONE
) -> Html:
    """Each objective's value, limits, period, budget and burn rates; under its row, why it is not PASS, and why a number is not there.

    Args:
        statuses: in the order shown.
        findings: what the checks found about them (`slos.…`, by title).
        not_applicable: title to reason, of those that are not judged.

    """
    body, lines = [], []
    unshown: dict[tuple[str, str], list[str]] = {}
    judged = [status for status in statuses if status.objective.title not in not_applicable]
    for status in judged:
        remarks = words.remarks(status, findings)
        body.append(_objective_row(status, findings, kind="g-explained" if remarks else ""))
        if remarks:
            shown = "".join(map(_remark, remarks))
            body.append(f'<tr class="g-remarks"><td colspan="{len(_OBJECTIVES)}">{shown}</td></tr>')
        lines.append(_objective_line(status, findings))
        lines += [["", "", remark.reason] for remark in remarks]
        for reason, parts in words.asides(status, findings).items():
            unshown.setdefault((" and no ".join(parts), reason), []).append(status.objective.title)
    for title, reason in not_applicable.items():
        said = markup.text(f"not applicable: {reason}")
        others = f'<td class="g-muted" colspan="{len(_OBJECTIVES) - 1}">{said}</td>'
        body.append(f'<tr><th scope="row">{markup.text(title)}</th>{others}</tr>')
        lines.append([title, "", f"not applicable: {reason}"])
    notes = [_RATES, _TRENDS] if body else []
    if any(words.is_beyond(burn) for status in judged for burn in status.burns):
        notes.append(f"{words.BEYOND} burns beyond the factor from which its alert fires.")
    notes += [f"No {parts} for {', '.join(titles)}: {reason}." for (parts, reason), titles in unshown.items()]
    caption = f"Service level objectives ({len(judged)})"
    return _drawn(_OBJECTIVES, body, lines, caption, kind="g-objectives", notes=notes)


def budgets(statuses: Sequence[Status]) -> Html:
    """Each objective's error budget in percent, time and events: what it allows, what was used and is left, and when it will be gone."""
    cells = [(status.objective.title, _budget_cells(status)) for status in statuses]
    body = [row([markup.text(title), *(c.markup for c in own)], _BUDGETS) for title, own in cells]
    lines = [[title, *(c.main for c in own)] for title, own in cells]
    return _drawn(_BUDGETS, body, lines, "Error budgets", kind="g-budgets", notes=[])


def burn_rates(statuses: Sequence[Status]) -> Html:
    """Each pair of alert windows: the factor beyond which it alerts, how fast the budget burns, and what follows."""
    body, lines = [], []
    for status in statuses:
        for i, burn in enumerate(status.burns):
            title = "" if i else status.objective.title
            cells = _burn_cells(
                status, burn, why=_lost(burn) if not i or _lost(burn) != _lost(status.burns[i - 1]) else ""
            )
            body.append(row([markup.text(title), *(c.markup for c in cells)], _BURNS))
            lines.append([title, *(c.main for c in cells)])
    caption = "Burn rates, by pair of alert windows"
    return _drawn(_BURNS, body, lines, caption, kind="g-burns", notes=[f"{_RATES} {_PAIRS}"] if body else [])


def _drawn(
    columns: Sequence[Column],
    body: Sequence[str],
    lines: Sequence[Sequence[str]],
    caption: str,
    *,
    kind: str,
    notes: Sequence[str],
) -> Html:
    width = len(columns)
    filled = [[*line, *[""] * (width - len(line))] for line in ([c.header for c in columns], *lines)]
    told = "".join(f'<p class="g-note">{markup.text(note)}</p>' for note in notes)
    return Html(
        markup=frame(body or [nothing(_NO_OBJECTIVE, columns)], columns, caption, kind=kind) + told,
        plain="\n".join([caption, markup.grid(filled) if lines else _NO_OBJECTIVE, *notes]),
    )


def _objective_row(status: Status, findings: Sequence[Finding], *, kind: str) -> str:
    objective = status.objective
    name = f"<div>{markup.text(objective.title)}</div>{markup.verdict(words.verdict(status, findings))}"
    limits = _Cell(
        main=words.target(objective),
        notes=(f"warning {words.warning(objective)}", f"critical {words.critical(objective)}"),
    )
    cells = [_value(status), limits, _period(status), _budget(status)]
    return row([name, *(cell.markup for cell in cells), _burns(status), _source(status)], _OBJECTIVES, kind=kind)


def _objective_line(status: Status, findings: Sequence[Finding]) -> list[str]:
    verdict = words.verdict(status, findings)
    rates = (f"{duration(b.window.long)} {words.rate(status, b.long, window=b.window.long)}" for b in status.burns)
    return [
        f"{VERDICT_LOOKS[verdict].glyph} {verdict} {status.objective.title}",
        _value(status).main,
        words.target(status.objective),
        _period(status).main,
        _budget(status).main,
        ", ".join(rates),
        status.source.note,
    ]


def _value(status: Status) -> _Cell:
    objective = status.objective
    return _Cell(
        main=words.value(objective, status.value),
        notes=(
            f"last {duration(objective.window)}",
            ""
            if isinstance(status.interval, Missing)
            else f"{quantity(objective.confidence, Unit.RATIO)} sure: {words.interval(status)}",
            _worst(status),
        ),
        is_missing=isinstance(status.value, Missing),
    )


def _worst(status: Status) -> str:
    """The worst series; its value, too, where that is not what stands above it."""
    if status.worst is None:
        return ""
    own, whole = (words.value(status.objective, number) for number in (status.worst.value, status.value))
    return f"worst: {status.worst.name}" + (f", {own}" if own != whole else "")


def _period(status: Status) -> _Cell:
    objective, period = status.objective, status.period
    is_part = period.is_young and period.life
    seen = f"life of {duration(period.life)}" if is_part else duration(objective.period)
    return _Cell(
        main=words.attained(status),
        notes=(
            f"wanted {quantity(objective.objective_ratio, Unit.RATIO)}",
            f"{seen}, coverage {quantity(period.coverage, Unit.RATIO)}",
            "" if isinstance(period.trend, Missing) else f"trend {words.trend(status)}",
        ),
        is_missing=isinstance(period.attained, Missing),
    )


def _budget(status: Status) -> _Cell:
    left, objective = status.budget, status.objective
    if isinstance(left, Missing):
        return _Cell(main=words.short(left), is_missing=True)
    over = " too much" if left.left < 0 else ""
    amounts = (
        f"{duration(abs(left.left_time))}{over}",
        f"{words.events(objective, abs(left.left_events))}{over}",
    )
    young = f"by its life of {duration(status.period.life)}" if status.period.is_young else ""
    if left.left < 0:
        return _Cell(main="spent", notes=(f"{quantity(-left.left, Unit.RATIO)}{over}", *amounts, young))
    return _Cell(main="spent" if left.is_spent else quantity(left.left, Unit.RATIO), notes=(*amounts, young))


def _burns(status: Status) -> str:
    lines = []
    for burn in status.burns:
        written = words.rate(status, burn.long, window=burn.window.long)
        number = markup.text(written)
        if words.is_beyond(burn):
            number = f"<strong>{number} {words.BEYOND}</strong>"
        elif isinstance(burn.long, Missing):
            number = f'<span class="g-missing">{number}</span>'
        lines.append(
            f'<div class="g-short"><span class="g-label">{markup.text(duration(burn.window.long))}</span> {number}</div>'
        )
    return "".join(lines)


def _source(status: Status) -> str:
    source = status.source
    differ = (
        "" if source.difference is None else f"recorded and raw differ by {quantity(source.difference, Unit.RATIO)}"
    )
    cell = _Cell(main="recorded series" if source.is_recorded else "raw series", notes=(differ,))
    ids = " ".join(f"<div>{markup.code(each)}</div>" for each in status.evidence[:_EVIDENCE_SHOWN])
    more = "…" if len(status.evidence) > _EVIDENCE_SHOWN else ""
    return f'{cell.markup}<div class="g-muted">{ids}{more}</div>'


def _remark(remark: words.Remark) -> str:
    named = ", ".join(remark.about)
    about = f'<span class="g-label">{markup.text(f"{named}:")}</span>'
    judged = f"{markup.verdict(remark.verdict)} " if remark.verdict else ""
    hint = (
        f'<br><span class="g-label">Do</span> {markup.text(remark.hint)}' if remark.hint and not remark.waiver else ""
    )
    waived = f'<br><span class="g-label">Waived:</span> {markup.text(remark.waiver)}' if remark.waiver else ""
    return f"<p>{judged}{about} {markup.text(remark.reason)}{hint}{waived}</p>"


def _budget_cells(status: Status) -> list[_Cell]:
    objective, left = status.objective, status.budget
    if isinstance(left, Missing):
        why = _Cell(main=words.short(left), notes=(left.detail,), is_missing=True)
        return [_Cell(main=words.short(left), is_missing=True), _Cell(main=""), _Cell(main=""), why]
    whole_time = objective.budget_ratio * objective.period
    allowed = _Cell(
        main=quantity(objective.budget_ratio, Unit.RATIO),
        notes=(
            f"{duration(whole_time)} in {duration(objective.period)}",
            words.events(objective, left.allowed_events),
        ),
    )
    used = _Cell(
        main=quantity(1 - left.left, Unit.RATIO),
        notes=(duration(whole_time - left.left_time), words.events(objective, left.allowed_events - left.left_events)),
    )
    ahead = status.forecast
    forecast = _Cell(
        main=words.forecast(objective, ahead, is_spent=left.is_spent),
        notes=(ahead.detail,) if isinstance(ahead, Missing) else (),
        is_missing=isinstance(ahead, Missing),
    )
    return [allowed, used, _budget(status), forecast]


def _lost(burn: Burn) -> str:
    """Why a rate is not there."""
    return next((rate.detail for rate in (burn.long, burn.short) if isinstance(rate, Missing)), "")


def _burn_cells(status: Status, burn: Burn, *, why: str) -> list[_Cell]:
    objective, window = status.objective, burn.window
    long, short = (
        _Cell(main=words.rate(status, rate, window=length), is_missing=isinstance(rate, Missing))
        for rate, length in ((burn.long, window.long), (burn.short, window.short))
    )
    share = f"{quantity(window.budget, Unit.RATIO)} in {duration(window.long)}"
    return [
        _Cell(main=f"{duration(window.long)} and {duration(window.short)}", notes=(window.severity,)),
        _Cell(main=f"{burn.factor:.4g}", notes=(share,)),
        long,
        short,
        _Cell(main=words.burn_state(objective, burn), notes=(why,), is_strong=burn.fires is True),
    ]
