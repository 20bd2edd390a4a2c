"""Sound -> what the denoiser hears of it: phones where there is a voice, silence elsewhere, sung vowels held."""

from __future__ import annotations

from functools import cached_property

from omnihuman.conditions.audio import AudioConditioner, log_posteriors_of
from omnihuman.conditions.voice import hushed, silence_of, sustained
from omnihuman.speech.voice_activity import VoiceActivity, VoiceGate
from omnihuman.types import ConditionTrack, Float, Sound


class Listener:
    """Hears sounds the same way for the product and for its evaluation.

    Args:
        audio: Sound -> audio condition.
        gate: Where somebody speaks or sings.
    """

    def __init__(self, audio: AudioConditioner, gate: VoiceGate) -> None:
        self._audio, self._gate = audio, gate

    def listen(self, sound: Sound) -> tuple[ConditionTrack, VoiceActivity]:
        """The audio condition of a whole clip, ``N D``, and where in it somebody has a voice."""
        track = self._audio.encode(sound)
        heard = self._gate.listen(sound, log_posteriors_of(track))
        track = sustained(track, heard.sung)
        return hushed(track, heard.opening, self._silence), heard

    @cached_property
    def _silence(self) -> Float:
        """What the phonetic network makes of silence, `D`; the same for every sound."""
        return silence_of(self._audio)
