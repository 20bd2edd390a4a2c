"""Small sound files of every kind, made by the tests themselves, and ways to spoil them."""

import io
import random
from fractions import Fraction

import av
import numpy as np
from PIL import Image as PillowImage

RATE_HZ, DURATION_S, FPS = 16000, 0.6, 25
PICTURES = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF"}
SOUNDS = {
    "wav": ("wav", "pcm_s16le"),
    "mp3": ("mp3", "libmp3lame"),
    "flac": ("flac", "flac"),
    "ogg": ("ogg", "libopus"),
    "oga": ("ogg", "flac"),
    "m4a": ("ipod", "aac"),
    "alac.m4a": ("ipod", "alac"),
    "aac": ("adts", "aac"),
    "aiff": ("aiff", "pcm_s16be"),
    "caf": ("caf", "pcm_s16be"),
    "au": ("au", "pcm_s16be"),
    "amr": ("amr", "libopencore_amrnb"),
    "ac3": ("ac3", "ac3"),
    "wma": ("asf", "wmav2"),
    "mka": ("matroska", "flac"),
}
"""Suffix -> container and codec, as FFmpeg calls them."""
VIDEOS = {
    "mp4": ("mp4", "libx264", "aac"),
    "mov": ("mov", "libx264", "pcm_s16le"),
    "mkv": ("matroska", "libx264", "flac"),
    "webm": ("webm", "libvpx", "libopus"),
    "avi": ("avi", "mpeg4", "libmp3lame"),
    "ts": ("mpegts", "libx264", "aac"),
    "3gp": ("3gp", "libx264", "libopencore_amrnb"),
}
"""Suffix -> container, video codec, sound codec."""
_RATES_HZ = {"libopus": 48000, "libopencore_amrnb": 8000, "wmav2": 44100, "ac3": 48000}
_BIT_RATES = {"libopencore_amrnb": 12200}


def has(*codecs: str) -> bool:
    """Whether this build of FFmpeg can write with these codecs."""
    for name in codecs:
        try:
            av.Codec(name, "w")
        except (av.codec.codec.UnknownCodecError, ValueError):
            return False
    return True


def picture(suffix: str) -> bytes:
    ramp = np.linspace(0, 255, 96 * 80 * 3).reshape(80, 96, 3).astype(np.uint8)
    ramp[20:40, 30:60] = (200, 30, 60)
    held = io.BytesIO()
    PillowImage.fromarray(ramp).save(held, PICTURES[suffix])
    return held.getvalue()


def tone(rate_hz: int) -> np.ndarray:
    """A tone of 440 Hz, `1 S`."""
    times_s = np.arange(round(DURATION_S * rate_hz)) / rate_hz
    return (0.4 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)[None]


def sound(suffix: str) -> bytes:
    container, codec = SOUNDS[suffix]
    return _muxed(container, None, codec)


def video(suffix: str, num_frames: int = 15) -> bytes:
    return _muxed(*VIDEOS[suffix], num_frames)


def _muxed(container: str, video_codec: str | None, sound_codec: str, num_frames: int = 15) -> bytes:
    held = io.BytesIO()
    with av.open(held, "w", format=container) as file:
        pictures = None
        if video_codec is not None:
            pictures = file.add_stream(video_codec, rate=FPS)
            pictures.width, pictures.height, pictures.pix_fmt = 96, 64, "yuv420p"
        rate_hz = _RATES_HZ.get(sound_codec, RATE_HZ)
        sounds = file.add_stream(sound_codec, rate=rate_hz, layout="mono")
        sounds.bit_rate = _BIT_RATES.get(sound_codec, 64000)
        if pictures is not None:
            for index in range(num_frames):
                frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 20 + 10 * index, np.uint8), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                file.mux(pictures.encode(frame))
            file.mux(pictures.encode(None))
        if not sounds.codec_context.is_open:
            sounds.codec_context.open()
        size = sounds.codec_context.frame_size or 1024
        converted = av.AudioResampler(sounds.codec_context.format, "mono", rate_hz, frame_size=size)
        whole = av.AudioFrame.from_ndarray(tone(rate_hz), format="fltp", layout="mono")
        whole.sample_rate, whole.pts, whole.time_base = rate_hz, 0, Fraction(1, rate_hz)
        for part in [*converted.resample(whole), *converted.resample(None)]:
            file.mux(sounds.encode(part))
        file.mux(sounds.encode(None))
    return held.getvalue()


def spoiled(data: bytes, dice: random.Random) -> bytes:
    """The same file as a bad disk, a cut line or an enemy would leave it; one to three spoils, never the same twice."""
    for _ in range(dice.randint(1, 3)):
        data = dice.choice(SPOILS)(bytearray(data), dice)
    return data


def _cut(data, dice):
    return bytes(data[: dice.randrange(len(data) + 1)])


def _flip_bits(data, dice):
    for _ in range(dice.choice((1, 4, 30)) if data else 0):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _flip_in_head(data, dice):
    for _ in range(4 if data else 0):
        data[dice.randrange(min(len(data), 96))] = dice.randrange(256)
    return bytes(data)


def _lie(data, dice):
    """A length, a count or a size becomes absurd."""
    at = dice.randrange(max(1, len(data) - 4))
    lies = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 100_000)
    data[at : at + 4] = dice.choice(lies).to_bytes(4, dice.choice(("big", "little")))
    return bytes(data)


def _double(data, dice):
    begin = dice.randrange(len(data) + 1)
    end = min(len(data), begin + dice.choice((8, 200, 5000)))
    return bytes(data[:end] + data[begin:])


def _drop(data, dice):
    begin = dice.randrange(len(data) + 1)
    return bytes(data[:begin] + data[begin + dice.choice((1, 7, 400)) :])


def _erase(data, dice):
    begin = dice.randrange(len(data) + 1)
    size = dice.choice((4, 64, 2000))
    data[begin : begin + size] = bytes([dice.choice((0, 255))]) * min(size, len(data) - begin)
    return bytes(data)


def _other_head(data, dice):
    """A polyglot: the beginning says something else than the rest."""
    heads = (
        b"PK\x03\x04",
        b"<html>",
        b"#EXTM3U\n",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\xff\xff\xff\xffWAVE",
        b"ID3\x04\x00\x00",
    )
    return dice.choice(heads) + bytes(data)


SPOILS = (_cut, _flip_bits, _flip_in_head, _lie, _double, _drop, _erase, _other_head)
