"""The Festival Speech Synthesis System: diphone, HTS and unit-selection voices, many lines per process.

https://www.cstr.ed.ac.uk/projects/festival/manual/; a process takes 0.2 to 0.7 s to start, a line 5 to 60 ms.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import NOTHING, Line, Voice, from_wav, program_version, spoken_by

_VOICES = {
    # name: (language, accent, person, gender, mean pitch in Hz, or 0 where Festival cannot set it)
    "kal_diphone": ("en", "us", "kal", "M", 105),
    "ked_diphone": ("en", "us", "ked", "M", 105),
    "cmu_us_slt_arctic_hts": ("en", "us", "slt", "F", 0),
    "msu_ru_nsh_clunits": ("ru", "", "nsh", "M", 0),
}

_ROOTS = ("/usr/share/festival/voices", "/usr/lib/festival/voices", "/usr/local/share/festival/voices")

_SAY = """
(define (say voice file stretch pitch text)
  (voice)
  (Parameter.set 'Duration_Stretch stretch)
  (if (boundp 'hts_engine_params)
    (if (assoc "-m" hts_engine_params)
      (set! hts_engine_params (list (assoc "-m" hts_engine_params) (list "-r" (/ 1.0 stretch))))))
  (if (> pitch 0)
    (set! int_lr_params
      (list (list 'target_f0_mean pitch) (list 'target_f0_std (* 0.13 pitch))
            (list 'model_f0_mean 170) (list 'model_f0_std 34))))
  (unwind-protect
    (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff)
    nil))
"""


_MISSTRESSED = """
(voice_msu_ru_nsh_clunits)
(lex.add.entry '("ноль" nil (((n oo ll) 1))))
(lex.add.entry '("сорока" nil (((s ay) 0) ((r a) 0) ((k aa) 1))))
"""
"""Words that the Russian voice's lexicon lacks and stresses wrongly or, "ноль", not at all."""


class Festival:
    name = "festival"
    languages: tuple[str, ...] = ("en", "ru")
    share = 0.2
    install = "sudo apt-get install festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts festvox-ru"

    def version(self) -> str | None:
        return program_version(["festival", "--version"])

    def voices(self, language: str) -> list[Voice]:
        installed = {folder.name for root in _ROOTS for folder in Path(root).glob("*/*")}
        return [
            Voice(self.name, name, person, accent, gender)
            for name, (spoken, accent, person, gender, _) in _VOICES.items()
            if spoken == language and name in installed
        ]

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        renderings: list[FloatArray] = []
        while len(renderings) < len(lines):
            # A line that brings Festival down leaves all after it unspoken: it is passed over, and the rest asked anew.
            spoken = _spoken(lines[len(renderings) :])
            renderings += [*spoken, NOTHING][: len(lines) - len(renderings)]
        return renderings


def _spoken(lines: Sequence[Line]) -> list[FloatArray]:
    """The waveforms of the lines up to the last that one process of Festival spoke."""
    with TemporaryDirectory(prefix="festival") as folder:
        files = [Path(folder) / f"{number}.wav" for number in range(len(lines))]
        script = Path(folder) / "lines.scm"
        calls = [_call(line, file) for line, file in zip(lines, files, strict=True)]
        russian = any(_VOICES[line.voice.name][0] == "ru" for line in lines)
        script.write_text("\n".join([_SAY, _MISSTRESSED if russian else "", *calls]), encoding="utf-8")
        spoken_by(["festival", "-b", str(script)])
        there = [number for number, file in enumerate(files) if file.exists()]
        last = there[-1] + 1 if there else 0
        return [from_wav(file.read_bytes()) if file.exists() else NOTHING for file in files[:last]]


def _call(line: Line, file: Path) -> str:
    pitch = _VOICES[line.voice.name][4] * line.prosody.pitch
    text = line.text.replace("\\", "").replace('"', "")
    return f'(say voice_{line.voice.name} "{file}" {1 / line.prosody.rate:.3f} {pitch:.1f} "{text}")'
