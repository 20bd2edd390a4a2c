"""Frames and sound -> video files, through PyAV alone. Written aside in fragments; `finishing.py` makes the file of it.

H.264 (libx264) 4:2:0, BT.709, with AAC sound: what every browser and phone plays. Reading frames is `footage.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from omnihuman.errors import remember_kept
from omnihuman.media.files import new_part, unwritable
from omnihuman.media.finishing import finish, keep_partial
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
FRAGMENT_S = 0.2
"""What a killed process loses at most, beside the frames that the encoder still holds (about 15)."""
FRAGMENTED = {
    "movflags": "use_metadata_tags+delay_moov+default_base_moof",
    "frag_duration": str(round(FRAGMENT_S * 1e6)),
    "flush_packets": "1",
}
"""The index waits for the first fragment: only then is known by how much sound and frames begin early."""
BT709 = 1
LIMITED_RANGE = 1


class VideoWriter:
    """Writes frames and sound to `path`; nothing appears under that name before all of it is good.

    Used as a `with` block. Leaving it normally finishes and renames the file. Leaving it by any exception keeps the
    frames so far as `NAME.partial.mp4`, told by the attribute `kept` of the exception; without frames nothing is left.

    Args:
        path: The mp4 to make; its folder is created.
        fps: Frames per second.
        sound: Sound of the whole clip, or None.
        tags: Metadata of the container, key -> text.
        check: Called often while the file is finished; may raise to stop.
        encoding: How hard the encoder works.
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        sound: Sound | None,
        tags: Mapping[str, str],
        check: Callable[[], None] = lambda: None,
        encoding: Encoding = USUAL,
    ) -> None:
        self.path = path
        self.part = new_part(path)
        self._fps = exact_rate(fps)
        self._sound = sound
        self._tags = dict(tags)
        self._check = check
        self._encoding = encoding
        self._video: av.VideoStream | None = None
        self._num_frames = 0
        self._is_closed = False

    def __enter__(self) -> VideoWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # FFmpeg opens the file at the first packet; whether it may is better known now.
            self.part.touch()
            self._container = av.open(str(self.part), "w", format="mp4", options=FRAGMENTED)
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
            if error is None:
                self._finish()
        except BaseException as failure:
            coded = unwritable(self.path, failure) if isinstance(failure, OSError) else failure
            self._keep(coded)
            raise coded from None
        else:
            if error is not None:
                self._keep(error)
        finally:
            with suppress(OSError):
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

    def _keep(self, error: BaseException) -> None:
        """Saves the frames so far. The failure that stopped the work stays the one to tell, whatever happens here."""
        with suppress(OSError, MemoryError, av.FFmpegError):
            self._close_streams(self._num_frames / float(self._fps))
        with suppress(OSError, av.FFmpegError):
            self._container.close()
        if self._num_frames and (kept := keep_partial(self.part, self.path)) is not None:
            remember_kept(error, kept)

    def _finish(self) -> None:
        if self._video is not None:
            self._close_streams(None if self._sound is None else self._sound.duration_s)
        self._container.close()
        if self._num_frames:
            finish(self.part, self.path, self._tags, self._num_frames, self._check)

    def _close_streams(self, sound_until_s: float | None) -> None:
        """Writes what the encoders still hold; done once, whoever asks first."""
        if self._video is None or self._is_closed:
            return
        self._is_closed = True
        self._mux(self._video.encode(None))
        if self._sound is not None and sound_until_s is not None:
            self._write_sound(sound_until_s)
            for part in self._resampler.resample(None):
                self._mux(self._audio.encode(part))
            self._mux(self._audio.encode(None))


def exact_rate(fps: float) -> Fraction:
    """The frame rate that is meant: 23.976, 29.97 and 59.94 are short for 24000, 30000 and 60000 over 1001."""
    broadcast = Fraction(round(fps * 1.001) * 1000, 1001)
    return broadcast if abs(float(broadcast) - fps) < NTSC_ROUNDING else Fraction(fps).limit_denominator(1001)
