"""`OmniHumanPipeline`: a request -> conditions -> latents -> frames -> mp4 and its record. The one face of the engine.

CLI, batch, UI, REST and evaluation call this and nothing below it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.bundle import Tracks, pose_window
from omnihuman.conditions.prompts import length_s, too_late
from omnihuman.conditions.reference import reference_track
from omnihuman.errors import InputError
from omnihuman.latents.base import Reference
from omnihuman.media.video import VideoWriter
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.assemble import PipelineParts, assemble
from omnihuman.pipeline.check import check_request
from omnihuman.pipeline.ease import eased
from omnihuman.pipeline.inputs import (
    IN_MEMORY,
    Given,
    Inputs,
    read_picture,
    read_speech,
    read_text,
    require_clip,
    require_sound,
)
from omnihuman.pipeline.listen import Listener
from omnihuman.pipeline.preset import Limits, needed_models
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.pipeline.provenance import make_facts, sha256_of_file, tags_of, write_sidecar
from omnihuman.pipeline.resolve import Settled, resolved, sampler_of, settled
from omnihuman.pipeline.sample import sample_latents
from omnihuman.pipeline.watch import Driver, driving_facts, watch
from omnihuman.pipeline.windows import Window, plan
from omnihuman.speech.clock import row_times_s
from omnihuman.speech.voice_activity import VoiceActivity
from omnihuman.types import (
    AnimationRequest,
    AnimationResult,
    Clip,
    ConditionTrack,
    Float,
    Image,
    LatentSpec,
    ProgressCallback,
    Quality,
    Sound,
    build_request,
)

READ_PRIOR_S, PREPARE_PRIOR_S, LISTEN_PRIOR_S, STEP_PRIOR_S, FRAME_PRIOR_S = 0.5, 3.0, 1.0, 0.03, 0.05
"""Expected seconds per unit of each stage before anything is measured; only the first estimate uses them."""


class OmniHumanPipeline:
    """Animates one picture by speech, a sentence, a driving video, a pose track, or several of these together.

    Example:
        ```python
        pipe = OmniHumanPipeline.from_pretrained("motion")
        result = pipe(image="me.jpg", audio="hello.wav", output="hello.mp4",
                      generator=torch.Generator().manual_seed(7))
        ```

    Args:
        parts: Space, denoiser, encoders and settings; normally from `from_pretrained`.
    """

    def __init__(self, parts: PipelineParts) -> None:
        self.parts = parts
        self._listener = Listener(parts.audio, parts.gate)

    @classmethod
    def from_pretrained(
        cls, preset: str = "motion", *, device: str = "cpu", hub: ModelHub | None = None
    ) -> OmniHumanPipeline:
        """Builds the pipeline of a preset; models are loaded when they are first used, missing files fetched.

        Args:
            preset: Name of a file in configs/presets.
            device: Where networks run: cpu, cuda, cuda:1 or mps.
            hub: A hub to share; None opens one.

        Raises:
            ConfigError: no such preset.
            ModelError: a model file is missing, corrupt or unverified.
        """
        return cls(assemble(preset, hub or ModelHub.open(device=device)))

    def __call__(  # noqa: PLR0913 - the public face: one keyword per field of the schema
        self,
        image: str | Path | Image,
        audio: str | Path | Sound | None = None,
        *,
        say: str | None = None,
        drive: str | Path | Clip | None = None,
        pose: str | Path | None = None,
        text: str | None = None,
        duration: float | None = None,
        trim: str | None = None,
        face: int = 1,
        landmarks: str | Path | None = None,
        expression: str = "yielding",
        seed: int | None = None,
        quality: Quality = "standard",
        steps: int | None = None,
        guidance_audio: float | None = None,
        guidance_text: float | None = None,
        motion_strength: float = 1.0,
        fps: float | None = None,
        size: int | None = None,
        embed_text: bool = False,
        generator: torch.Generator | None = None,
        output: str | Path | None = None,
        progress: ProgressCallback | None = None,
    ) -> AnimationResult:
        """Animates a picture.

        Every argument but the last three is a field of `AnimationRequest`; an image may also be RGB uint8 `H W 3`.
        `generator` draws the seed, instead of `seed`; without an `output` (the mp4 to write) frames are returned.

        Returns:
            The result; `frames` only where `output` is None.

        Raises:
            OmniHumanError: coded, with the way out.
        """
        asked = {name: value for name, value in locals().items() if name in AnimationRequest.model_fields}
        if generator is not None and seed is not None:
            raise InputError("request_invalid", "both seed and generator are given", "Give one of them.")
        require_sound(audio)
        require_clip(drive)
        fields = asked | {
            "preset": self.parts.name,
            "image": image if isinstance(image, str | Path) else IN_MEMORY,
            "audio": IN_MEMORY if isinstance(audio, Sound) else audio,
            "drive": IN_MEMORY if isinstance(drive, Clip) else drive,
            "seed": draw_seed(generator) if generator is not None else seed,
        }
        given = Given.among(image, audio, drive)
        return self._run(build_request(fields), None if output is None else Path(output), progress, given)

    def animate(
        self,
        request: AnimationRequest,
        output: Path | None = None,
        progress: ProgressCallback | None = None,
        notes: Sequence[str] = (),
    ) -> AnimationResult:
        """As `__call__`, for a validated request of this pipeline's preset; `notes` join the warnings of the record."""
        if request.preset != self.parts.name:
            cause = f"the request asks for preset '{request.preset}', this pipeline is '{self.parts.name}'"
            raise InputError("request_invalid", cause, "Use from_pretrained(request.preset).")
        return self._run(request, output, progress, Given(), notes)

    def _run(
        self,
        request: AnimationRequest,
        output: Path | None,
        progress: ProgressCallback | None,
        given: Given,
        notes: Sequence[str] = (),
    ) -> AnimationResult:
        began_s = time.monotonic()
        check_request(request, output)
        request = resolved(request, self.parts.name, self.parts.settings)
        meter = ProgressMeter(progress, [Stage("read", 1, READ_PRIOR_S)])
        (inputs,) = [self._read(request, given) for _ in meter.each("read", [request])]
        speech_s = None if inputs.sound is None else inputs.sound.duration_s
        driver = watch(request, given.clip, self.parts.tracker, meter, speech_s, self.parts.settings.limits)
        performance = _performance(request, inputs, driver, self.parts.settings.limits)
        spec = self.parts.space.spec
        fps = request.fps or spec.fps
        request = settled(request, Settled(inputs.size, fps, performance.duration_s))
        num_frames = num_frames_at(performance.duration_s, fps)
        windows = plan(spec.num_latents(spec.num_frames(performance.duration_s)), *self._window_lengths())
        assert request.steps is not None
        meter.stages += _stages(inputs, performance, len(windows) * request.steps, num_frames)
        reference, observed_mask, heard, latents = self._dream(request, inputs, performance, windows, meter)

        used = {m: self.parts.model_sha256[m] for m in needed_models(self.parts.settings, request)}
        facts = make_facts(request, inputs.sha256 | _hash_of(driver), used)
        height, width = inputs.image.shape[:2]
        encoding = self.parts.settings.at(request.quality).encoding
        facts["video"] = {"width": width, "height": height, "frames": num_frames, "fps": fps} | {
            "encoding": encoding.model_dump()
        }
        facts["driving"], warnings = driving_facts(driver, inputs, performance.sound, observed_mask)
        if heard is not None:
            facts["heard"] = {label: round(share, 3) for label, share in heard.shares().items()}
            warnings = [*warnings, *heard.warnings()]
        late = too_late(inputs.prompts, performance.duration_s)
        facts["warnings"] = [*notes, *reference.facts.warnings, *warnings, *late]
        frames = _counted(self.parts.space.decode(latents, reference, fps), num_frames, meter)
        if output is None:
            kept: np.ndarray | None = np.stack(list(frames))
        else:
            kept = None
            with VideoWriter(output, fps, performance.sound, tags_of(facts), meter.beat, encoding) as writer:
                for frame in frames:
                    writer.write(frame)
        facts["timing"] = {"total_s": round(time.monotonic() - began_s, 3)}
        if output is not None:
            facts["video_sha256"] = sha256_of_file(output)
            write_sidecar(output, facts)
        parameters = self.parts.space.parameters_of(latents)
        assert request.seed is not None
        return AnimationResult(output, kept, fps, num_frames / fps, request.seed, parameters, facts)

    def _read(self, request: AnimationRequest, given: Given) -> Inputs:
        limits = self.parts.settings.limits
        picture = read_picture(request, given.image, self.parts.settings.at(request.quality).longest_side_px)
        speech, audio_sha256 = read_speech(request, given.sound, self.parts.voice, limits)
        prompts, text_sha256 = read_text(request)
        digests = {kind: found for kind, found in (("audio", audio_sha256), ("text", text_sha256)) if found}
        return Inputs(picture.image, picture.size, picture.person, speech, prompts, picture.sha256 | digests)

    def _dream(
        self,
        request: AnimationRequest,
        inputs: Inputs,
        performance: Performance,
        windows: list[Window],
        meter: ProgressMeter,
    ) -> tuple[Reference, Tensor, VoiceActivity | None, Tensor]:
        """Picture, sound and driver -> the prepared reference, what is observed, what is heard, the clip's latents."""
        space, sound, driver = self.parts.space, performance.sound, performance.driver
        (prepared,) = [space.prepare(image, inputs.person) for image in meter.each("prepare", [inputs.image])]
        reference = space.express(prepared, request.expression)
        audio: ConditionTrack | None = None
        heard: VoiceActivity | None = None
        if sound is not None:
            ((audio, heard),) = [self._listener.listen(each) for each in meter.each("listen", [sound])]
        pose = None if driver is None else space.follow(driver.person, reference, lips=inputs.sound is None)
        text = self.parts.text.encode(inputs.prompts) if inputs.prompts else None
        tracks = Tracks(reference_track(reference.facts), audio, pose, text)
        assert request.seed is not None
        generator = torch.Generator().manual_seed(request.seed)
        with self.parts.denoiser() as denoiser:
            meter.advance("denoise", 0)
            sampler = sampler_of(request, self.parts.settings)
            latents = sample_latents(
                denoiser, space.spec, tracks, windows, sampler, generator, lambda: meter.advance("denoise")
            )
        activity = activity_on_clock(heard, space.spec, latents.shape[2])
        adjusted = space.adjust(latents, activity, request.motion_strength)
        # What a driver shows is neither gated nor scaled: observed channels are put back as they were.
        observed, mask = pose_window(pose, space.spec, 0, latents.shape[2])
        return reference, mask, heard, eased(adjusted, observed, mask)

    def _window_lengths(self) -> tuple[int, int, int]:
        sampler = self.parts.settings.sampler
        return sampler.window_latents, sampler.prefix_latents, sampler.lookahead_latents


