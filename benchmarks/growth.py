"""How time and memory grow with a corpus: checking a manifest, writing shards, transcribing, and resuming a training.

    python3 benchmarks/growth.py [--largest 10000] [--plot outputs/growth.png]

Each figure is one run of the real command, with its start: seconds by the clock, and the memory of its largest process.
Recordings are 200 synthetic utterances of 3.5 s under as many names (hard links) as a size asks for.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from material import SECONDS, spoken, write
from matplotlib.figure import Figure

from spoken_numbers.cli import run
from spoken_numbers.files import written_whole

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models" / "quartznet_5x1_int8.onnx"
DISTINCT = 200
TINY = ["size.widths=[16,16,16,16,16]", "size.kernels=[11,11,11,11,11]", "size.prologue=16", "size.epilogue=[16,16]"]


WATCHED = """
import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print("\\n", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""  # in a small process of its own, since a process begins with the peak of the one that starts it


@dataclass(frozen=True)
class Measured:
    job: str
    size: int
    seconds: float
    megabytes: float


def main(
    largest: Annotated[
        int, typer.Option(min=1000, help="recordings; manifests have up to a hundred times the rows")
    ] = 10_000,
    plot: Annotated[Path, typer.Option(help="of all of it, .png or .svg")] = Path("outputs/growth.png"),
) -> None:
    """Print a table and write a plot."""
    done: list[Measured] = []
    print("| job | size | seconds | largest process, MB | against the first |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for group in _groups(Path(folder), largest):
            first = None
            for one in group:
                first = first or one
                ratio = "" if one is first else f"{first.seconds / one.seconds:.2f}× as fast"
                cells = [one.job, str(one.size), f"{one.seconds:.1f}", f"{one.megabytes:.0f}", ratio]
                print(f"| {' | '.join(cells)} |", flush=True)
                done.append(one)
    with written_whole(plot) as temporary:
        _drawn(done).savefig(temporary, dpi=150)
    print(f"\n{plot}: seconds and memory against size")


def _groups(folder: Path, largest: int) -> Iterator[Iterator[Measured]]:
    """Runs that are to be compared with the first of them where they are as large."""
    heard = spoken(DISTINCT)
    made = write(folder, "said", [one for one, _ in heard], [label for _, label in heard])
    distinct = [folder / json.loads(line)["audio_filepath"] for line in made.read_text().splitlines()]
    labels = [label for _, label in heard]
    for size in (largest, 10 * largest, 100 * largest):
        manifest = _manifest(folder / "rows.json", [f"{n:08d}.wav" for n in range(size)], labels)
        yield iter([_measured("check rows", size, "scripts/check_manifest.py", manifest, "--no-audio")])
    for size in (largest // 10, largest // 3, largest):
        corpus = folder / f"corpus{size}"
        manifest = _linked(corpus, distinct, labels, size)
        yield iter([_measured("check headers", size, "scripts/check_manifest.py", manifest, "--headers")])
        yield (
            _measured(
                f"shards, {jobs}",
                size,
                "scripts/make_shards.py",
                manifest,
                "--out",
                folder / f"{size}_{jobs}",
                "--jobs",
                jobs,
            )
            for jobs in (1, 2)
        )
        transcribe = ("-m", "spoken_numbers", "transcribe", MODEL, corpus)
        yield (_measured(f"transcribe, {n}", size, *transcribe, "--processes", n) for n in (1, 2))
        yield _resumed(folder / f"trained{size}", manifest, made, size)


def _resumed(exp_dir: Path, train: Path, validation: Path, size: int) -> Iterator[Measured]:
    """One step of a training anew, and one more of it when it goes on."""
    pair = {"train": train, "validation": validation}
    keys = [f"model.{name}_ds.manifest_filepath={manifest}" for name, manifest in pair.items()]
    limits = ["trainer.max_epochs=-1", "+trainer.limit_val_batches=0", "trainer.accelerator=cpu", "name=one"]
    command = ["train_quartznet.py", "conf/quickstart.yaml", *TINY, *keys, *limits, f"exp_manager.exp_dir={exp_dir}"]
    for steps, job in ((1, "train, first step"), (2, "resume, next step")):
        yield _measured(job, size, *command, f"trainer.max_steps={steps}")


def _measured(job: str, size: int, *words: object) -> Measured:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WATCHED, sys.executable, *map(str, words)]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{job} of {size} failed: {done.stderr[-1000:]}")
    return Measured(job, size, seconds, int(done.stdout.split()[-1]) / 1024)


def _manifest(path: Path, names: list[str], labels: list[str]) -> Path:
    with path.open("w") as out:
        for index, name in enumerate(names):
            row = {"audio_filepath": name, "duration": SECONDS, "text": labels[index % len(labels)], "speaker": "one"}
            out.write(json.dumps(row) + "\n")
    return path


def _linked(corpus: Path, recordings: list[Path], labels: list[str], size: int) -> Path:
    names = [f"{n // 1000:05d}/{n:08d}.wav" for n in range(size)]
    for index, name in enumerate(names):
        link = corpus / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.hardlink_to(recordings[index % len(recordings)])
    return _manifest(corpus / "all.json", names, labels)


def _drawn(done: list[Measured]) -> Figure:
    figure = Figure((11, 4.5), layout="constrained")
    time_axes, memory_axes = figure.subplots(1, 2)
    for job in dict.fromkeys(one.job for one in done):
        of_job = [one for one in done if one.job == job]
        sizes = [one.size for one in of_job]
        time_axes.plot(sizes, [one.seconds for one in of_job], marker=".", label=job)
        memory_axes.plot(sizes, [one.megabytes for one in of_job], marker=".")
    time_axes.set(xscale="log", yscale="log", xlabel="rows or recordings", ylabel="seconds, with the start")
    memory_axes.set(xscale="log", yscale="log", xlabel="rows or recordings", ylabel="largest process, MB")
    for axes in (time_axes, memory_axes):
        axes.grid(visible=True, which="both", alpha=0.3)
    time_axes.legend(fontsize=7)
    return figure


run(main)
