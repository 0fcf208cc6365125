"""Work over a real Dask scheduler and real workers, some of which are killed."""

import os
import re
import shutil
import signal
import subprocess
import time
from itertools import count, islice
from pathlib import Path

import pytest
from commands import run
from corpora import corpus_makers as makers
from dask_cluster import DaskCluster, dask_cluster
from tone_model import RATE, played, tone_model

from spoken_numbers import audio, manifest
from spoken_numbers.audio import AudioError
from spoken_numbers.batch import DeadProcessError
from spoken_numbers.dask_pool import ClusterError
from spoken_numbers.errors import UserError
from spoken_numbers.labels import label_of
from spoken_numbers.manifest import Utterance
from spoken_numbers.parallel import map_each, scheduled_on
from spoken_numbers.synthesis.engine import Line
from spoken_numbers.synthesis.flite import Flite

ROOT = Path(__file__).parents[1]


def slow_double(number: int) -> int:
    time.sleep(0.02)
    if number == 3:
        raise AudioError("three is bad", where="here", todo="skip it")
    if number < 0:
        raise ZeroDivisionError
    return 2 * number


def deadly(number: int) -> int:
    if number in (41, 42):
        os.kill(os.getpid(), signal.SIGKILL)
    return slow_double(number)


def content(name: str) -> str:
    return Path(name).read_text()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def told(done: list[int | UserError]) -> list[int | str]:
    return [str(one) if isinstance(one, UserError) else one for one in done]


def test_results_come_in_order_and_a_user_error_in_its_place(cluster):
    with scheduled_on(cluster.address):
        over_cluster = list(map_each(slow_double, range(60)))
    assert told(over_cluster) == told(list(map_each(slow_double, range(60), jobs=1)))
    assert type(over_cluster[3]) is AudioError


def test_a_bug_is_raised_and_endless_items_are_read_only_a_little_ahead(cluster):
    items = count(10)
    with scheduled_on(cluster.address):
        assert list(islice(map_each(slow_double, items), 5)) == [20, 22, 24, 26, 28]
        assert next(items) < 300
        with pytest.raises(ZeroDivisionError):
            list(map_each(slow_double, [1, -1]))


