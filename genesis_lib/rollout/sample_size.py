"""Say how many operations must be seen before their error ratio tells anything. Pure.

An error ratio p is told from none where it could not well have stayed hidden: if a share p of all operations fails, n of them show at
least one failure with probability 1 - (1 - p)^n, operations being independent. That is the exact binomial, and the "rule of three"
(n = 3 / p; Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249:1743, 1983) is its approximation at
95 %, since -ln 0.05 = 2.996. The exact form is taken: it costs one logarithm, holds for large p too and for any confidence.

For p = 0.1 %: n = ln 0.05 / ln 0.999 = 2,995 at 95 %, where the rule of three says 3,000; 4,603 at 99 %. The shipped plan demands
5,000, at which five failures are expected, as objectives do: one is seen with a probability of 99.3 %. So the plan's number decides,
and this arithmetic says what it is worth. What the failures that were seen mean is judged by objectives and triggers.
"""

import math

__all__ = ["CONFIDENCE", "operations_to_tell", "ratio_told"]

CONFIDENCE = 0.95  # of the rule of three


def operations_to_tell(ratio: float, *, confidence: float = CONFIDENCE) -> int:
    """The fewest operations of which at least one fails with this probability, if this share of all does. Both are within 0 to 1."""
    return max(1, math.ceil(round(math.log1p(-confidence) / math.log1p(-ratio), 9)))


def ratio_told(operations: float, *, confidence: float = CONFIDENCE) -> float:
    """The smallest error ratio that so many operations tell from none: 1 for none at all. The inverse of `operations_to_tell`."""
    return -math.expm1(math.log1p(-confidence) / operations) if operations > 0 else 1.0
