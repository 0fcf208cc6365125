"""eSpeak NG: a formant synthesiser of many accents and, by its variants, many timbres.

https://github.com/espeak-ng/espeak-ng/blob/master/docs/voices.md; one process and 12 ms for an utterance.
"""

import math
import re
from collections.abc import Sequence

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import Line, Voice, from_wav, program_version, spoken_by

ACCENTS = {
    "en": ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"),
    "ru": ("ru", "ru-lv"),
}

UNLIKE_PEOPLE = {
    # Measured on six digits: the share of loud 40 ms frames with a pitch (normalised autocorrelation over 0.6) is
    # 0 to 0.4 in these, 0.66 and more in all others.
    *("Demonic", "croak", "grandpa", "whisper", "whisperf"),
    # Echoes that make a machine of the voice.
    *("RicishayMax", "RicishayMax2", "RicishayMax3", "UniRobot", "anikaRobot", "announcer"),
    *("robosoft", *(f"robosoft{number}" for number in range(2, 9))),
    # 350 Hz, a cartoon; and the plain voice under another name.
    *("zac", "fast"),
}

SAME_TIMBRE = {
    variant: family
    for family, variants in {
        "klatt": "klatt2 klatt3 klatt4 klatt5 klatt6 adam benjamin caleb edward edward2",
        "Gene": "Gene2",
        "iven": "iven2 iven3 iven4",
        "steph": "steph2 steph3",
        "Diogo": "Henrique Hugo michel miguel",
        "Andy": "AnxiousAndy Lee",
        "Michael": "Mario gustave marcelo",
        "m7": "m8 Nguyen",
        "belinda": "linda aunty f4",
        "max": "boris",
        "plain": "m3 Mike",
        "john": "norbert Tweaky Mr_serious",
        "robert": "rob quincy",
    }.items()
    for variant in variants.split()
}
"""Variants whose formant tables differ little or not at all, by the family that they are held out with."""

_MISSTRESSED = {"сорок": "[[s'orVk]]", "сорока": "[[sVrVk'A]]"}
"""Words that it stresses wrongly (1.51 says "соро́к"), in its own phonemes."""

_WORDS_PER_MINUTE = 160


class Espeak:
    name = "espeak-ng"
    languages: tuple[str, ...] = ("en", "ru")
    share = 0.65
    install = "sudo apt-get install espeak-ng"

    def version(self) -> str | None:
        line = program_version(["espeak-ng", "--version"])
        return None if line is None else line.split("  ")[0]

    def voices(self, language: str) -> list[Voice]:
        found = [("", "M"), *_variants()]
        return [_voice(variant, accent, sex) for variant, sex in found for accent in ACCENTS.get(language, ())]

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        return [from_wav(spoken_by(_command(line))) for line in lines]


def stressed(text: str) -> str:
    """The text, words that would be stressed wrongly as phonemes."""
    return re.sub(r"\w+", lambda word: _MISSTRESSED.get(word[0], word[0]), text)


def _command(line: Line) -> list[str]:
    manner = line.prosody
    variant = f"+{_file_of(line.voice.name)}" if line.voice.name != "plain" else ""
    # -p runs from 0 to 99 over about an octave and a half; -a below 100 since loud variants clip there;
    # -g is documented in units of 10 ms and lengthens each gap by 18 ms a unit (measured).
    pitch = round(min(95, max(5, 50 + 66 * math.log2(manner.pitch))))
    return [
        *("espeak-ng", "--stdout", "-a", "40", "-v", f"{line.voice.accent}{variant}"),
        *("-s", str(round(_WORDS_PER_MINUTE * manner.rate)), "-p", str(pitch), "-g", str(round(manner.gap / 0.018))),
        *("--", stressed(line.text)),
    ]


def _voice(variant: str, accent: str, gender: str) -> Voice:
    name = variant or "plain"
    return Voice(Espeak.name, name, f"{Espeak.name}:{SAME_TIMBRE.get(name, name)}", accent, gender)


def _variants() -> list[tuple[str, str]]:
    listing = spoken_by(["espeak-ng", "--voices=variant"]).decode(errors="replace")
    rows = re.findall(r"^\s*\d+\s+variant\s+\S*/(\S)\s+\S+\s+!v/(.+?)\s*(?:\(.*)?$", listing, re.MULTILINE)
    names = sorted((file.replace(" ", "_"), gender) for gender, file in rows if file not in UNLIKE_PEOPLE)
    # Variants that declare no gender are listed as male; these two speak at 180 Hz.
    return [(name, "F" if name in {"shelby", "grandma"} else gender) for name, gender in names]


def _file_of(name: str) -> str:
    return name.replace("_", " ")
