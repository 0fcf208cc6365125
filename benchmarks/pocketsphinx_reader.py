"""PocketSphinx 5.1.1 with its own English model and a grammar of numbers: a baseline."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

import numpy as np
import pocketsphinx

from spoken_numbers.audio import FloatArray
from spoken_numbers.decoding.decoded import Decoded
from spoken_numbers.errors import UserError
from spoken_numbers.labels import label_of

GRAMMAR = """#JSGF V1.0;
grammar numbers;
<nonzero> = one | two | three | four | five | six | seven | eight | nine;
<digit> = zero | oh | <nonzero>;
<teen> = ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen;
<tens> = twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety;
<pair> = <teen> | <tens> [<nonzero>];
<group> = <nonzero> | <pair> | <nonzero> hundred [[and] (<nonzero> | <pair>)];
<cardinal> = <group> [thousand [[and] <group>]];
public <spoken> = {spoken};
"""


class PocketSphinx:
    """Waveforms (samples,) at 16 kHz → what was read: a ``Reader`` for ``evaluate_reader``.

    Its search by grammar gives no posteriors and its words are not digits: every number is answered with a confidence
    of 1 and without its characters' times.

    Args:
        digits: fewest and most, said one by one; any number in any style by default.
    """

    def __init__(self, digits: tuple[int, int] | None = None) -> None:
        self._decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
        spoken = "(<digit> | <pair>)+ | <cardinal>" if digits is None else _repeated(*digits)
        self._decoder.add_jsgf_string("numbers", GRAMMAR.format(spoken=spoken))
        self._decoder.activate_search("numbers")

    def __call__(self, waveforms: Iterable[FloatArray]) -> Iterator[Decoded]:
        return map(self.read, waveforms)

    def read(self, waveform: FloatArray) -> Decoded:
        """One utterance; no number where nothing of the grammar fits."""
        self._decoder.start_utt()
        self._decoder.process_raw((waveform * 32767).astype(np.int16).tobytes(), no_search=False, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        label = _label(found.hypstr.split()) if found else ""
        return Decoded(label, float(bool(label)), ())


def _label(words: list[str]) -> str:
    """Of the longest beginning that is a number: a search that ran out of sound stops in mid-grammar."""
    for length in range(len(words), 0, -1):
        with suppress(UserError):
            return label_of(" ".join(words[:length]))
    return ""


def _repeated(fewest: int, most: int) -> str:
    return " ".join(["<digit>"] * fewest + ["[<digit>"] * (most - fewest)) + " ]" * (most - fewest)