def draw_seed(generator: torch.Generator) -> int:
    """A seed out of a generator, so that the recorded seed repeats the run even when the generator is used again."""
    return int(torch.randint(2**31, (1,), generator=generator, device=generator.device))


@dataclass(frozen=True)
class Performance:
    """What is performed: for how long, to which sound, after whom.

    Attributes:
        duration_s: Length of the video: of the speech, else of the driver, else as asked.
        sound: The speech, or the driver's own sound; None where there is none.
        driver: Whose motion is followed, if anyone's.
    """

    duration_s: float
    sound: Sound | None
    driver: Driver | None


USUAL_DURATION_S = 5.0
"""Of a sentence that nobody gives an end."""
SHORTEST_DURATION_S = 0.2
"""As of `AnimationRequest.duration`."""


def _performance(request: AnimationRequest, inputs: Inputs, driver: Driver | None, limits: Limits) -> Performance:
    if inputs.sound is not None:
        return Performance(inputs.sound.duration_s, inputs.sound, driver)
    if driver is not None:
        return Performance(driver.duration_s, driver.sound, driver)
    duration_s = request.duration or max(SHORTEST_DURATION_S, length_s(inputs.prompts, USUAL_DURATION_S))
    if duration_s > limits.duration_s:
        cause = f"the prompts ask for {duration_s:.0f} s, over this preset's limit of {limits.duration_s:.0f} s"
        raise InputError("duration_too_long", cause, "Give a shorter --duration, or make it in parts.")
    return Performance(duration_s, None, None)


