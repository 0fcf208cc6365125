import multiprocessing
import os
import signal
from itertools import count, islice

import pytest

from spoken_numbers.audio import AudioError
from spoken_numbers.batch import DeadProcessError
from spoken_numbers.errors import UserError
from spoken_numbers.parallel import map_each


def double(number: int) -> int:
    if number == 3:
        raise AudioError("three is bad", where="here", todo="skip it")
    if number < 0:
        raise ZeroDivisionError
    return 2 * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order_and_a_user_error_in_its_place(jobs):
    done = list(map_each(double, range(200), what="", jobs=jobs))
    assert [one for one in done if not isinstance(one, UserError)] == [2 * n for n in range(200) if n != 3]
    assert type(done[3]) is AudioError
    assert str(done[3]) == "three is bad – here – skip it"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_is_raised(jobs):
    with pytest.raises(ZeroDivisionError):
        list(map_each(double, [1, -1], what="", jobs=jobs))


@pytest.mark.parametrize("jobs", [1, 2])
def test_endless_items_are_read_only_a_little_ahead(jobs):
    items = count(10)
    assert list(islice(map_each(double, items, what="", jobs=jobs), 5)) == [20, 22, 24, 26, 28]
    assert next(items) < 300


@pytest.mark.parametrize("start_method", [None, "spawn"])
def test_a_process_killed_in_mid_run_costs_nothing(start_method):
    done = map_each(double, range(10, 300), jobs=2, start_method=start_method)
    first = [next(done) for _ in range(5)]
    killed = multiprocessing.active_children()[0]
    killed.kill()
    assert [*first, *done] == [2 * number for number in range(10, 300)]
    assert killed.exitcode == -signal.SIGKILL


def deadly(number: int) -> int:
    if number in (41, 42, 250):
        os.kill(os.getpid(), signal.SIGKILL)
    return double(number)


def test_an_item_that_kills_its_process_costs_one_row():
    done = list(map_each(deadly, range(10, 300), jobs=2, named=lambda number: f"number {number}"))
    dead = {number: one for number, one in enumerate(done, 10) if isinstance(one, UserError)}
    assert [number for number in dead if type(dead[number]) is DeadProcessError] == [41, 42, 250]
    assert str(dead[42]).startswith("the process died while working on it – number 42 – ")
    assert [one for one in done if one not in dead.values()] == [2 * n for n in range(10, 300) if n not in dead]
