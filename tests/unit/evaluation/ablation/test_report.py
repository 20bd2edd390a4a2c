"""Claims are borne out only by differences that the seeds do not explain."""

import pytest

from omnihuman.evaluation.ablation.claims import judge_claims
from omnihuman.evaluation.ablation.settings import Claim
from omnihuman.evaluation.ablation.spread import Spread
from tests.unit.evaluation.ablation.small import small

CLAIM = Claim(words="a has more", quantity="q", more="a", less="b")


def verdict(a, b, claim=CLAIM):
    table = {"a": {"q": Spread(dict(enumerate(a)))}, "b": {"q": Spread(dict(enumerate(b)))}}
    return judge_claims((claim,), table)[0]


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        ([5.0, 5.1, 4.9], [4.0, 4.1, 3.9], "agrees"),
        ([4.0, 4.1, 3.9], [5.0, 5.1, 4.9], "disagrees"),
        ([5.0, 4.0, 3.0], [4.0, 3.5, 3.0], "not told apart"),
        ([5.0], [4.0], "not told apart"),
        ([], [4.0], "not run"),
    ],
)
def test_a_claim_needs_more_than_the_spread_of_seeds(a, b, word):
    assert verdict(a, b).word == word


@pytest.mark.parametrize(
    ("a", "b", "word"),
    [
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], "agrees"),
        ([5.0, 4.0, 3.0], [4.1, 4.0, 4.2], "agrees"),
        ([5.0, 5.1, 4.9], [4.0, 4.1, 3.9], "agrees"),
        ([4.0, 4.1, 3.9], [5.0, 5.1, 4.9], "disagrees"),
        ([5.0], [4.0], "not told apart"),
    ],
)
def test_a_bar_asks_for_no_clear_loss(a, b, word):
    assert verdict(a, b, CLAIM.model_copy(update={"relation": "not_less"})).word == word


def test_the_error_is_that_of_a_difference_of_means():
    found = verdict([1.0, 3.0], [0.0, 0.0, 3.0])
    assert found.difference == pytest.approx(1.0)
    assert found.error == pytest.approx((2.0 / 2 + 3.0 / 3) ** 0.5)


def test_a_variant_that_was_not_run_is_no_verdict():
    assert judge_claims((CLAIM,), {})[0].word == "not run"


def test_a_claim_about_no_variant_is_refused():
    with pytest.raises(ValueError, match="no variant"):
        small(claims=[{"words": "x", "quantity": "drift", "more": "base", "less": "nothing"}])


def test_a_spread_of_one_has_no_deviation():
    assert Spread({1: 2.0}).deviation is None and Spread({}).mean is None
    assert Spread({1: 2.0, 2: 4.0}).text() == "3.000 \u00b1 1.414"
