"""scripts/prepare_synthetic.py as people type it."""

import shutil
from pathlib import Path

import pytest
from commands import run

SCRIPT = Path(__file__).parents[2] / "scripts" / "prepare_synthetic.py"

pytestmark = pytest.mark.skipif(shutil.which("flite") is None, reason="needs flite")


def prepare(out, *arguments):
    return run(SCRIPT, "--out", out, "--engines", "flite", "--jobs", "1", *arguments)


def test_it_tells_what_it_made(tmp_path):
    done = prepare(tmp_path, "--utterances", "3", "--validation-utterances", "1", "--test-utterances", "1")
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path / 'train.json'}: 3 utterances" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--styles sung=1", "sung"),
        ("--length none", "none"),
        ("--pattern [", "regular expression"),
        ("--pattern a{3}", "matches 'aaa'"),
        ("--language xx", "language 'xx'"),
        ("--engines loudspeaker", "loudspeaker"),
        ("--language ru", "no voice for 'ru'"),
        ("--test-voice kal --test-voice awb --test-voice rms --test-voice slt", "left for train"),
        ("--test-voice nobody", "nobody"),
        ("--utterances 5 --hours 1", "both"),
    ],
)
def test_bad_input_is_one_line_and_status_2(tmp_path, arguments, told):
    done = prepare(tmp_path / "out", *arguments.split())
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert not (tmp_path / "out").exists()
