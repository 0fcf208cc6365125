"""Kokoro's voices in more accents: its English phonemes, with what people from elsewhere say in their place.

What they put is broad textbook knowledge (J. C. Wells, *Accents of English*, 1982; M. Swan and B. Smith, *Learner
English*, 2001), not measured: where habits differ, a voice keeps to one of them.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from spoken_numbers.audio import FloatArray
from spoken_numbers.synthesis.engine import Line, Voice, word_by_word
from spoken_numbers.synthesis.kokoro import Kokoro, pronounced, speak

_SOUNDS = {
    # An accent; "|" where it is non-rhotic and begins with the British pronunciation, others do with the American one.
    # A pattern and what a voice may say for it, "_" being nothing. Of several that fit at one place the first one does.
    "african": r"θ=t,t,f ð=d ʌ=ɔ,a ɪ=i ɜɹ=a,ɔ ɔɹ=ɔ A=e O=o I=ai ᵊ|ə=e T=t",
    "australian|": r"A=æɪ,ʌɪ I=ɑɪ,ɒɪ Q=ʌʊ,Q iː=əi,iː ɪə=iə,ɪː",
    "chinese": r"θ=s,f ð=d,z v=w,f,v z=z,s,ʣ ɹ=ɹ,l O=oʊ,o ɪ=i (?<=[ktsvfd])$=_,ə,_ ᵊ|ə=ə,e T=t æ=ɛ",
    "french": r"θ=s,t,z,f ð=z,d ɹ=ʁ,ʁ,ɹ h=_,h ɪ=i ʌ=œ,a O=o A=ɛ,e,ɛj I=aj æ=a ᵊ|ə=ə,ɛ T=t ʤ=ʒ,ʤ",
    "german|": r"θ=s,s,t,θ ð=z,d w=v,w ɹ=ʁ,ɹ v$=f,v ^s(?=ˈ)=z,s v(?=ᵊ|ə)=v,f,b d$=t,d Q=oː,o ʌ=a,ʌ ɜː=œ,ɜː A=eː,ɛi "
    r"^z=ʦ,z,s ɔː$=ɔɐ,ɔː,oɐ",
    "greek": r"ɪ=i ʌ=a O=o A=ei I=ai h=x,h ɹ=ɾ,r ʤ=ʣ ᵊ|ə=e æ=a T=t",
    "indian": r"θ=tʰ,t ð=d t|T=ʈ,t d=ɖ,d w=ʋ,v,w v=ʋ,v ɹ=ɾ,r,ɹ O=oː,o A=eː,e I=ai,I z=z,ʤ ʌ=ə,a ɪ=ɪ,i ᵊ=ə,e",
    "irish": r"θ=t,θ ð=d,ð O=oː A=eː I=Y,ɑɪ T=t ʌ=ʊ,ʌ",
    "italian": r"θ=t ð=d ɹ=r,ɾ h=_,h ɪ=i ʌ=a O=o A=ei I=ai ᵊ|ə=e æ=ɛ T=t (?<=[tdvsnk])$=_,ə",
    "japanese": r"θ=s ð=z ɔɹ=oː,ɔː ɹ=ɾ (?<=v)$=ɯ,_ v=b,v ɪ=i ʌ=a O=oː,o A=eː,ei I=ai f=f,ɸ ᵊ|ə=e,a,u T=t "
    r"(?<=[ksf])$=ɯ,_ (?<=[td])$=o,_",
    "new_zealand|": r"ɛ=ɪ,e ɪ(?!ə)=ə,ɨ ɪə=ɛː,iə A=æɪ I=ɑɪ,ɒɪ Q=ʌʊ",
    "northern|": r"ʌ=ʊ Q=ɔː,oː A=eː,ɛː I=aɪ,aː t$=t,ʔ",
    "scottish": r"ɹ=r,ɾ,ɹ O=o,oː A=e,eː I=ʌi,əi T=t,ʔ ɪ=ɪ,ɛ",
    "slavic": r"θ=s,f,t ð=z,d w=v,w ɹ=r,ɾ ɪ=i,ɨ ʌ=a O=o A=ej I=aj h=x,h v$=f,v d$=t,d ᵊ|ə=e,ə æ=ɛ T=t",
    "southern": r"I(?=[vn])=aː,a ɛ(?=n)=ɪ A=æɪ,A O=ɐʊ,O",
    "spanish": r"θ=t,s,θ ð=d z=s v=b,β,v ɪ=i ʌ=a,o ɹ=ɾ,r O=o A=ei I=ai h=x,h d$=d,_ ᵊ|ə=e,a æ=a T=t",
}


def _parsed(rules: str) -> tuple[re.Pattern[str], list[list[str]]]:
    """What an accent changes, a group for each rule, and what may stand for each."""
    sounds, variants = zip(*(rule.rsplit("=", 1) for rule in rules.split(" ")), strict=True)
    return re.compile("|".join(f"({sound})" for sound in sounds)), [one.replace("_", "").split(",") for one in variants]


_ACCENTS = {name.rstrip("|"): ("gb" if "|" in name else "us", *_parsed(rules)) for name, rules in _SOUNDS.items()}


class KokoroAccents:
    """Every voice of Kokoro's in every accent; who is heard in one split is heard there whatever the accent."""

    name = "kokoro-accents"
    languages: tuple[str, ...] = ("en",)
    share = 1.0
    install = Kokoro.install

    def version(self) -> str | None:
        return Kokoro().version()

    def voices(self, language: str) -> list[Voice]:
        own = Kokoro().voices(language) if language in self.languages else []
        return [
            replace(voice, engine=self.name, name=f"{voice.name}@{accent}", accent=accent)
            for voice in own
            for accent in _ACCENTS
        ]

    def render(self, lines: Sequence[Line]) -> list[FloatArray]:
        return [
            speak(accented(line.text, line.voice), line.voice.name.split("@")[0], line.prosody.rate) for line in lines
        ]


def accented(text: str, voice: Voice) -> str | None:
    """Kokoro's phonemes of English words with commas, as the voice's accent has them; None where there are none."""
    base, pattern, variants = _ACCENTS[voice.accent]
    rng = random.Random(voice.name)
    habits = [rng.choice(one) for one in variants]
    plain = pronounced(text, replace(voice, accent=base)) or ""
    return word_by_word(plain, lambda word: pattern.sub(lambda found: habits[(found.lastindex or 0) - 1], word))
