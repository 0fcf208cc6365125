"""Figures of readings whose answers are known, through JSON, CSV and the page."""

import csv
import json
import math
import re

import numpy as np
import pytest

from spoken_numbers import audio, manifest
from spoken_numbers.assessment import figures
from spoken_numbers.assessment.evaluation import evaluate, evaluate_reader
from spoken_numbers.assessment.report import write_report
from spoken_numbers.assessment.run_file import as_json, compare, read_run, write_csv, write_json
from spoken_numbers.assessment.summary import lines
from spoken_numbers.decoding.decoded import Character, Decoded
from spoken_numbers.errors import UserError
from spoken_numbers.labels import LABELS
from spoken_numbers.manifest import ManifestError, Utterance


def corpus(folder, references, speakers=None):
    """Recordings of noise; row i has the i-th reference."""
    rng = np.random.default_rng(0)
    rows = []
    for place, reference in enumerate(references):
        audio.write(folder / f"{place}.wav", (0.1 * rng.standard_normal(8000)).astype(np.float32))
        speaker = speakers[place] if speakers else ""
        rows.append(Utterance(f"{place}.wav", 0.5, reference, speaker, style="digits", noise="street", snr_db="10"))
    manifest.write(folder / "test.json", rows)
    return folder / "test.json"


def says(answers, confidences=None):
    """A reader that gives these answers to all it hears, in turn."""

    def read(waveforms):
        for place, _ in enumerate(waveforms):
            answer = answers[place % len(answers)]
            confidence = confidences[place % len(answers)] if confidences else 0.9
            yield Decoded(answer, confidence, tuple(Character(c, 0.1, 0.2, 0.9) for c in answer))

    return read


def test_confusions_and_positions_are_those_of_the_alignment(tmp_path):
    source = corpus(tmp_path, ["123", "45", "6"])
    readings = evaluate_reader(says(["124", "4", "76"]), [source]).all()
    confusion = figures.confusion(readings)
    assert confusion["3"]["4"] == confusion["5"]["-"] == confusion["-"]["7"] == 1
    assert sum(sum(row.values()) for row in confusion.values()) == 7
    assert [(p["digits"], p["wrong"]) for p in figures.by_position(readings)] == [(3, 0), (2, 1), (1, 1)]


def test_calibration_error_is_the_distance_of_confidence_from_accuracy(tmp_path):
    source = corpus(tmp_path, ["1"] * 4)
    readings = evaluate_reader(says(["1", "1", "1", "2"], [0.95, 0.95, 0.95, 0.95]), [source]).all()
    assert figures.calibration(readings)["expected_calibration_error"] == pytest.approx(0.2)


def test_rejecting_the_unsure_leaves_what_is_right_and_takes_equal_confidences_together(tmp_path):
    source = corpus(tmp_path, ["1"] * 4)
    readings = evaluate_reader(says(["1", "2", "1", "2"], [0.9, 0.3, 0.9, 0.3]), [source]).all()
    points = figures.coverage(readings)
    assert [(p["coverage"], p["accuracy"]) for p in points] == [(0.5, 1.0), (1.0, 0.5)]


def test_a_number_where_none_was_said_is_a_false_acceptance(tmp_path):
    source = corpus(tmp_path, ["", "", "", "5"])
    result = figures.false_acceptance(evaluate_reader(says(["", "7", "", "5"]), [source]).all())
    assert (result["strings"], result["accepted"], result["rate"]) == (3, 1, pytest.approx(1 / 3))


def test_rejecting_one_number_in_a_hundred_rejects_what_is_no_surer(tmp_path):
    source = corpus(tmp_path, ["", "", "", *["5"] * 100])
    unsure, next_to_it = 0.2, 0.4
    confidences = [0.3, 0.4, 0.9, unsure, next_to_it, *[0.95] * 98]
    readings = evaluate_reader(says(["7", "7", "", *["5"] * 100], confidences), [source]).all()
    result = figures.false_acceptance(readings)
    assert (result["accepted"], result["reject_below"], result["accepted_when_rejecting"]) == (2, next_to_it, 1)


