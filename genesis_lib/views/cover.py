"""Draw the first page: whether to go, and why, for someone who knows no PromQL."""

from collections.abc import Mapping, Sequence
from html import escape

from genesis_lib.formatting import duration, instant, plain, points
from genesis_lib.model import Blocking, Finding, Verdict
from genesis_lib.readiness.decision import Call, Decision
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.views import markup
from genesis_lib.views.markup import Html
from genesis_lib.views.theme import CALL_LOOKS

__all__ = ["cover", "grouped_roots", "other_reasons", "page_facts"]

_MEANING = {Call.GO: "Proceed.", Call.HOLD: "Wait: readiness is not proven.", Call.NO_GO: "Do not proceed."}
_MOST_ROOTS = 8  # more would push the page's other facts off it; all of them are in the findings


def cover(judgement: Judgement) -> Html:
    """The decision, its score and its validity, the root findings that matter, and what was not judged."""
    decision, look = judgement.decision, CALL_LOOKS[judgement.decision.call]
    headline = decision.headline.replace("_", " ")
    score = points(judgement.card.overall)
    facts = _facts(judgement)
    roots = grouped_roots(decision)
    others = other_reasons(decision)
    when = _when(judgement)

    listed = "".join(_root(group, _followers(group, decision)) for group in roots[:_MOST_ROOTS])
    listed += "".join(f"<li><p>{markup.text(reason)}</p></li>" for reason in others if roots)
    more = len(roots) - _MOST_ROOTS
    parts = [
        f'<section class="g-cover g-{look.colour}" aria-label="Decision">',
        f'<p class="g-call"><span class="g-glyph" aria-hidden="true">{look.glyph}</span> {escape(headline)}</p>',
        f'<p class="g-meaning">{_MEANING[decision.call]} <span>{_count(roots, others)}</span></p>',
        f'<p class="g-score"><strong>{score}</strong> <span>of 10</span></p>',
        f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{markup.text(value)}</dd></div>' for name, value in facts.items())}</dl>",
        "</section>",
        f"<h2 class='g-head'>What stands in the way</h2><ol class='g-roots'>{listed}</ol>" if roots else "",
        f'<p class="g-note">{more} more in the findings below.</p>' if more > 0 else "",
        "" if roots else "".join(f"<p>{markup.text(reason)}</p>" for reason in others),
        _list("Waived", [f"{f.subject} ({f.check}): {f.waiver}" for f in decision.waived]),
        _list("Not part of this environment", judgement.not_applicable),
        f'<p class="g-note">{markup.text(when)}</p>',
    ]
    lines = [
        f"{look.glyph} {headline}: {_MEANING[decision.call]} Score {score} of 10.",
        markup.grid(facts.items()),
        *(f"- {plain(reason)}" for reason in (*decision.reasons, *judgement.not_applicable, when)),
    ]
    return Html(markup="".join(parts), plain="\n".join(lines), facts=page_facts(judgement))


def _facts(judgement: Judgement) -> dict[str, str]:
    return {
        "Environment": f"{judgement.title} ({judgement.environment})",
        "As of": instant(judgement.as_of),
        "Valid until": instant(judgement.decision.valid_until),
        "Stage": f"chunk {judgement.chunk} of 3",
        "Owner": judgement.owner,
        "Run": f"{judgement.run_id}, exit code {judgement.decision.call.exit_code}",
    }


def page_facts(judgement: Judgement) -> Mapping[str, str]:
    """What running headers and document metadata say of a judgement."""
    return {
        "environment": judgement.environment,
        "title": judgement.title,
        "owner": judgement.owner,
        "as_of": judgement.as_of.isoformat(),
        "run_id": judgement.run_id,
        "decision": judgement.decision.headline.replace("_", " "),
    }


def grouped_roots(decision: Decision) -> list[list[Finding]]:
    """Root findings, those that forbid first; those that say the same of several subjects are together."""
    forbidding_first = sorted(
        decision.roots, key=lambda f: (f.verdict is not Verdict.FAIL, f.blocking is not Blocking.NO_GO)
    )
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for f in forbidding_first:
        groups.setdefault((f.check, f.verdict, f.reason, f.hint, f.owner), []).append(f)
    return list(groups.values())


def other_reasons(decision: Decision) -> tuple[str, ...]:
    """Reasons that are no finding: an empty section, a score under the bar; or that all is proven. They stand behind one for each root."""
    return decision.reasons[len(decision.roots) :]


def _followers(group: Sequence[Finding], decision: Decision) -> int:
    """How many blocking findings follow from these, directly or by others."""
    ids = {f.id for f in group}
    before = -1
    while len(ids) > before:
        before = len(ids)
        ids |= {f.id for f in decision.followers if f.because_of in ids}
    return len(ids) - len({f.id for f in group})


def _root(group: Sequence[Finding], followers: int) -> str:
    first = group[0]
    subjects = f"<strong>{markup.listed([f.subject for f in group])}</strong>: "
    if len(group) == 1 and first.subject in first.reason:
        subjects = ""  # the reason names it
    label = "" if first.hint.endswith("?") else '<span class="g-label">Do</span> '
    advice = f"<p>{label}{markup.text(first.hint[:1].upper() + first.hint[1:])}</p>" if first.hint else ""
    asides = [f"Owner: {markup.text(first.owner)}"] if first.owner else []
    if followers:
        asides.append(f"{followers} other {'finding follows' if followers == 1 else 'findings follow'} from this")
    aside = f'<p class="g-muted">{" · ".join(asides)}</p>' if asides else ""
    return f"<li><p>{markup.verdict(first.verdict)} {subjects}{markup.text(first.reason)}</p>{advice}{aside}</li>"


def _count(roots: Sequence[object], others: Sequence[str]) -> str:
    """How much stands in the way."""
    count = len(roots) + (len(others) if roots else 0)
    if not count:
        return ""
    return "One thing stands in the way." if count == 1 else f"{count} things stand in the way."


def _when(judgement: Judgement) -> str:
    """How far from the instant judged the sources were asked that have no time argument."""
    skew = judgement.skew_s
    side = "after" if skew >= 0 else "before"
    return (
        f"Everything is judged as of {instant(judgement.as_of)}. "
        f"Sources that only tell about now were asked within {duration(abs(skew))} {side} that instant."
    )


def _list(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"<h2 class='g-head'>{title}</h2><ul>{''.join(f'<li>{markup.text(line)}</li>' for line in lines)}</ul>"
