"""Text-to-speech engines → a corpus of spoken numbers. A new engine is a module and a line in ``ENGINES``."""

from spoken_numbers.synthesis.engine import Engine
from spoken_numbers.synthesis.espeak import Espeak
from spoken_numbers.synthesis.festival import Festival
from spoken_numbers.synthesis.flite import Flite
from spoken_numbers.synthesis.kokoro import Kokoro
from spoken_numbers.synthesis.kokoro_accents import KokoroAccents
from spoken_numbers.synthesis.piper import Piper
from spoken_numbers.synthesis.rhvoice import RHVoice
from spoken_numbers.synthesis.ru_tts import RuTts

USUAL: tuple[Engine, ...] = (Espeak(), Flite(), Festival(), RHVoice(), RuTts())
"""Those that speak hours in minutes, and unless others are named."""

ENGINES: tuple[Engine, ...] = (*USUAL, Kokoro(), KokoroAccents(), Piper())
