"""What people know of a number admits just those numbers, or says in a line why none."""

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import damm, luhn, verhoeff
from stdnum.iso7064 import mod_97_10

from spoken_numbers.decoding.automaton import GrammarError, acceptor, compiled, write
from spoken_numbers.decoding.bound import Bound, admits, compile_bound
from spoken_numbers.decoding.search import BoundDecoder
from spoken_numbers.errors import UserError

SHORT = ["".join(digits) for length in range(1, 5) for digits in product("0123456789", repeat=length)]


def admitted(bound: Bound, among: list[str] = SHORT) -> set[str]:
    machine = compile_bound(bound)
    return {number for number in among if admits(machine, number)}


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        *(("luhn", luhn.is_valid), ("verhoeff", verhoeff.is_valid), ("damm", damm.is_valid)),
        *(("mod97", mod_97_10.is_valid), ("mod11", lambda number: int(number) % 11 == 0)),
    ],
)
def test_checksums_are_those_of_python_stdnum(name, valid):
    assert admitted(Bound(checksum=name)) == {number for number in SHORT if valid(number)}


@given(st.text("0123456789", min_size=2, max_size=40))
def test_checksums_hold_at_any_length(number):
    for name, module in {"luhn": luhn, "verhoeff": verhoeff, "damm": damm}.items():
        checked = number + module.calc_check_digit(number)
        assert admits(compile_bound(Bound(checksum=name)), checked)
        wrong = checked[:-1] + str((int(checked[-1]) + 1) % 10)
        assert not admits(compile_bound(Bound(checksum=name)), wrong)


@pytest.mark.parametrize("limit", [1, 2, 9, 10, 11, 100, 101, 347, 1000])
def test_below_admits_numbers_without_leading_zeros(limit):
    assert admitted(Bound(below=limit)) == {str(number) for number in range(limit)}


def test_patterns_lengths_and_lists_admit_what_they_say(tmp_path):
    assert admitted(Bound(pattern=r"4\d 1-?")) == {f"4{digit}1" for digit in range(10)}
    assert admitted(Bound(pattern=r"[0-2]{2}|77")) == {a + b for a in "012" for b in "012"} | {"77"}
    assert admitted(Bound(digits="2-3")) == {number for number in SHORT if 2 <= len(number) <= 3}
    codes = tmp_path / "codes.txt"
    codes.write_text("12\n123\n\n4 5-6\n12\n0012\n")
    assert admitted(Bound(one_of=codes)) == {"12", "123", "456", "0012"}


def test_bounds_combine(tmp_path):
    both = {number for number in SHORT if len(number) == 4 and luhn.is_valid(number)}
    assert admitted(Bound(digits="4", checksum="luhn")) == both
    codes = tmp_path / "codes.txt"
    codes.write_text("\n".join(SHORT[:500]))
    assert admitted(Bound(one_of=codes, checksum="luhn")) == {one for one in SHORT[:500] if luhn.is_valid(one)}


def test_a_saved_grammar_is_read_and_its_costs_count(tmp_path):
    import kaldifst

    fst = acceptor([(0, 1, 1), (0, 2, 1)], [1])
    fst.write(str(tmp_path / "plain.fst"))
    assert admitted(Bound(grammar=tmp_path / "plain.fst")) == {"1", "2"}
    frames = np.full((3, 12), -9.0, np.float32)
    frames[:, 1], frames[:, 2] = -0.5, -1.0
    assert BoundDecoder(compiled([fst], ""))(frames, 0.04).digits == "1"
    costly = kaldifst.compile("0 1 2 2 2.0\n0 1 3 3 0.0\n1 0.25\n")
    (best, *_) = BoundDecoder(compiled([costly], "")).n_best(frames, 0.04, 2)
    assert (best.decoded.digits, best.score) == ("2", pytest.approx(-3.25))


@pytest.mark.parametrize("known", [{"digits": "2-3", "checksum": "luhn"}, {"below": 347}, {"pattern": r"4\d|7"}])
def test_what_is_compiled_admits_the_same_from_its_file(tmp_path, known):
    write(compile_bound(Bound(**known)), tmp_path / "saved.fst")
    assert admitted(Bound(grammar=tmp_path / "saved.fst")) == admitted(Bound(**known))


def test_many_codes_are_saved_and_read_back(tmp_path):
    codes = random.Random(0).sample(range(10**9), 50_000)
    (tmp_path / "codes.txt").write_text("\n".join(f"{code:09}" for code in codes))
    write(compile_bound(Bound(one_of=tmp_path / "codes.txt")), tmp_path / "codes.fst")
    machine = compile_bound(Bound(grammar=tmp_path / "codes.fst"))
    assert all(admits(machine, f"{code:09}") for code in codes[:1000])
    assert not admits(machine, f"{(set(range(1000)) - set(codes)).pop():09}")


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (Bound(), "nothing is known"),
        (Bound(digits="0"), "no number of digits"),
        (Bound(digits="64"), "at most 63"),
        (Bound(digits="six"), "no number of digits"),
        (Bound(pattern="4("), "no regular expression.*4\\("),
        (Bound(pattern="[a-f]+"), "no number is admissible"),
        (Bound(pattern="4{3", digits="2"), "no number is admissible|no regular expression"),
        (Bound(digits="2", below=10), "no number is admissible.*--digits 2 --below 10"),
        (Bound(checksum="lunh"), "unknown checksum 'lunh'.*luhn"),
        (Bound(below=0), "--below"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(bound, said):
    with pytest.raises(UserError, match=said) as raised:
        compile_bound(bound)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"12\nx3\n", r"'x3' is no number.*:2"),
        (b"\n \n", "empty list"),
        (b"\xff\xfe", "not UTF-8"),
        (None, "cannot read"),
    ],
)
def test_a_broken_list_is_named(tmp_path, content, said):
    path = tmp_path / "codes.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GrammarError, match=said):
        compile_bound(Bound(one_of=path))


def test_no_grammar_is_named(tmp_path):
    broken = tmp_path / "broken.fst"
    broken.write_bytes(b"nothing")
    for path, said in ((broken, "cannot read grammar"), (tmp_path / "missing.fst", "no such grammar")):
        with pytest.raises(GrammarError, match=said):
            compile_bound(Bound(grammar=path))
