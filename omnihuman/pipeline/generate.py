"""`OmniHumanPipeline`: a request -> conditions -> latents -> frames -> mp4 and its record. The one face of the engine.

CLI, batch, UI, REST and evaluation call this and nothing below it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.bundle import Tracks
from omnihuman.conditions.reference import reference_track
from omnihuman.errors import InputError
from omnihuman.latents.base import Reference
from omnihuman.media.audio import is_silent
from omnihuman.media.video import VideoWriter
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.assemble import PipelineParts, assemble
from omnihuman.pipeline.check import check_request
from omnihuman.pipeline.inputs import IN_MEMORY, Inputs, read_driver, read_picture, require_sound
from omnihuman.pipeline.preset import SamplerSettings
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.pipeline.provenance import check_tags, make_facts, sha256_of_file, tags_of, write_sidecar
from omnihuman.pipeline.sample import sample_latents
from omnihuman.pipeline.windows import Window, plan
from omnihuman.speech.clock import row_times_s
from omnihuman.speech.gate import speech_activity
from omnihuman.types import (
    AnimationRequest,
    AnimationResult,
    Float,
    Image,
    LatentSpec,
    ProgressCallback,
    Sound,
    build_request,
)

READ_PRIOR_S, PREPARE_PRIOR_S, LISTEN_PRIOR_S, WINDOW_PRIOR_S, FRAME_PRIOR_S = 0.5, 3.0, 1.0, 0.2, 0.05
"""Expected seconds per unit of each stage before anything is measured; only the first estimate uses them."""


class OmniHumanPipeline:
    """Animates one picture by speech.

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
        seed: int | None = None,
        steps: int | None = None,
        guidance_audio: float | None = None,
        motion_strength: float = 1.0,
        size: int | None = None,
        embed_text: bool = False,
        generator: torch.Generator | None = None,
        output: str | Path | None = None,
        progress: ProgressCallback | None = None,
    ) -> AnimationResult:
        """Animates a picture.

        Args:
            image: Path of a picture, or RGB uint8 `H W 3`.
            audio: Path of a sound file, or a `Sound`.
            say: Sentence for the built-in voice, instead of `audio`.
            seed: Random seed; drawn when neither this nor `generator` is given.
            steps: Denoising steps; the preset decides when None.
            guidance_audio: Audio guidance, 1 = off; the preset decides when None.
            motion_strength: 0 = still head and body, 1 = as generated, up to 2.
            size: Longest side of the video, pixels.
            embed_text: Also record the spoken text.
            generator: Draws the seed, which is recorded; not together with `seed`.
            output: The mp4 to write, with a JSON beside it; None returns frames in memory.
            progress: Receives `ProgressEvent`s.

        Returns:
            The result; `frames` only where `output` is None.

        Raises:
            OmniHumanError: coded, with the way out.
        """
        if generator is not None and seed is not None:
            raise InputError("request_invalid", "both seed and generator are given", "Give one of them.")
        require_sound(audio)
        fields = {
            "preset": self.parts.name,
            "image": image if isinstance(image, str | Path) else IN_MEMORY,
            "audio": IN_MEMORY if isinstance(audio, Sound) else audio,
            "say": say,
            "seed": draw_seed(generator) if generator is not None else seed,
            "steps": steps,
            "guidance_audio": guidance_audio,
            "motion_strength": motion_strength,
            "size": size,
            "embed_text": embed_text,
        }
        picture = None if isinstance(image, str | Path) else np.asarray(image)
        sound = audio if isinstance(audio, Sound) else None
        return self._run(build_request(fields), None if output is None else Path(output), progress, picture, sound)

    def animate(
        self, request: AnimationRequest, output: Path | None = None, progress: ProgressCallback | None = None
    ) -> AnimationResult:
        """As `__call__`, for a validated request of this pipeline's preset."""
        if request.preset != self.parts.name:
            cause = f"the request asks for preset '{request.preset}', this pipeline is '{self.parts.name}'"
            raise InputError("request_invalid", cause, "Use from_pretrained(request.preset).")
        return self._run(request, output, progress, None, None)

    def _run(
        self,
        request: AnimationRequest,
        output: Path | None,
        progress: ProgressCallback | None,
        image: np.ndarray | None,
        sound: Sound | None,
    ) -> AnimationResult:
        began_s = time.monotonic()
        check_request(request, output)
        request = self._resolved(request)
        meter = ProgressMeter(progress, [Stage("read", 1, READ_PRIOR_S)])
        (inputs,) = [self._read(request, image, sound) for _ in meter.each("read", [request])]
        spec = self.parts.space.spec
        num_frames = spec.num_frames(inputs.sound.duration_s)
        windows = plan(spec.num_latents(num_frames), *self._window_lengths())
        meter.stages += _stages(inputs, len(windows), num_frames)
        reference, latents = self._dream(request, inputs, windows, meter)

        facts = make_facts(request, inputs.sha256, self.parts.model_sha256)
        height, width = inputs.image.shape[:2]
        facts["video"] = {"width": width, "height": height, "frames": num_frames, "fps": spec.fps}
        facts["warnings"] = ["the sound is silent: the mouth will rest"] if is_silent(inputs.sound) else []
        frames = _counted(self.parts.space.decode(latents, reference), num_frames, meter)
        kept = _write(frames, output, spec.fps, inputs.sound, facts)
        facts["timing"] = {"total_s": round(time.monotonic() - began_s, 3)}
        if output is not None:
            facts["video_sha256"] = sha256_of_file(output)
            write_sidecar(output, facts)
        parameters = self.parts.space.parameters_of(latents)
        assert request.seed is not None
        duration_s = num_frames / spec.fps
        return AnimationResult(output, kept, spec.fps, duration_s, request.seed, parameters, facts)

    def _read(self, request: AnimationRequest, image: np.ndarray | None, sound: Sound | None) -> Inputs:
        limits = self.parts.settings.limits
        picture, image_sha256 = read_picture(request, image, limits)
        driver, audio_sha256 = read_driver(request, sound, self.parts.voice, limits)
        hashes = {"image": image_sha256, "audio": audio_sha256}
        return Inputs(picture, driver, {kind: digest for kind, digest in hashes.items() if digest is not None})

    def _dream(
        self, request: AnimationRequest, inputs: Inputs, windows: list[Window], meter: ProgressMeter
    ) -> tuple[Reference, Tensor]:
        """Picture and sound -> the prepared reference and the latents of the whole clip."""
        space = self.parts.space
        (reference,) = [space.prepare(image) for image in meter.each("prepare", [inputs.image])]
        (audio,) = [self.parts.audio.encode(sound) for sound in meter.each("listen", [inputs.sound])]
        tracks = Tracks(reference_track(reference.facts), audio)
        assert request.seed is not None
        generator = torch.Generator().manual_seed(request.seed)
        with self.parts.denoiser() as denoiser:
            planned = meter.each("denoise", windows)
            latents = sample_latents(denoiser, space.spec, tracks, planned, self._sampler(request), generator)
        activity = activity_on_clock(inputs.sound, space.spec, latents.shape[2])
        return reference, space.adjust(latents, activity, request.motion_strength)

    def _resolved(self, request: AnimationRequest) -> AnimationRequest:
        """The request with every default of the preset filled in, so that the record repeats the run."""
        sampler = self.parts.settings.sampler
        filled: dict[str, Any] = {
            "seed": secrets.randbelow(2**31) if request.seed is None else request.seed,
            "steps": request.steps or sampler.steps,
            "guidance_audio": sampler.guidance_audio if request.guidance_audio is None else request.guidance_audio,
        }
        return request.model_copy(update=filled)

    def _sampler(self, request: AnimationRequest) -> SamplerSettings:
        update = {"steps": request.steps, "guidance_audio": request.guidance_audio}
        return self.parts.settings.sampler.model_copy(update=update)

    def _window_lengths(self) -> tuple[int, int, int]:
        sampler = self.parts.settings.sampler
        return sampler.window_latents, sampler.prefix_latents, sampler.lookahead_latents


