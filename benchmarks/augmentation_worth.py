"""What augmentation is worth: models on held-out speakers, clean and through noise, a room and a telephone line.

    python3 benchmarks/augmentation_worth.py MODEL … --manifest data/an4/test.json \\
        --noise data/noise/test.json --room data/measured_rooms/test.json

Each condition is a perturbed copy of the manifests (scripts/perturb_corpus.py), the same for every model; noise and
rooms are drawn ``--copies`` times for each utterance.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from spoken_numbers.acoustic import open_acoustic
from spoken_numbers.assessment.evaluation import evaluate
from spoken_numbers.augmentation.config import chain_of
from spoken_numbers.augmentation.corpus import perturb_corpus
from spoken_numbers.cli import run

SNRS_DB = (20, 10, 5, 0)


def main(
    models: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)],
    manifest: Annotated[list[Path], typer.Option(exists=True, dir_okay=False, help="held-out speakers; repeatable")],
    noise: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="manifest of held-out noise")],
    room: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="manifest of a held-out room")],
    out: Annotated[Path, typer.Option(help="folder for the perturbed copies")] = Path("data/worth"),
    copies: Annotated[int, typer.Option(min=1)] = 4,
) -> None:
    """Print string accuracy, with counts, of each model in each condition: one table for each manifest."""
    acoustics = [open_acoustic(model) for model in models]
    for source in manifest:
        print(f"\n{source}\n\n| condition | " + " | ".join(model.stem for model in models) + " |")
        print("|---|" + "---|" * len(models), flush=True)
        for name, augment in _conditions(noise, room).items():
            heard = _perturbed(source, augment, out / source.parent.name / source.stem / name, copies)
            cells = []
            for acoustic in acoustics:
                counts = evaluate(acoustic, [heard]).overall
                cells.append(f"{100 * counts.string_accuracy:.1f} % [{counts.strings_right}/{counts.strings}]")
            print(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |", flush=True)


def _conditions(noise: Path, room: Path) -> dict[str, dict[str, dict[str, Any]]]:
    noisy = {
        f"noise_{snr}_dB": {"noise": {"manifest_path": str(noise), "min_snr_db": snr, "max_snr_db": snr}}
        for snr in SNRS_DB
    }
    room_alone = {"impulse": {"manifest_path": str(room)}}
    return {"clean": {}, **noisy, "room": room_alone, "G.711": {"transcode_aug": {"codecs": ["alaw", "mulaw"]}}}


def _perturbed(source: Path, augment: dict[str, dict[str, Any]], out: Path, copies: int) -> Path:
    if not augment:
        return source
    certain = {name: {"prob": 1.0, **keys} for name, keys in augment.items()}
    return perturb_corpus(source, chain_of(certain), out, copies, 0, {"augment": certain}).path


run(main)
