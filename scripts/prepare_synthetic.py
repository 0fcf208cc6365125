"""Text-to-speech engines → NeMo manifests of spoken numbers, split by voice."""

from pathlib import Path
from typing import Annotated

import typer

from spoken_numbers.cli import SchedulerOption, report_made, run
from spoken_numbers.parallel import scheduled_on
from spoken_numbers.synthesis import corpus, text


def main(
    out: Annotated[Path, typer.Option(help="folder for audio and manifests")] = Path("data/synthetic"),
    language: Annotated[str, typer.Option(help="en or ru")] = "en",
    styles: Annotated[str, typer.Option(help="how often each style")] = "digits=0.4,groups=0.2,cardinal=0.4",
    length: Annotated[str, typer.Option(help="digits per string: 6, or 3-6")] = "3-6",
    pattern: Annotated[
        str | None, typer.Option(help=r"numbers by regular expression (4\d{3}), not by length and below")
    ] = None,
    below: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="cardinals are below it")] = 1_000_000,
    utterances: Annotated[int | None, typer.Option(min=0, help="to train on; 10000 by default")] = None,
    hours: Annotated[float | None, typer.Option(min=0.001, help="to train on, in place of --utterances")] = None,
    validation_utterances: Annotated[int, typer.Option(min=0)] = 500,
    test_utterances: Annotated[int, typer.Option(min=0)] = 500,
    engines: Annotated[
        str, typer.Option(help="for example espeak,flite; all installed but the neural ones by default")
    ] = "",
    held_out_fraction: Annotated[
        float, typer.Option(min=0, max=1, help="of each engine's voices, for test and again for validation")
    ] = 0.1,
    validation_voice: Annotated[list[str] | None, typer.Option(help="for example espeak-ng:Annie; repeatable")] = None,
    test_voice: Annotated[list[str] | None, typer.Option(help="for example flite:slt; repeatable")] = None,
    seed: int = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; all cores by default")] = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Have numbers spoken by text-to-speech engines, with voices for validation and test that never train."""
    texts = text.parse(language, styles, length, pattern, below)
    with scheduled_on(scheduler):
        made = corpus.prepare(
            out,
            texts,
            corpus.sizes(utterances, hours, validation_utterances, test_utterances),
            engines=corpus.chosen(engines.split(",")) if engines else None,
            held_out=held_out_fraction,
            validation_voices=validation_voice or (),
            test_voices=test_voice or (),
            seed=seed,
            jobs=jobs,
        )
    report_made(made)


run(main)
