"""Kokoro-82M: a neural synthesiser whose voices sound like people, native and foreign to English.

https://huggingface.co/hexgrad/Kokoro-82M (Apache-2.0); ``make kokoro`` fetches it. A core takes half a second to
a second for a second of speech, so it only speaks where it is named. It obeys tempo, not pitch, and pauses at commas
alone.
Phonemes: https://github.com/hexgrad/misaki/blob/main/EN_PHONES.md
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np

from spoken_numbers import audio
from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis import kokoro_english, kokoro_russian
from spoken_numbers.synthesis.engine import NOTHING, Line, Voice, word_by_word

FOLDER = Path("data/kokoro")
MODEL, VOICES, PHONEMES = "kokoro.onnx", "voices.npz", "phonemes.json"
RATE = 24_000
"""Hz, of what it speaks."""

LONGEST = 510
"""Phonemes."""

_TIMBRE = 128
"""The first values of a style vector hold the timbre, the others the manner of speaking."""

_FAMILIES = (
    # Voices of one sex; what is blended of two counts as the same person as both, so a family falls into one split.
    "af_alloy af_aoede af_bella af_jessica af_heart af_kore",
    "af_nicole af_nova af_river af_sarah af_sky bf_alice",
    "bf_lily ef_dora ff_siwis if_sara hf_alpha hf_beta",
    "jf_nezumi jf_tebukuro pf_dora zf_xiaobei zf_xiaoni zf_xiaoxiao",
    "am_adam am_echo am_eric am_fenrir am_onyx am_puck",
    "bm_daniel bm_fable bm_george bm_lewis em_alex im_nicola",
    "hm_omega hm_psi jm_kumo pm_alex pm_santa am_santa",
    "zm_yunjian zm_yunxi zm_yunxia zm_yunyang",
    "bf_emma bf_isabella",
    "jf_alpha jf_gongitsune",
    "am_liam am_michael",
)

_ACCENTS = {"a": "us", "b": "gb"}
"""By the first letter of a voice; the others speak English as foreigners."""

_LEXICON = {
    # word: American | British | foreign pronunciations, of which a voice keeps to one.
    "zero": "zˈɪɹO zˈiɹO|zˈɪəɹQ|zˈɪɹO zˈɛɹo sˈiɹo zˈiːɾo zˈiəɹo",
    "oh": "ˈO|ˈQ|ˈO ˈo ˈoː",
    "nought": "nˈɔt|nˈɔːt|nˈɔt",
    "naught": "nˈɔt|nˈɔːt|nˈɔt",
    "one": "wˈʌn|wˈʌn wˈɒn|wˈʌn wˈan wˈɑn vˈan wˈon",
    "two": "tˈu|tˈuː|tˈu tˈuː",
    "three": "θɹˈi|θɹˈiː|θɹˈi tɹˈi sɹˈi θɾˈi tʁˈi fɹˈi",
    "four": "fˈɔɹ fˈoɹ|fˈɔː|fˈɔɹ fˈɔː fˈoɾ fˈoʁ fˈoə",
    "five": "fˈIv|fˈIv|fˈIv fˈajv fˈaif",
    "six": "sˈɪks|sˈɪks|sˈɪks sˈiks",
    "seven": "sˈɛvᵊn sˈɛvən|sˈɛvᵊn|sˈɛvən sˈɛvɛn zˈɛvən sˈeven",
    "eight": "ˈAt|ˈAt|ˈAt ˈeːt ˈɛit ˈet",
    "nine": "nˈIn|nˈIn|nˈIn nˈajn nˈain",
    "niner": "nˈInəɹ|nˈInə|nˈInəɹ",
    "ten": "tˈɛn tˈɪn|tˈɛn|tˈɛn tˈen",
    "eleven": "ɪlˈɛvᵊn əlˈɛvən|ɪlˈɛvᵊn|ilˈɛvən elˈeven",
    "twelve": "twˈɛlv|twˈɛlv|twˈɛlv tvˈɛlf twˈelv",
    "thirteen": "θˌɜɹtˈin|θˌɜːtˈiːn|θˌɜɹtˈin tˌɜɹtˈin sˌœʁtˈin",
    "fourteen": "fˌɔɹtˈin|fˌɔːtˈiːn|fˌɔɹtˈin fˌoɾtˈin",
    "fifteen": "fˌɪftˈin|fˌɪftˈiːn|fˌɪftˈin fˌiftˈin",
    "sixteen": "sˌɪkstˈin|sˌɪkstˈiːn|sˌɪkstˈin sˌikstˈin",
    "seventeen": "sˌɛvᵊntˈin|sˌɛvᵊntˈiːn|sˌɛvəntˈin sˌeventˈin",
    "eighteen": "ˌAtˈin|ˌAtˈiːn|ˌAtˈin ˌetˈin",
    "nineteen": "nˌIntˈin|nˌIntˈiːn|nˌIntˈin nˌajntˈin",
    "twenty": "twˈɛnti twˈʌni twˈɛni|twˈɛnti|twˈɛnti twˈenti tvˈɛnti",
    "thirty": "θˈɜɹTi θˈɜɹti|θˈɜːti|θˈɜɹti tˈɜɹti sˈœʁti",
    "forty": "fˈɔɹTi fˈɔɹti|fˈɔːti|fˈɔɹti fˈoɾti",
    "fifty": "fˈɪfti|fˈɪfti|fˈɪfti fˈifti",
    "sixty": "sˈɪksti|sˈɪksti|sˈɪksti sˈiksti",
    "seventy": "sˈɛvᵊnTi sˈɛvᵊnti|sˈɛvᵊnti|sˈɛvənti sˈeventi",
    "eighty": "ˈATi ˈAti|ˈAti|ˈAti ˈeti",
    "ninety": "nˈInTi nˈInti|nˈInti|nˈInti nˈajnti",
    "hundred": "hˈʌndɹəd hˈʌnɚd|hˈʌndɹəd|hˈʌndɹəd hˈandɹed hˈʌndɹɛd",
    "thousand": "θˈWzᵊnd θˈWzᵊn|θˈWzᵊnd|θˈWzənd tˈWzənd sˈauzɛnd",
    "million": "mˈɪljən|mˈɪljən|mˈɪljən mˈiljon",
    "double": "dˈʌbᵊl|dˈʌbᵊl|dˈʌbəl dˈabəl",
    "triple": "tɹˈɪpᵊl|tɹˈɪpᵊl|tɹˈɪpəl tɹˈipəl",
    "treble": "tɹˈɛbᵊl|tɹˈɛbᵊl|tɹˈɛbəl",
    "and": "ænd ən|ænd ən|ænd ɛnd",
    "a": "ɐ|ɐ|ə",
}


class Kokoro:
    name = "kokoro"
    languages: tuple[str, ...] = ("en", "ru")
    share = 1.0
    install = "make kokoro"

    def version(self) -> str | None:
        return "1.0" if all((FOLDER / name).is_file() for name in (MODEL, VOICES, PHONEMES)) else None

    def voices(self, language: str) -> list[Voice]:
        """Each family's own voices, the mean of any two, and the timbre of any with the manner of another."""
        if language not in self.languages:
            return []
        voices = []
        for family in _FAMILIES:
            own = family.split()
            blends = [f"{one}+{other}" for one, other in combinations(own, 2)]
            blends += [f"{one}/{other}" for one, other in permutations(own, 2)]
            person, sex = f"{self.name}:{family.replace(' ', '+')}", family[1].upper()
            voices += [Voice(self.name, name, person, _accent(name, language), sex) for name in own + blends]
        return voices

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        return [_render(line) for line in lines]