def num_frames_at(duration_s: float, fps: float) -> int:
    """Frames that cover `duration_s`: the sound is never cut, the video is under one frame longer."""
    return max(1, math.ceil(duration_s * fps - 1e-6))


def activity_on_clock(heard: VoiceActivity | None, spec: LatentSpec, num_latents: int) -> Float:
    """How surely there is a voice at the centres of the latent frames, `T` in 0..1; without a sound there is none."""
    if heard is None:
        return np.zeros(num_latents, np.float32)
    rows_s = row_times_s(len(heard.opening))
    return np.interp(spec.times_s(num_latents), rows_s, heard.opening).astype(np.float32)


def _hash_of(driver: Driver | None) -> dict[str, str]:
    return {} if driver is None else {driver.kind: driver.sha256}


def _stages(inputs: Inputs, performance: Performance, num_steps: int, num_frames: int) -> list[Stage]:
    frame_s = FRAME_PRIOR_S * inputs.image[..., 0].size / 512**2
    return [
        Stage("prepare", 1, PREPARE_PRIOR_S),
        *([] if performance.sound is None else [Stage("listen", 1, LISTEN_PRIOR_S)]),
        Stage("denoise", num_steps, STEP_PRIOR_S),
        Stage("render", num_frames, frame_s),
    ]


def _counted(frames: Iterator[Image], num_frames: int, meter: ProgressMeter) -> Iterator[Image]:
    """The first `num_frames` frames, each counted when it has been used."""
    meter.advance("render", 0)
    for frame in islice(frames, num_frames):
        yield frame
        meter.advance("render")
