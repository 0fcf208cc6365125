"""Codecs as a perturbation."""

from collections.abc import Mapping, Sequence

import numpy as np

from spoken_numbers.audio import FloatArray
from spoken_numbers.augmentation.codecs import CODECS, check, transcode

SHARES = {
    **dict.fromkeys(("alaw", "mulaw"), 8.0),
    "narrowband": 4.0,
    **dict.fromkeys(("gsm", "amr-nb", "opus", "vorbis", "mp3"), 0.6),
}
"""How often each is drawn by default. G.711 is what most telephones speak, and takes 0.4 ms for 3.5 s; the last five,
one draw in eight, take 7 to 17: equal shares would cost four times as much."""

NEMO_NAMES = {"g711": ("telephone-alaw", "telephone-mulaw"), "ogg": ("vorbis",)}


class Transcode:
    """The utterance through a drawn codec at a drawn bitrate (NeMo's key).

    Args:
        codecs: names to draw from evenly, or a mapping of names to shares; all with ``SHARES`` by default. NeMo's
            names mean: g711 A-law or µ-law behind the band-pass of a telephone, ogg Vorbis, amr-nb itself.
    """

    def __init__(self, codecs: Sequence[str] | Mapping[str, float] | None = None) -> None:
        given = SHARES if codecs is None else codecs
        shares = given if isinstance(given, Mapping) else dict.fromkeys(given, 1.0)
        drawn: dict[str, float] = {}
        for name, share in shares.items():
            if share < 0:
                raise ValueError(f"codecs: the share of {name} is {share}")
            for one in (members := NEMO_NAMES.get(name, (name,))):
                drawn[one] = drawn.get(one, 0.0) + share / len(members)
        if not sum(drawn.values()):
            raise ValueError("codecs: none has a share")
        for name in drawn:
            check(name)
        self._names = list(drawn)
        self._shares = np.cumsum(list(drawn.values())) / sum(drawn.values())

    def __call__(self, waveform: FloatArray, rng: np.random.Generator) -> FloatArray:
        name = self._names[min(int(np.searchsorted(self._shares, rng.random(), "right")), len(self._names) - 1)]
        bitrates = CODECS[name].bitrates
        return transcode(waveform, name, int(rng.choice(bitrates)) if bitrates else None)
