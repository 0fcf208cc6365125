"""Every utterance once an epoch, in an order that the seed alone decides, also after a kill and over ranks."""

from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.training.batching import LengthBatchSampler

durations = st.lists(st.floats(0.1, 20), min_size=1, max_size=400)


@given(durations, st.integers(1, 40), st.integers(0, 5), st.integers(0, 5))
def test_an_epoch_holds_every_utterance_once(durations, batch_size, seed, epoch):
    sampler = LengthBatchSampler(durations, batch_size, seed=seed)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(drawn.row for batch in batches for drawn in batch) == list(range(len(durations)))
    assert {drawn.epoch for batch in batches for drawn in batch} == {epoch}
    assert max(map(len, batches)) <= batch_size


@given(durations, st.integers(1, 40), st.data())
def test_a_resumed_epoch_is_the_rest_of_it(durations, batch_size, data):
    whole = LengthBatchSampler(durations, batch_size, seed=1)
    whole.set_epoch(3)
    batches = list(whole)
    done = data.draw(st.integers(0, len(batches)))
    resumed = LengthBatchSampler(durations, batch_size, seed=1)
    resumed.resume(3, done)
    resumed.set_epoch(3)  # as Lightning does after loading
    assert list(resumed) == batches[done:]
    whole.set_epoch(4)
    resumed.set_epoch(4)
    assert list(resumed) == list(whole)


@given(durations, st.integers(1, 40), st.integers(1, 4))
def test_ranks_share_the_epoch_evenly(durations, batch_size, ranks):
    alone = {tuple(batch) for batch in LengthBatchSampler(durations, batch_size)}
    shares = [list(LengthBatchSampler(durations, batch_size, rank=r, world_size=ranks)) for r in range(ranks)]
    assert len({len(share) for share in shares}) == 1
    assert {tuple(batch) for share in shares for batch in share} == alone


def test_batches_hold_utterances_of_like_length():
    lengths = [1 + (index * 37 % 100) / 10 for index in range(3000)]
    batches = list(LengthBatchSampler(lengths, 30))
    seconds = [[lengths[drawn.row] for drawn in batch] for batch in batches]
    spread = [max(batch) - min(batch) for batch in seconds]
    assert sum(spread) / len(spread) < 0.5


def test_epochs_and_seeds_differ():
    lengths = [float(index % 7) for index in range(200)]
    orders = []
    for seed, epoch in ((0, 0), (0, 1), (1, 0)):
        sampler = LengthBatchSampler(lengths, 8, seed=seed)
        sampler.set_epoch(epoch)
        orders.append(str(list(sampler)))
    assert len(set(orders)) == 3
