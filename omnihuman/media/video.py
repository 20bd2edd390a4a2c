"""Frames and sound -> video files, through PyAV alone. Written aside and renamed; tags go in and are read back.

H.264 (libx264) 4:2:0, BT.709, with AAC sound: what every browser and phone plays. Reading frames is `footage.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from omnihuman.media.files import LONGEST_NAME, unwritable
from omnihuman.media.framing import pad_to_even
from omnihuman.types import Encoding, Image, Sound

USUAL = Encoding(crf=18, speed="veryfast")
"""Of files that no preset describes."""
ENCODER_THREADS = 2
"""libx264 splits a frame by the number of threads: a fixed number keeps the bytes the same on every machine."""
NTSC_ROUNDING = 5e-4
"""How far a rate with three decimals, or two, may be from the one it stands for."""
SOUND_BIT_RATE = 160_000
AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
BT709 = 1
LIMITED_RANGE = 1


class VideoWriter:
    """Writes frames and sound to `path`; nothing appears under that name before all of it is good.

    Used as a `with` block: leaving it normally finishes and renames the file, an exception removes what was written.

    Args:
        path: The mp4 to make; its folder is created.
        fps: Frames per second.
        sound: Sound of the whole clip, or None.
        tags: Metadata of the container, key -> text.
        encoding: How hard the encoder works.
    """

    def __init__(
        self, path: Path, fps: float, sound: Sound | None, tags: Mapping[str, str], encoding: Encoding = USUAL
    ) -> None:
        self.path = path
        self.part = path.with_name(f".{path.name[:LONGEST_NAME]}.{os.getpid()}.part")
        self._fps = exact_rate(fps)
        self._sound = sound
        self._tags = dict(tags)
        self._encoding = encoding
        self._video: av.VideoStream | None = None
        self._num_frames = 0

    def __enter__(self) -> VideoWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # FFmpeg opens the file at the first packet; whether it may is better known now.
            self.part.touch()
            options = {"movflags": "use_metadata_tags+faststart"}
            self._container = av.open(str(self.part), "w", format="mp4", options=options)
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._container.metadata.update(self._tags)
        return self

    def write(self, frame: Image) -> None:
        """Appends one frame, RGB uint8 `H W 3`; all frames have the size of the first."""
        frame = pad_to_even(frame)
        if self._video is None:
            self._open_streams(frame.shape[1], frame.shape[0])
        assert self._video is not None
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture = picture.reformat(format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED_RANGE)
        picture.pts = self._num_frames
        picture.time_base = 1 / self._fps
        self._num_frames += 1
        try:
            self._mux(self._video.encode(picture))
            self._write_sound(self._num_frames / float(self._fps))
        except OSError as error:
            raise unwritable(self.path, error) from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                self._abandon()
        except OSError as failure:
            raise unwritable(self.path, failure) from None
        finally:
            self.part.unlink(missing_ok=True)

    def _open_streams(self, width: int, height: int) -> None:
        options = {"preset": self._encoding.speed, "crf": str(self._encoding.crf)}
        video = self._container.add_stream("libx264", rate=self._fps, options=options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        context = video.codec_context
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        context.thread_count = ENCODER_THREADS
        self._video = video
        if self._sound is None:
            return
        rate_hz = min((r for r in AAC_RATES_HZ if r >= self._sound.rate_hz), default=AAC_RATES_HZ[-1])
        layout = "mono" if self._sound.stereo is None else "stereo"
        self._audio = self._container.add_stream("aac", rate=rate_hz, layout=layout)
        self._audio.bit_rate = SOUND_BIT_RATE
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate_hz, frame_size=1024)
        self._num_sound = 0

    def _write_sound(self, until_s: float) -> None:
        if self._sound is None:
            return
        end = min(len(self._sound.samples), round(until_s * self._sound.rate_hz))
        if end <= self._num_sound:
            return
        source = self._sound.samples[:, None] if self._sound.stereo is None else self._sound.stereo
        samples = np.ascontiguousarray(source[self._num_sound : end].T, np.float32)
        layout = "mono" if len(samples) == 1 else "stereo"
        chunk = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        chunk.sample_rate = self._sound.rate_hz
        chunk.pts, chunk.time_base = self._num_sound, Fraction(1, self._sound.rate_hz)
        self._num_sound = end
        for part in self._resampler.resample(chunk):
            self._mux(self._audio.encode(part))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def _abandon(self) -> None:
        """Closes without caring: the part is removed and the first failure is the one to tell."""
        with suppress(OSError):
            self._container.close()

    def _finish(self) -> None:
        if self._video is None:
            self._container.close()
            return
        self._mux(self._video.encode(None))
        if self._sound is not None:
            self._write_sound(self._sound.duration_s)
            for part in self._resampler.resample(None):
                self._mux(self._audio.encode(part))
            self._mux(self._audio.encode(None))
        self._container.close()
        with self.part.open("rb+") as written:
            os.fsync(written.fileno())
        self.part.replace(self.path)


def exact_rate(fps: float) -> Fraction:
    """The frame rate that is meant: 23.976, 29.97 and 59.94 are short for 24000, 30000 and 60000 over 1001."""
    broadcast = Fraction(round(fps * 1.001) * 1000, 1001)
    return broadcast if abs(float(broadcast) - fps) < NTSC_ROUNDING else Fraction(fps).limit_denominator(1001)


def read_tags(path: Path) -> dict[str, str]:
    """Metadata of a media file, key -> text."""
    with av.open(str(path), metadata_errors="ignore") as container:
        return dict(container.metadata)
