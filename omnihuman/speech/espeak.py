"""Speech with the phone times of its own maker, in many languages: espeak-ng, where it is installed. Optional.

An oracle for other languages and an opt-in engine for training; the library is called, nothing of it is shipped. Its
phones are International Phonetic Alphabet; they fold onto the ARPAbet classes by what the mouth shows.
"""

from __future__ import annotations

import ctypes
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from omnihuman.errors import ResourceError
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.voice import Speech
from omnihuman.types import Sound

_LIBRARIES = {"win32": ("libespeak-ng.dll", "espeak-ng.dll"), "darwin": ("libespeak-ng.1.dylib", "libespeak-ng.dylib")}
_SYNCHRONOUS, _PHONES_AS_IPA, _UTF8 = 2, 3, 1
_PHONE_EVENT, _LAST_EVENT = 7, 0

_SHORTEST_PAUSE_S = 0.08

_SHAPES = {
    "P": "p", "B": "b", "M": "m", "F": "f\u0271\u0278", "V": "v\u028b\u03b2", "W": "w\u0265\u028d",
    "T": "t\u0288", "D": "d\u0256", "N": "n\u0272\u0273", "NG": "\u014b\u0274", "K": "kcq", "G": "g\u0261\u025f",
    "HH": "hx\u03c7\u0263\u00e7\u0266\u0127\u029d", "S": "s", "Z": "z",
    "SH": "\u0283\u0255\u0282", "ZH": "\u0292\u0291\u0290",
    "TH": "\u03b8", "DH": "\u00f0", "L": "l\u026b\u028e\u026d\u026c", "R": "r\u027e\u0281\u0279\u0280\u027d", "Y": "j",
    "AA": "a\u0251\u0250\u0252", "AE": "\u00e6", "AO": "\u0254", "AH": "\u0259\u028c\u0264",
    "ER": "\u025c\u025a\u025d\u00f8\u0153\u0275",
    "EH": "\u025be", "IH": "\u026a\u0268\u1d7b\u026f", "IY": "i", "OW": "o", "UH": "\u028a", "UW": "uy\u028f\u0289",
}  # fmt: skip
_PHONE_OF = {sign: phone for phone, signs in _SHAPES.items() for sign in signs}
_PAIRS = {"t\u0283": "CH", "d\u0292": "JH", "t\u0255": "CH", "d\u0291": "JH"}


def folded(ipa: str) -> str:
    """The class of a phone in IPA; silence for what makes no sound of its own.

    Stress, length, nasality and other marks are left out; of a diphthong the first vowel counts.
    """
    # A letter that is a phone with its mark, such as c with cedilla, is taken whole; of others the mark falls away.
    letters = (c if c in _PHONE_OF else unicodedata.normalize("NFD", c) for c in unicodedata.normalize("NFC", ipa))
    plain = "".join(c for c in "".join(letters) if c in _PHONE_OF)
    return _PAIRS.get(plain[:2]) or _PHONE_OF.get(plain[:1], SILENCE)


def timed(events: Sequence[tuple[float, str]], duration_s: float) -> list[TimedPhone]:
    """Starts in seconds with phones in IPA -> phones that last until the next one begins.

    Events without a name mark the borders of words; only a long one is a pause.
    """
    if not events:
        return []
    later_s = [*(start_s for start_s, _ in events[1:]), duration_s]
    long = [end_s - start_s >= _SHORTEST_PAUSE_S for (start_s, _), end_s in zip(events, later_s, strict=True)]
    events = [event for event, is_long in zip(events, long, strict=True) if event[1] or is_long]
    starts = [*(start_s for start_s, _ in events), duration_s]
    phones = [
        TimedPhone(folded(ipa), start_s, min(end_s, duration_s))
        for (start_s, ipa), end_s in zip(events, starts[1:], strict=True)
        if end_s > start_s
    ]
    lead = [TimedPhone(SILENCE, 0.0, phones[0].start_s)] if phones and phones[0].start_s > 0 else []
    return lead + phones


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakVoice:
    """Speaks through espeak-ng.

    Raises:
        ResourceError: espeak_missing.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._rate_hz = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONES_AS_IPA))
        if self._rate_hz <= 0:
            raise _missing("espeak-ng does not find its voices")
        self._chunks: list[np.ndarray] = []
        self._events: list[tuple[float, str]] = []
        # Kept, so that the library may call it as long as this object lives.
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    @property
    def version(self) -> str:
        """Of the library, such as 1.51."""
        self._library.espeak_Info.restype = ctypes.c_char_p
        return str(self._library.espeak_Info(None).decode().split()[0])

    def speak(self, text: str, language: str) -> Speech:
        """Says a text.

        Raises:
            ResourceError: espeak_missing, there is no voice of that language.
        """
        self._chunks, self._events = [], []
        if self._library.espeak_SetVoiceByName(language.encode()) != 0:
            raise _missing(f"espeak-ng has no voice {language!r}")
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 0, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate([np.zeros(0, np.int16), *self._chunks]).astype(np.float32) / 32768.0
        sound = Sound(samples, self._rate_hz)
        return Speech(sound, tuple(timed(self._events, sound.duration_s)))

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _LAST_EVENT:
            if events[index].type == _PHONE_EVENT:
                name = events[index].name.decode("utf-8", "ignore")
                self._events.append((events[index].audio_ms / 1000.0, name))
            index += 1
        return 0


def _library() -> Any:
    for name in _LIBRARIES.get(sys.platform, ("libespeak-ng.so.1", "libespeak-ng.so")):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise _missing("this needs espeak-ng, which is not installed")


def _missing(cause: str) -> ResourceError:
    return ResourceError("espeak_missing", cause, "Install espeak-ng (apt, brew, winget), or do without it.")
