"""How far from what is taught."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.training.divergence import SKEW, skewed_divergence


def answers(seed: int, sharpness: float = 1.0) -> torch.Tensor:
    """(2 utterances, 5 frames, 12) log-probabilities."""
    torch.manual_seed(seed)
    return (torch.randn(2, 5, 12) * sharpness).log_softmax(dim=-1)


@given(st.integers(0, 99), st.floats(0.1, 50))
def test_it_is_nothing_where_both_agree_and_bounded_where_they_do_not(seed, sharpness):
    one, other = answers(seed, sharpness), answers(seed + 1, sharpness)
    lengths = torch.tensor([5, 3])
    assert float(skewed_divergence(one, one, lengths)) == pytest.approx(0, abs=1e-4)
    most = -math.log(SKEW) * 4  # frames an utterance, on average
    assert 0 < float(skewed_divergence(one, other, lengths)) < most + 1e-4


def test_frames_of_padding_teach_nothing():
    taught, learnt = answers(0), answers(1)
    lengths = torch.tensor([5, 3])
    padded = torch.cat([learnt[:, :3], learnt[:, 3:] + torch.tensor([0.0, 9.0])[:, None, None]], dim=1)
    assert float(skewed_divergence(taught, padded, lengths)) == float(skewed_divergence(taught, learnt, lengths))


def test_its_gradient_leads_to_what_is_taught():
    taught, scores = answers(0), answers(1).clone().requires_grad_()
    lengths = torch.tensor([5, 5])
    optimizer = torch.optim.Adam([scores], lr=0.1)
    before = float(skewed_divergence(taught, scores.log_softmax(-1), lengths).detach())
    for _ in range(100):
        optimizer.zero_grad()
        divergence = skewed_divergence(taught, scores.log_softmax(-1), lengths)
        divergence.backward()
        optimizer.step()
    assert float(divergence.detach()) < 0.01 * before