def pronounced(text: str, voice: Voice) -> str | None:
    """Kokoro's phonemes of English words with commas; None where there are none."""

    def say(word: str) -> str:
        if word not in _LEXICON:
            return kokoro_english.phonemes(word, voice.accent)
        variants = _LEXICON[word].split("|")[("us", "gb", "foreign").index(voice.accent)].split()
        return random.Random(f"{voice.name} {word}").choice(variants)

    return word_by_word(text, say)


def _render(line: Line) -> FloatArray:
    russian = line.voice.accent == kokoro_russian.ACCENT
    phonemes = (kokoro_russian.pronounced if russian else pronounced)(line.text, line.voice)
    return speak(phonemes, line.voice.name, line.prosody.rate)


def speak(phonemes: str | None, name: str, rate: float) -> FloatArray:
    """Phonemes in a voice or blend of two, at a tempo relative to its own → waveform at ``audio.SAMPLE_RATE``."""
    session, ids, styles = _loaded()
    tokens = [ids[phoneme] for phoneme in phonemes or ""]
    if not 0 < len(tokens) <= LONGEST:
        return NOTHING
    feeds = {
        "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
        "style": _style(name, styles)[len(tokens) - 1][None],
        "speed": np.array([rate], dtype=np.float32),
    }
    return audio.resample(session.run(None, feeds)[0].ravel(), RATE, audio.SAMPLE_RATE)


def _style(name: str, styles: Mapping[str, FloatArray]) -> FloatArray:
    """(``LONGEST``, 256): the style vector for each length of what is said."""
    if "+" in name:
        one, other = name.split("+")
        return np.float32(0.5) * (styles[one] + styles[other])
    one, _, other = name.partition("/")
    mixed = styles[one].copy()
    mixed[:, _TIMBRE:] = styles[other or one][:, _TIMBRE:]
    return mixed


@cache
def _loaded() -> tuple[Any, dict[str, int], dict[str, FloatArray]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one process a core
    session = onnxruntime.InferenceSession(FOLDER / MODEL, options, providers=["CPUExecutionProvider"])
    with np.load(FOLDER / VOICES) as styles:
        return session, json.loads((FOLDER / PHONEMES).read_text(encoding="utf-8")), dict(styles)


def _accent(name: str, language: str) -> str:
    """In English, that of the voice whose manner it has."""
    if language == "ru":
        return kokoro_russian.ACCENT
    return _ACCENTS.get(re.split("[+/]", name)[-1][0], "foreign")
