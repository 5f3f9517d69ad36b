"""Write a judgement as `report.json`: the same facts as the report, for machines; the same bytes for the same judgement."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from genesis_lib.model import Finding
from genesis_lib.readiness.judgement import Judgement

__all__ = ["SCHEMA_VERSION", "finding_to_json", "findings_to_json", "to_json"]

SCHEMA_VERSION = 1
_PLACES = 6


def to_json(judgement: Judgement) -> bytes:
    """The judgement as JSON with sorted keys; instants are ISO 8601 in UTC, ratios are ratios, scores have six places."""
    decision, card = judgement.decision, judgement.card
    document = {
        "schema_version": SCHEMA_VERSION,
        "environment": judgement.environment,
        "title": judgement.title,
        "owner": judgement.owner,
        "chunk": judgement.chunk,
        "run_id": judgement.run_id,
        "as_of": _instant(judgement.as_of),
        "skew_s": _rounded(judgement.skew_s),
        "decision": decision.call.value,
        "headline": decision.headline,
        "exit_code": decision.call.exit_code,
        "valid_until": _instant(decision.valid_until),
        "reasons": list(decision.reasons),
        "roots": [f.id for f in decision.roots],
        "followers": [f.id for f in decision.followers],
        "waived": [f.id for f in decision.waived],
        "score": _rounded(card.overall),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "score": _rounded(section.score),
                "weight": section.weight,
                "verdicts": {verdict.value: count for verdict, count in section.verdicts.items()},
            }
            for section in card.sections
        ],
        "deductions": [
            {
                "section": deduction.section,
                "finding": deduction.finding,
                "reason": deduction.reason,
                "section_points": _rounded(deduction.section_points),
                "points": _rounded(deduction.points),
            }
            for deduction in card.deductions
        ],
        "findings": [finding_to_json(f) for f in judgement.findings],
        "not_applicable": list(judgement.not_applicable),
    }
    written = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    # A label may hold half of a surrogate pair, which UTF-8 cannot; a backslash escape is how JSON writes it.
    return (written + "\n").encode("utf-8", errors="backslashreplace")


def findings_to_json(
    environment: str, run_id: str, as_of: datetime, exit_code: int, findings: Sequence[Finding]
) -> str:
    """Findings without score and report, as `genesis check --json` prints them."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "environment": environment,
        "run_id": run_id,
        "as_of": _instant(as_of),
        "exit_code": exit_code,
        "findings": [finding_to_json(f) for f in findings],
    }
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False)


def finding_to_json(f: Finding) -> dict[str, Any]:
    """A finding as it stands in `report.json`."""
    return {
        "id": f.id,
        "check": f.check,
        "subject": f.subject,
        "verdict": f.verdict.value,
        "blocking": f.blocking.value,
        "observed": f.observed,
        "expected": f.expected,
        "reason": f.reason,
        "hint": f.hint,
        "owner": f.owner,
        "because_of": f.because_of,
        "waiver": f.waiver,
        "evidence": list(f.evidence),
    }


def _rounded(value: float) -> float:
    """Without the noise of floating point, and without a negative zero."""
    return round(value, _PLACES) + 0.0


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
