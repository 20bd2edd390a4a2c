"""The built-in voice: text -> sound with phone times, offline. English only; no cloning, no further voices.

Runs the network of hibari-tts (Apache-2.0; one voice distilled from Kokoro-82M) and reads the per-phone durations
that it computes on the way.
"""

from __future__ import annotations

import filecmp
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnihuman.errors import InputError, ModelError
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.timing import timed_phones
from omnihuman.speech.warp import SpeakerWarp, stretch_spectrum, warp_pitch
from omnihuman.types import Sound

_DURATIONS = "/Clip_output_0"
"""Inner tensor of the graph: steps per input unit, after rounding."""
_LONGEST_UNITS = 380
"""Longer stretches without punctuation are split between words."""
_LATIN_SHARE = 0.7
"""At least this share of the letters must be Latin for the English rules to make sense."""


@dataclass(frozen=True)
class Speech:
    """A spoken text.

    Attributes:
        sound: What is heard.
        phones: Its phones in order, silences included, without gaps from 0 to the end.
    """

    sound: Sound
    phones: tuple[TimedPhone, ...]


def joined(parts: Sequence[Speech]) -> Speech:
    """One speech after the other; a silence at the end of one and at the start of the next become one."""
    phones: list[TimedPhone] = []
    offset_s = 0.0
    for part in parts:
        for phone in part.phones:
            start_s = phone.start_s + offset_s
            if phones and phone.symbol == phones[-1].symbol == SILENCE:
                start_s = phones.pop().start_s
            phones.append(TimedPhone(phone.symbol, start_s, phone.end_s + offset_s))
        offset_s += part.sound.duration_s
    samples = np.concatenate([part.sound.samples for part in parts])
    return Speech(Sound(samples, parts[0].sound.rate_hz), tuple(phones))


def expose_output(graph: bytes, name: str) -> bytes:
    """Makes an inner tensor of a serialised ONNX model an output.

    Protocol buffers merge a repeated submessage, so appending `graph { output { name } }` to the file is enough;
    the onnx package is not needed. (Fields: ModelProto.graph = 7, GraphProto.output = 12, ValueInfoProto.name = 1.)

    Args:
        graph: Serialised ModelProto.
        name: Tensor name, at most 100 ASCII characters.

    Returns:
        The serialised model with one more output.
    """
    assert len(name) <= 100, "lengths must fit one varint byte"
    message = name.encode("ascii")
    for field in (1, 12, 7):
        message = bytes([field << 3 | 2, len(message)]) + message
    return graph + message


class BuiltInVoice:
    """Speaks English text.

    Args:
        session: onnxruntime session of the acoustic network with the durations exposed.
        engine: The hibari object: text rules and alphabet.
        dictionary: Gzipped JSON, word -> spelling.
    """

    def __init__(self, session: Any, engine: Any, dictionary: Path) -> None:
        self._session = session
        self._engine = engine
        self.dictionary = dictionary

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> BuiltInVoice:
        """Opens the voice.

        Args:
            files: At least a file whose name ends in `hibari.onnx`; other files of the wheel are compared with the
                installed package, whose code reads its own tables.
            device: Ignored: the network is small and runs on the CPU.

        Raises:
            ModelError: `voice_broken`: the network is not the expected one; `voice_mismatch`: the installed package
                is another version than the model files.
        """
        import hibari
        import onnxruntime

        package = Path(hibari.__file__).parent / "assets"
        by_name = {Path(name).name: path for name, path in files.items()}
        for name, path in by_name.items():
            installed = package / name
            if name != "hibari.onnx" and installed.exists() and not filecmp.cmp(path, installed, shallow=False):
                fix = "Install the version of hibari-tts that requirements.txt names."
                raise ModelError("voice_mismatch", f"{name} differs from the installed hibari-tts package", fix)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        graph = expose_output(by_name["hibari.onnx"].read_bytes(), _DURATIONS)
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own untyped family of errors
            fix = "Run: python -m omnihuman models verify"
            cause = f"the voice network cannot be loaded ({type(error).__name__})"
            raise ModelError("voice_broken", cause, fix) from None
        return cls(session, hibari.Hibari(model=str(by_name["hibari.onnx"])), package / "lexicon_us_gold.json.gz")

    def speak(self, text: str, speaker: SpeakerWarp | None = None, seed: int = 0) -> Speech:
        """Speaks a text.

        Args:
            text: English prose of any length; numbers and abbreviations are read out.
            speaker: Another speaker than the voice's own.
            seed: Of the noise in the sound; the same seed gives the same samples.

        Returns:
            Mono sound at 24 kHz and its phones.

        Raises:
            InputError: `text_empty`, or `language_unsupported` when nothing in it can be pronounced.
        """
        _require_readable(text)
        speaker = speaker or SpeakerWarp()
        rng = np.random.default_rng(seed)
        parts = [self._sentence(spelling, speaker, rng) for spelling in self._spell(text)]
        if not parts:
            raise _language_unsupported()
        return joined(parts)

    def _spell(self, text: str) -> Iterator[str]:
        """Sentences in the voice's alphabet, each short enough for the network."""
        for spelling in self._engine.phonemize(text):
            part = ""
            for word in spelling.split(" "):
                if part and len(part) + len(word) >= _LONGEST_UNITS:
                    yield part
                    part = ""
                part = f"{part} {word}".strip()
            if any(character.isalpha() for character in part):
                yield part

    def _sentence(self, spelling: str, speaker: SpeakerWarp, rng: np.random.Generator) -> Speech:
        """Synthesises one sentence."""
        from hibari import dsp

        known = [character for character in spelling if character in self._engine.vocab]
        inputs = {
            "ids": np.asarray([self._engine.ids(known)], np.int64),
            "speed": np.asarray([speaker.rate], np.float32),
        }
        names = ["lh", "theta", "ln", "lr", "phi", "f0", _DURATIONS]
        *spectra, durations = self._session.run(names, inputs)
        harmonic, theta, noise, free, phase, f0_hz = (array[0] for array in spectra)
        tract = speaker.formant_scale
        harmonic, theta, noise, free = (stretch_spectrum(a, tract) for a in (harmonic, theta, noise, free))
        noise = noise + np.float32(speaker.breath_db / 20.0 * np.log(10.0))
        samples = dsp.synth(harmonic, theta, noise, free, phase, warp_pitch(f0_hz, speaker), rng)
        samples = samples / max(1.0, float(np.abs(samples).max()) / 0.99)
        sound = Sound(np.ascontiguousarray(samples, np.float32), self._engine.sample_rate)
        return Speech(sound, tuple(timed_phones(["", *known, ""], durations, sound)))


def _require_readable(text: str) -> None:
    """Refuses what the English rules cannot read."""
    if not text.strip():
        raise InputError("text_empty", "there is no text to speak", "Write a sentence.")
    letters = [character for character in text if character.isalpha()]
    latin = [character for character in letters if "LATIN" in unicodedata.name(character, "")]
    digits = any(character.isdecimal() and character.isascii() for character in text)
    if len(latin) < _LATIN_SHARE * len(letters) or not (letters or digits):
        raise _language_unsupported()


def _language_unsupported() -> InputError:
    cause = "the built-in voice finds no English letters or digits to pronounce"
    return InputError("language_unsupported", cause, "Write English text, or hand in a sound file with --audio.")
