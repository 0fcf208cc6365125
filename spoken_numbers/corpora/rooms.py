"""Simulated rooms: impulse responses of random shoebox rooms, where no measured ones are at hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyroomacoustics
from pyroomacoustics.simulation import rt

from spoken_numbers.audio import SAMPLE_RATE
from spoken_numbers.corpora.impulses import finish
from spoken_numbers.corpora.pieces import Pieces, make_pieces, write_splits
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import Made
from spoken_numbers.stamp import stamp

CORPUS = "simulated"
SMALLEST, LARGEST = (2.5, 2.5, 2.3), (10.0, 8.0, 4.0)
"""Metres: length, width, height; a bathroom to a lecture room."""

SCATTERING = (0.1, 0.4)
MARGIN = 0.5
"""Metres from every wall; the sphere that counts rays around a microphone then lies inside the room."""

DISTANCE = (0.3, 4.0)
"""Metres from mouth to microphone, drawn evenly on a logarithmic scale: as much near speech as far."""

IMAGE_ORDER = 3
RAYS = 1000
DENSE_FROM = 0.02
"""Seconds; from here on so many reflections arrive that the tail is as dense as noise."""

SABINE = 0.161
"""s/m, 24 ln(10) / c at 20 °C."""

Point = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Room:
    """One room, drawn from (seed, index); every position in it draws from (seed, index, position)."""

    seed: int
    index: int
    positions: int
    t60: tuple[float, float]
    seconds: float
    out: Path
    sources: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        return f"room{self.index:05d}"

    @cached_property
    def drawn(self) -> tuple[float, Point, float]:
        """T60 aimed at in seconds, sides in metres, and the walls' scattering coefficient."""
        rng = np.random.default_rng((self.seed, self.index))
        return float(rng.uniform(*self.t60)), rng.uniform(SMALLEST, LARGEST), float(rng.uniform(*SCATTERING))


def prepare(
    out: Path,
    rooms: int = 100,
    positions: int = 4,
    shortest_t60: float = 0.1,
    longest_t60: float = 1.0,
    seconds: float = 1.0,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> list[Made]:
    """Write simulated responses as ``impulses.prepare`` writes measured ones; no room is on both sides.

    Shoebox rooms by pyroomacoustics: image sources up to the third order, rays beyond, air absorption. The walls
    absorb what Eyring's formula asks for the T60, drawn evenly; the T60 measured (``t60``) differs from the one aimed
    at (``aimed_t60``), since air absorbs too and a shoebox is no diffuse field. More rooms leave the first ones, and
    their sides of the split, as they are.

    Args:
        positions: pairs of a mouth and a microphone in each room.
        shortest_t60, longest_t60: seconds.

    Raises:
        UserError: a T60 range upside down, nothing to train on, or ``out`` was made with other options.
    """
    if not 0 < shortest_t60 <= longest_t60:
        raise UserError(
            f"T60 from {shortest_t60} to {longest_t60} s is no range", where="--shortest-t60", todo="swap the two"
        )
    bounds = (shortest_t60, longest_t60)
    stamp(
        out,
        {
            "corpus": CORPUS,
            "positions": positions,
            "t60": list(bounds),
            "seconds": seconds,
            "test_fraction": test_fraction,
            "seed": seed,
        },
    )
    jobs = [Room(seed, index, positions, bounds, seconds, out) for index in range(rooms)]
    results = make_pieces(_simulate, jobs, out, "rooms", unit="room")
    split = ("test" if _is_held_out(job.index, test_fraction) else "train" for job in jobs)
    return write_splits(out, zip(split, results, strict=True), {})


def _is_held_out(index: int, fraction: float) -> bool:
    """Evenly spread, so that the side of a room does not depend on how many follow it."""
    return int((index + 1) * fraction + 1e-9) > int(index * fraction + 1e-9)


def _simulate(room: Room) -> Pieces:
    t60, _, _ = room.drawn
    clips = []
    for position in range(room.positions):
        response = _response(room, position)
        name = f"{room.name}_{position:02d}"
        clip = finish(response, room.out, name, room.seconds, CORPUS, room.name, name)
        clips.append(replace(clip, aimed_t60=round(t60, 3)))
    return Pieces(tuple(clips), {})


def _response(room: Room, position: int) -> npt.NDArray[np.float32]:
    t60, sides, scattering = room.drawn
    rng = np.random.default_rng((room.seed, room.index, position))
    mouth, microphone = _place(sides, rng)
    # Rays and the noise of their tail are drawn from generators that are global to pyroomacoustics, and its threads
    # add samples up in any order: seeded before each response, on one thread, the bytes depend on the seed alone.
    pyroomacoustics.constants.set("num_threads", 1)
    pyroomacoustics.random.seed(int(rng.integers(2**31)), int(rng.integers(2**31)))
    box = pyroomacoustics.ShoeBox(
        sides,
        fs=SAMPLE_RATE,
        materials=pyroomacoustics.Material(_absorption(sides, t60), scattering),
        max_order=IMAGE_ORDER,
        ray_tracing=True,
        air_absorption=True,
    )
    box.set_ray_tracing(n_rays=RAYS, receiver_radius=MARGIN)
    box.add_source(mouth)
    box.add_microphone(microphone)
    with _dense_tail():
        box.compute_rir()
    return np.asarray(box.rir[0][0], np.float32)


@contextmanager
def _dense_tail() -> Iterator[None]:
    """Let no hole be in the decay.

    pyroomacoustics 0.10.1 begins the random sequence of its tail when the direct sound arrives, at the rate at which
    reflections arrive then. With the mouth near the microphone that is a few a second, and the tail may set in 0.2 s
    late and 40 dB louder than what came before. Here the sequence has the rate of ``DENSE_FROM`` at its start.
    """
    published = rt.poisson_sequence

    def dense(volume: float, duration: float, c: float, *, t0: float) -> tuple[float, Point]:
        start, times = published(volume, duration, c, t0=max(t0, DENSE_FROM))
        return t0, times + (t0 - start)

    rt.poisson_sequence = dense
    try:
        yield
    finally:
        rt.poisson_sequence = published


def _absorption(sides: Point, t60: float) -> float:
    """Of every wall, for energy, by Eyring's formula (J. Acoust. Soc. Am. 1, 1930)."""
    length, width, height = sides
    surface = 2 * (length * width + width * height + length * height)
    return float(1 - np.exp(-SABINE * sides.prod() / (surface * t60)))


def _place(sides: Point, rng: np.random.Generator) -> tuple[Point, Point]:
    """A mouth, and a microphone at a drawn distance in a drawn direction; both ``MARGIN`` off the walls."""
    while True:
        mouth = rng.uniform(MARGIN, sides - MARGIN)
        distance = np.exp(rng.uniform(*np.log(DISTANCE)))
        direction = rng.standard_normal(3)
        microphone = mouth + distance * direction / np.linalg.norm(direction)
        if np.all(microphone >= MARGIN) and np.all(microphone <= sides - MARGIN):
            return mouth, microphone