def draw_seed(generator: torch.Generator) -> int:
    """A seed out of a generator, so that the recorded seed repeats the run even when the generator is used again."""
    return int(torch.randint(2**31, (1,), generator=generator, device=generator.device))


def activity_on_clock(sound: Sound, spec: LatentSpec, num_latents: int) -> Float:
    """Speech activity at the centres of the latent frames, `T` in 0..1."""
    activity = speech_activity(sound)
    return np.interp(spec.times_s(num_latents), row_times_s(len(activity)), activity).astype(np.float32)


def _stages(inputs: Inputs, num_windows: int, num_frames: int) -> list[Stage]:
    frame_s = FRAME_PRIOR_S * inputs.image[..., 0].size / 512**2
    return [
        Stage("prepare", 1, PREPARE_PRIOR_S),
        Stage("listen", 1, LISTEN_PRIOR_S),
        Stage("denoise", num_windows, WINDOW_PRIOR_S),
        Stage("render", num_frames, frame_s),
    ]


def _counted(frames: Iterator[Image], num_frames: int, meter: ProgressMeter) -> Iterator[Image]:
    """The first `num_frames` frames, each counted when it has been used."""
    meter.advance("render", 0)
    for frame in islice(frames, num_frames):
        yield frame
        meter.advance("render")


def _write(
    frames: Iterator[Image], output: Path | None, fps: float, sound: Sound, facts: dict[str, Any]
) -> np.ndarray | None:
    """Streams the frames into the mp4 and reads its mark back, or stacks them when there is no output."""
    if output is None:
        return np.stack(list(frames))
    with VideoWriter(output, fps, sound, tags_of(facts)) as writer:
        for frame in frames:
            writer.write(frame)
    check_tags(output, facts)
    return None
