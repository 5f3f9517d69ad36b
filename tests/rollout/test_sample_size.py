"""How many operations tell an error ratio: the exact binomial, and what it is worth beside the rule of three."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.rollout.sample_size import CONFIDENCE, operations_to_tell, ratio_told

RATIOS = st.floats(min_value=1e-5, max_value=0.9)
CONFIDENCES = st.floats(min_value=0.5, max_value=0.999)


@pytest.mark.parametrize(
    ("ratio", "confidence", "operations"),
    [
        pytest.param(0.001, 0.95, 2995, id="0.1 % of errors take 2,995 operations, where the rule of three says 3,000"),
        pytest.param(0.001, 0.99, 4603, id="the same with 99 % confidence takes half as many again"),
        pytest.param(0.01, 0.95, 299, id="1 % takes a tenth of what 0.1 % takes"),
        pytest.param(0.5, 0.75, 2, id="two coins show a head three times in four, exactly"),
        pytest.param(0.999, 0.95, 1, id="what nearly always fails is told by one"),
    ],
)
def test_operations_to_tell(ratio: float, confidence: float, operations: int) -> None:
    assert operations_to_tell(ratio, confidence=confidence) == operations


@given(RATIOS, CONFIDENCES)
def test_so_many_show_a_failure_and_one_fewer_would_not_do(ratio: float, confidence: float) -> None:
    enough = operations_to_tell(ratio, confidence=confidence)
    assert 1 - (1 - ratio) ** enough >= confidence - 1e-9
    assert enough == 1 or 1 - (1 - ratio) ** (enough - 1) < confidence + 1e-9


@given(RATIOS)
def test_the_rule_of_three_is_never_below_and_seldom_far_above(ratio: float) -> None:
    assert operations_to_tell(ratio) <= max(1, 3 / ratio + 1)
    assert operations_to_tell(ratio) >= (3 / ratio) * (0.998 - ratio)


@given(RATIOS, CONFIDENCES)
def test_what_is_told_by_enough_operations_is_at_most_the_ratio_asked_for(ratio: float, confidence: float) -> None:
    enough = operations_to_tell(ratio, confidence=confidence)
    assert ratio_told(enough, confidence=confidence) <= ratio * (1 + 1e-6)


@given(st.floats(min_value=0, max_value=1e9), st.floats(min_value=0, max_value=1e9))
def test_more_operations_never_tell_less(one: float, other: float) -> None:
    fewer, more = sorted((one, other))
    assert 0 <= ratio_told(more) <= ratio_told(fewer) <= 1


def test_the_shipped_number_of_operations_shows_one_of_the_five_failures_that_are_expected() -> None:
    assert ratio_told(5000, confidence=0.993) < 0.001 < ratio_told(5000, confidence=0.994)
    assert ratio_told(0) == 1
    assert CONFIDENCE == 0.95
