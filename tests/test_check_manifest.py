"""scripts/check_manifest.py, as it is run."""

import json
import subprocess
from pathlib import Path

import pytest
from commands import ROOT, run
from manifest_makers import row, write

COMMAND = ROOT / "scripts" / "check_manifest.py"


def check(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(COMMAND, *arguments, cwd=folder)


def test_the_command_ends_with_0_when_all_is_clean(good_manifest, tmp_path):
    done = check(good_manifest.name, "--fix", "--jobs", 1, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "good.json: 3 utterances, 0.00 h, 2 speakers",
        "  symbols per label:",
        f"      4 {'█' * 40} 3",
        "  no faults",
        "good.json: nothing to fix",
    ]
    assert list(tmp_path.glob("*fixed*")) == []


def test_the_command_keeps_exactly_the_good_rows(good_manifest, tone, tmp_path):
    tone(tmp_path / "c1.wav")
    kept = [json.dumps(row("c1.wav", "12", speaker="c", style="digits", lang="ru")), "  "]
    left_out = [row("c1.wav"), row("a1.wav"), row("ы.wav", "x"), "{", row("none.wav", speaker="\ud800")]
    write(tmp_path / "test.json", left_out[3], kept[0], *left_out)
    before = (tmp_path / "test.json").read_bytes()
    done = check("good.json", "test.json", "--fix", folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert (tmp_path / "test.fixed.json").read_text() == kept[0] + "\n"
    assert (tmp_path / "test.json").read_bytes() == before
    assert not (tmp_path / "good.fixed.json").exists()
    faults, summary = done.stdout.split("good.json: 3 utt")[0], done.stdout.split("test.json: 5 utt")[1]
    assert [line.split(" – ")[-2] for line in faults.splitlines()] == [
        f"test.json:{number}" for number in (1, 3, 4, 5, 5, 6, 7)
    ]
    assert summary.splitlines()[1:] == [
        "  styles: unknown 4, digits 1",
        "  symbols per label:",
        f"      1 {'█' * 13} 1",
        f"      2 {'█' * 13} 1",
        f"      4 {'█' * 40} 3",
        "  7 faults in 6 rows:",
        "          2  not a JSON object",
        "          2  unreadable recording",
        "          1  duplicate recording",
        "          1  recording in two splits",
        "          1  text is no label",
        "  1 good rows of 7 remain",
        "good.json: nothing to fix",
        "test.fixed.json: 1 utterances, 0.00 h, 1 speakers",
        "  left out 1: duplicate recording",
        "  left out 2: not a JSON object",
        "  left out 1: recording in two splits",
        "  left out 1: text is no label",
        "  left out 1: unreadable recording",
    ]
    assert check("good.json", "test.fixed.json", "--jobs", 1, folder=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json"], "cannot read manifest: No such file or directory – none.json – check the path"),
        (["good.json", "./good.json"], "manifest is given twice – {}/good.json – name it once"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(arguments, message, good_manifest, tmp_path):
    done = check(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {message.format(tmp_path)}\n")


@pytest.mark.parametrize("arguments", [[], ["good.json", "--frame-stride", "0"], ["good.json", "--bogus"]])
def test_wrong_usage_is_one_line_that_points_to_the_help(arguments, tmp_path):
    done = check(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(" – check_manifest.py – see --help\n")
