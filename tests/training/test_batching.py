"""Every utterance once an epoch, in an order that the seed alone decides, also after a kill and over ranks."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from spoken_numbers.training.batching import LengthBatchSampler, micro_batches

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


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=40), st.integers(1, 12))
def test_micro_batches_share_out_a_batch_by_length_and_pad_no_more_than_they_must(sizes, count):
    signal_lengths, label_lengths = torch.tensor(sizes).T
    signals, labels = torch.zeros(len(sizes), 60), torch.full((len(sizes), 12), 11)
    for row, (samples, characters) in enumerate(sizes):
        signals[row, :samples] = row + 1
        labels[row, :characters] = row % 10
    parts = micro_batches((signals, signal_lengths, labels, label_lengths, -signals), count)
    assert len(parts) == min(count, len(sizes))
    longest = [int(lengths.max()) for _, lengths, *_ in parts]
    assert longest == sorted(longest)
    seen = []
    for part_signals, lengths, part_labels, characters, others in parts:
        assert torch.equal(others, -part_signals)
        assert part_signals.shape[1] == lengths.max()
        assert part_labels.shape[1] == characters.max()
        for signal, samples, label, length in zip(part_signals, lengths, part_labels, characters, strict=True):
            row = int(signal[0]) - 1
            assert (int(samples), int(length)) == sizes[row]
            assert int((signal == row + 1).sum()) == samples
            assert (label[:length] == row % 10).all()
            seen.append(row)
    assert sorted(seen) == list(range(len(sizes)))