def test_groups_follow_the_fields_that_rows_carry(tmp_path):
    source = corpus(tmp_path, ["1", "22", "3"], ["ann", "ann", "bob"])
    groups = figures.groups(evaluate_reader(says(["1", "22", "4"]), [source]).all())
    assert groups.keys() == {"style", "length", "speaker", "noise", "snr_db"}
    assert groups["speaker"]["bob"]["strings_right"] == 0
    assert groups["snr_db"]["10"]["strings"] == 3
    assert groups["length"]["2"]["strings_right"] == 1


@pytest.mark.parametrize("references", [["1"], ["1", "2"], [""], ["1", "2", "3", "45*678"]])
@pytest.mark.parametrize("right", [True, False])
def test_a_report_stands_for_any_manifest(tmp_path, references, right):
    source = corpus(tmp_path, references)
    evaluation = evaluate_reader(says(references if right else ["999"]), [source])
    write_json(as_json(evaluation, "model"), tmp_path / "run.json")
    run = json.loads((tmp_path / "run.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert run["overall"]["strings_right"] == (len(references) if right else 0)
    assert "\n".join(lines(evaluation))
    page = write_report(evaluation, tmp_path, as_json(evaluation, "<script>model")).read_text()
    assert "<script>" not in page
    assert page.count("<audio") == (0 if right else len(references))
    assert not re.search(r"""(src|href)=(?!"data:)""", page)
    assert "http" not in re.sub(r'"data:[^"]*"', "", page)


def test_csv_holds_a_row_for_each_utterance(tmp_path):
    evaluation = evaluate_reader(says(["1", "3"]), [corpus(tmp_path, ["1", "2"])])
    write_csv(evaluation, tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").open(encoding="utf-8")))
    assert [(row["reference"], row["hypothesis"], row["right"]) for row in rows] == [
        ("1", "1", "True"),
        ("2", "3", "False"),
    ]


def test_a_recording_that_cannot_be_read_is_left_out_and_named(tmp_path):
    source = corpus(tmp_path, ["1", "2", "3"])
    (tmp_path / "1.wav").write_bytes(b"RIFF nothing")
    evaluation = evaluate_reader(says(["1", "3"]), [source])
    assert [reading.reference for reading in evaluation.all()] == ["1", "3"]
    assert evaluation.overall.strings_right == 2
    assert "1.wav" in str(evaluation.unreadable[0])


def test_nothing_readable_is_said_and_divides_by_nothing(tmp_path):
    source = corpus(tmp_path, ["1"])
    (tmp_path / "0.wav").unlink()
    evaluation = evaluate_reader(says(["1"]), [source])
    write_json(as_json(evaluation, "model"), tmp_path / "run.json")
    assert read_run(tmp_path / "run.json")["overall"]["string_accuracy"] is None
    assert "no utterance could be read" in "\n".join(lines(evaluation))
    assert write_report(evaluation, tmp_path, as_json(evaluation, "model")).exists()


def test_an_empty_manifest_is_an_error(tmp_path):
    (tmp_path / "empty.json").touch()
    with pytest.raises(ManifestError, match="without rows"):
        evaluate_reader(says(["1"]), [tmp_path / "empty.json"])


def test_a_decoder_gets_the_log_probabilities_and_the_seconds_of_a_frame(tmp_path):
    source = corpus(tmp_path, ["1"])
    frames = np.full((25, len(LABELS) + 1), -math.log(12), np.float32)
    heard = []

    def decoder(log_probs, frame_seconds):
        heard.append((log_probs.shape, frame_seconds))
        return Decoded("1", 1.0, ())

    evaluation = evaluate(lambda waveforms: (frames for _ in waveforms), [source], decoder)
    assert evaluation.overall.strings_right == 1
    assert heard[0] == ((25, 12), pytest.approx(0.02))


def test_runs_are_compared_on_what_both_read(tmp_path):
    source = corpus(tmp_path, ["1", "2", "3"])
    for name, answers in (("a", ["1", "2", "4"]), ("b", ["1", "5", "3"])):
        write_json(as_json(evaluate_reader(says(answers), [source]), name), tmp_path / f"{name}.json")
    one, two = read_run(tmp_path / "a.json"), read_run(tmp_path / "b.json")
    result, differing = compare(one, two)
    assert (result.only_first_right, result.only_second_right, result.p_value) == (1, 1, 1.0)
    assert len(differing) == 2
    with pytest.raises(UserError, match="no utterance in common"):
        compare(one, {**two, "readings": []})
    with pytest.raises(UserError, match="cannot read run"):
        read_run(source)
