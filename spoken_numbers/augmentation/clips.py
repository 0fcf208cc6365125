"""Short recordings that perturbations mix in: read once, kept in memory within a bound."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from spoken_numbers import audio
from spoken_numbers.audio import SAMPLE_RATE, FloatArray
from spoken_numbers.augmentation.perturbation import AugmentationError
from spoken_numbers.errors import UserError
from spoken_numbers.manifest import ManifestError, Utterance, rows, split_by_commas

MEMORY_MB = 512
"""What one set of clips may fill; loader processes that are forked share it. Clips beyond are read when drawn."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One channel of a recording, or of ``duration`` seconds of it from ``offset`` on."""

    path: Path
    channel: int
    offset: float = 0.0
    duration: float | None = None

    def read(self) -> FloatArray:
        """(samples,) at 16 kHz.

        Raises:
            AudioError: a file that cannot be decoded.
            AugmentationError: no samples, silence, or samples that are not finite.
        """
        channels, rate = audio.decode(self.path)
        start = round(self.offset * rate)
        stop = None if self.duration is None else start + round(self.duration * rate)
        mono = np.ascontiguousarray(channels[start:stop, self.channel])
        if not np.isfinite(mono).all():
            raise AugmentationError(
                "recording holds NaN or infinite samples", where=str(self.path), todo="export again"
            )
        if not mono.any():
            what = "recording is silent" if len(mono) else "recording has no samples"
            raise AugmentationError(what, where=str(self.path), todo="take it out of the manifest")
        return audio.resample(mono, rate, SAMPLE_RATE)


class ClipBank:
    """The clips of manifests, one for each channel; ``prepare`` is applied to each when it is read.

    All clips are read at once, up to ``memory_mb``, so that a faulty one is found before training and not during it.

    Args:
        manifest_path: NeMo's key: one path, several joined by commas, or a list. Rows need ``audio_filepath`` alone;
            ``offset`` and ``duration``, in seconds, cut a part out of it.

    Raises:
        ManifestError: a manifest that is missing, holds a bad row or none.
        AugmentationError: recordings that cannot be used: the first three, and how many there are.
    """

    def __init__(
        self,
        manifest_path: str | Sequence[str],
        prepare: Callable[[FloatArray], np.ndarray],
        memory_mb: float = MEMORY_MB,
    ) -> None:
        given = split_by_commas(manifest_path) if isinstance(manifest_path, str) else map(Path, manifest_path)
        self._prepare = prepare
        self._clips: list[Recording] = []
        self._kept: list[np.ndarray] = []
        self._read_all(list(given), memory_mb * 1e6)

    def __len__(self) -> int:
        return len(self._clips)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A clip as prepared; not to be written into."""
        index = int(rng.integers(len(self._clips)))
        return self._kept[index] if index < len(self._kept) else self._prepare(self._clips[index].read())

    def _read_all(self, manifests: Sequence[Path], room: float) -> None:
        faults: list[UserError] = []
        for path, offset, duration in (found for manifest in manifests for found in _recordings(manifest)):
            try:
                channels = _channels(path)
                for clip in (Recording(path, channel, offset, duration) for channel in range(channels)):
                    if room > 0:
                        self._kept.append(self._prepare(clip.read()))
                        self._kept[-1].flags.writeable = False
                        room -= self._kept[-1].nbytes
                    self._clips.append(clip)
            except UserError as error:
                faults.append(error)
        shown = ", ".join(map(str, manifests))
        if faults:
            first = "; ".join(f"{fault.what} ({fault.where})" for fault in faults[:3])
            more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""
            raise AugmentationError(
                f"{len(faults)} unusable {'recording' if len(faults) == 1 else 'recordings'}: {first}{more}",
                where=shown,
                todo="take them out of the manifest, or prepare it again",
            )
        if not self._clips:
            raise ManifestError("manifest without rows", where=shown, todo="prepare it again")


def _recordings(manifest: Path) -> Iterator[tuple[Path, float, float | None]]:
    for number, line in rows(manifest):
        where = f"{manifest}:{number}"
        try:
            row = json.loads(line)
            path, offset, duration = row["audio_filepath"], float(row.get("offset") or 0), row.get("duration")
            yield Utterance(path, 1.0, "").path(manifest), offset, None if duration is None else float(duration)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"no {error}" if isinstance(error, KeyError) else str(error)
            todo = "give a NeMo manifest of recordings"
            raise ManifestError(f"row is no recording: {reason}", where=where, todo=todo) from None


def _channels(path: Path) -> int:
    try:
        return soundfile.info(os.fsencode(path)).channels
    except (soundfile.LibsndfileError, OSError, RuntimeError):
        return audio.decode(path)[0].shape[1]
