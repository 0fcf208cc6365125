"""Cross-validation: everybody is tested once, by a model that never heard them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from commands import run
from hypothesis import given
from hypothesis import strategies as st
from manifest_makers import row, write

from spoken_numbers import manifest
from spoken_numbers.corpora.folds import split_in_folds
from spoken_numbers.errors import UserError

ROOT = Path(__file__).parents[2]
SPEAKERS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30)


@given(SPEAKERS, SPEAKERS, st.integers(2, 5), st.integers(0, 3))
def test_everybody_tests_one_fold_and_trains_the_others(first, second, folds, seed):
    with TemporaryDirectory() as name:
        folder = Path(name)
        manifests = []
        for corpus, speakers in (("one", first), ("two", second)):
            (folder / corpus).mkdir()
            rows = [row(f"{number}.wav", speaker=speaker) for number, speaker in enumerate(speakers)]
            manifests.append(write(folder / corpus / "train.json", *rows))
        if len({*first, *second}) < folds:
            with pytest.raises(UserError, match=f"speakers for {folds} folds"):
                split_in_folds(manifests, folds, folder / "out", seed)
            return
        split_in_folds(manifests, folds, folder / "out", seed)
        held: list[str] = []
        for fold in range(1, folds + 1):
            at = folder / "out" / f"fold_{fold}"
            tested = {
                one.speaker for split in ("one", "two") for one in manifest.read(at / "test" / f"{split}_train.json")
            }
            assert tested
            held += sorted(tested)
            for source, speakers in (("one", first), ("two", second)):
                train = list(manifest.read(at / "train" / f"{source}_train.json"))
                test = list(manifest.read(at / "test" / f"{source}_train.json"))
                assert not tested & {one.speaker for one in train}
                paths = sorted(one.audio_filepath for one in [*train, *test])
                assert paths == sorted(str(folder.resolve() / source / f"{n}.wav") for n in range(len(speakers)))
        assert sorted(held) == sorted({*first, *second})


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([row("a.wav", speaker="ann"), row("b.wav")], "row without a speaker – data/train.json:2"),
        (
            [row("a.wav", speaker="ann")],
            "1 speakers for 5 folds – data/train.json – give manifests of more, or make fewer folds",
        ),
    ],
)
def test_what_cannot_be_dealt_is_one_line(tmp_path, rows, says):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "train.json", *rows)
    done = run(ROOT / "scripts" / "make_folds.py", "data/train.json", "--out", "folds", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {says}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "folds").exists()


def test_two_manifests_of_one_name_are_refused(tmp_path):
    (tmp_path / "x").mkdir()
    one = write(tmp_path / "x" / "train.json", row("a.wav", speaker="ann"), row("b.wav", speaker="ben"))
    with pytest.raises(UserError, match=r"two manifests would be x_train\.json"):
        split_in_folds([one, one], 2, tmp_path / "folds")