def test_paths_are_relative_to_where_the_command_is(cluster, tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("here")
    monkeypatch.chdir(tmp_path)
    with scheduled_on(cluster.address):
        assert list(map_each(content, ["a.txt"])) == ["here"]


def command(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(*arguments, cwd=folder, PYTHONPATH=str(ROOT))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_commands_write_the_same_bytes_as_without_a_cluster_and_a_bad_file_costs_one_row(cluster, tmp_path):
    makers.make_fsdd(tmp_path / "corpus")
    (tmp_path / "corpus" / "recordings" / "4_theo_0.wav").write_bytes(b"RIFF nothing")
    few = ["--strings-per-speaker", 4, "--test-strings-per-speaker", 2]
    over = ["--scheduler", cluster.address]
    prepare = [ROOT / "scripts" / "prepare_fsdd.py", "corpus", *few]
    local = command(*prepare, "--out", "out", folder=tmp_path)
    shutil.move(tmp_path / "out", tmp_path / "local")
    spread = command(*prepare, "--out", "out", *over, folder=tmp_path)
    assert (spread.returncode, spread.stdout, spread.stderr) == (0, local.stdout, local.stderr)
    assert spread.stderr.count("left out: ") == spread.stderr.count("\n") == 1
    assert files(tmp_path / "out") == files(tmp_path / "local")

    broken = makers.rows_of(tmp_path / "out", "train")[1]
    broken.path(tmp_path / "out" / "train.json").write_bytes(b"RIFF nothing")
    check = [ROOT / "scripts" / "check_manifest.py", "out/train.json", "out/test.json", "--fix"]
    locally = command(*check, folder=tmp_path)
    fixed = files(tmp_path / "out")
    spread = command(*check, *over, folder=tmp_path)
    assert (spread.returncode, spread.stdout, spread.stderr) == (1, locally.stdout, "")
    assert files(tmp_path / "out") == fixed
    assert "1  unreadable recording" in spread.stdout


def test_recordings_are_transcribed_as_without_a_cluster(cluster, tmp_path):
    tone_model(tmp_path / "tones.onnx")
    for name, label in {"a": "12", "c": "6789"}.items():
        audio.write(tmp_path / f"{name}.wav", played(label).astype("float32"), RATE)
    (tmp_path / "b.wav").write_bytes(b"RIFF nothing")
    transcribe = ["-m", "spoken_numbers", "transcribe", "tones.onnx", "a.wav", "b.wav", "c.wav"]
    local = command(*transcribe, folder=tmp_path)
    spread = command(*transcribe, "--scheduler", cluster.address, folder=tmp_path)
    assert (spread.returncode, spread.stdout, spread.stderr) == (1, local.stdout, local.stderr)
    assert spread.stdout == "12\ta.wav\n6789\tc.wav\n"


@pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")
def test_a_corpus_is_perturbed_sharded_and_cut_as_without_a_cluster(cluster, tmp_path):
    rows = []
    voice = next(one for one in Flite().voices("en") if "slt" in one.name)
    for name, words in {"a": "one five four", "b": "nine six two", "c": "seven three eight"}.items():
        (waveform,) = Flite().render([Line(words, voice)])
        seconds = audio.write(tmp_path / f"{name}.wav", waveform)
        rows.append(Utterance(f"{name}.wav", seconds, label_of(words), "ann", words=words))
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    manifest.write(tmp_path / "said.json", rows)
    manifest.write(tmp_path / "broken.json", [*rows, Utterance("broken.wav", 1.0, "1", "ann", words="one")])
    noisy = ["perturb_corpus.py", "said.json", "white_noise.max_level=-40", "gain.min_gain_dbfs=-6"]
    sharded = ["make_shards.py", "said.json", "--utterances-per-shard", 2]
    cut = ["cut_digits.py", "broken.json", "--strings-per-speaker", 2]
    for script, *arguments in (noisy, sharded, cut):
        told, made = [], []
        for more in ([], ["--scheduler", cluster.address]):
            done = command(ROOT / "scripts" / script, *arguments, "--out", "out", *more, folder=tmp_path)
            assert done.returncode == 0, done.stderr
            told.append((done.stdout, done.stderr))
            made.append(files(tmp_path / "out"))
            shutil.rmtree(tmp_path / "out")
        assert told[0] == told[1]
        assert made[0] == made[1]
    assert "left out: cannot decode" in told[0][1]


def test_a_file_that_changed_since_the_last_command_is_read_anew(cluster, tmp_path):
    audio.write(tmp_path / "a.wav", played("12").astype("float32"), RATE)
    tone_model(tmp_path / "tones.onnx")
    transcribe = ["-m", "spoken_numbers", "transcribe", "tones.onnx", *["a.wav"] * 4, "--one-of", "codes.txt"]
    for code in ("12", "22"):
        (tmp_path / "codes.txt").write_text(code)
        done = command(*transcribe, "--scheduler", cluster.address, folder=tmp_path)
        assert done.stdout == f"{code}\ta.wav\n" * 4


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path, address):
    begun = time.monotonic()
    done = command(ROOT / "scripts" / "prepare_fsdd.py", "corpus", "--scheduler", address, folder=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(rf"error: no Dask scheduler answers – {address} – .*\n", done.stderr)
    assert time.monotonic() - begun < 20


@pytest.mark.slow
def test_a_scheduler_without_workers_is_a_user_error(tmp_path):
    with (
        dask_cluster(tmp_path, workers=0) as cluster,
        pytest.raises(ClusterError, match="the scheduler has no workers"),
        scheduled_on(cluster.address),
    ):
        pass


def test_a_worker_killed_in_mid_run_costs_nothing(tmp_path):
    with dask_cluster(tmp_path) as cluster, scheduled_on(cluster.address):
        done = map_each(slow_double, range(10, 200))
        first = [next(done) for _ in range(10)]
        kill_busy_worker(cluster)
        assert [*first, *done] == [2 * number for number in range(10, 200)]
        assert sorted(worker.poll() or 0 for worker in cluster.workers) == [-signal.SIGKILL, 0]


def kill_busy_worker(cluster: DaskCluster) -> None:
    cluster.workers[cluster.busy()[0]].kill()


def test_an_item_that_kills_its_worker_costs_one_row(tmp_path):
    with dask_cluster(tmp_path, allowed_failures=1, nanny=True) as cluster, scheduled_on(cluster.address):
        done = list(map_each(deadly, range(10, 60), named=lambda number: f"number {number}"))
    assert [n for n, one in enumerate(done, 10) if type(one) is DeadProcessError] == [41, 42]
    assert "number 42" in str(done[42 - 10])
    assert [one for one in done if not isinstance(one, UserError)] == [
        2 * n for n in range(10, 60) if n not in (41, 42)
    ]


def test_a_scheduler_that_goes_away_is_a_user_error(tmp_path):
    with dask_cluster(tmp_path) as cluster, scheduled_on(cluster.address):
        done = map_each(slow_double, range(10, 400))
        next(done)
        cluster.scheduler.kill()
        with pytest.raises(ClusterError, match="the scheduler went away"):
            list(done)
