"""What is claimed of recipes - by the paper, or by us - held against the runs: agrees, disagrees, or cannot be told.

Two variants differ where the difference of their means exceeds twice its standard error over the seeds (Welch). With
three seeds that is a rule of thumb, not a proof; the numbers stand beside the word. A claim of `more` agrees where the
difference is that far above nothing; one of `not_less` (a bar) wherever it is not that far below, equality included.
There is no margin beside the error: a small loss that all seeds show is a loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from omnihuman.evaluation.ablation.settings import Claim
from omnihuman.evaluation.ablation.spread import Spread

_ERRORS = 2.0
AGREES, DISAGREES, OPEN, MISSING = "agrees", "disagrees", "not told apart", "not run"


@dataclass(frozen=True)
class Verdict:
    """One claim against the runs.

    Attributes:
        claim: What is claimed.
        difference: Mean of the variant named `more`, minus the other's; None without both.
        error: Standard error of the difference; None under two seeds each.
        word: AGREES, DISAGREES, OPEN or MISSING.
    """

    claim: Claim
    difference: float | None
    error: float | None
    word: str


def judge_claims(claims: tuple[Claim, ...], table: Mapping[str, Mapping[str, Spread]]) -> list[Verdict]:
    """Verdicts in the order of the claims.

    Args:
        claims: Of the settings.
        table: Variant -> quantity -> spread over seeds.
    """
    return [
        _verdict(claim, *(table.get(name, {}).get(claim.quantity) for name in (claim.more, claim.less)))
        for claim in claims
    ]


def _verdict(claim: Claim, more: Spread | None, less: Spread | None) -> Verdict:
    if more is None or less is None or more.mean is None or less.mean is None:
        return Verdict(claim, None, None, MISSING)
    difference = more.mean - less.mean
    if more.deviation is None or less.deviation is None:
        return Verdict(claim, difference, None, OPEN)
    error = math.sqrt(more.deviation**2 / len(more.values) + less.deviation**2 / len(less.values))
    if difference < -_ERRORS * error:
        return Verdict(claim, difference, error, DISAGREES)
    agrees = claim.relation == "not_less" or difference > _ERRORS * error
    return Verdict(claim, difference, error, AGREES if agrees else OPEN)
