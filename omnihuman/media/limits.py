"""What is accepted of pictures, sounds and videos, and how much their decoding may cost. Constants, nothing else.

The parent (`image`, `audio`, `footage`, `sandbox`) and the decoding child read the same numbers here. docs/files.md
tells them to people.
"""

from __future__ import annotations

PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PICTURE_PIXELS = 64_000_000
MAX_PICTURE_BYTES = 512 * 10**6
"""64 megapixels of 16-bit RGBA, uncompressed."""
MIN_SIDE_PX = 64

MAX_SOUND_S = 3600.0
MIN_SOUND_S = 0.1
MIN_RATE_HZ = 4000
MAX_RATE_HZ = 768_000
"""No recorder goes beyond; a header may."""
KEPT_RATE_HZ = 48_000
"""Faster sound arrives at this rate: the AAC of the video knows no higher one, and an hour fits into memory."""
MAX_CHANNELS = 64

MAX_VIDEO_S = 600.0
"""A driver is looked at frame by frame, at some 40 ms each: ten minutes take about ten."""
MAX_FRAME_PIXELS = 36_000_000
"""8K; a larger frame is a mistake or an attack."""
MAX_CONTAINER_BYTES = 16 * 10**9
"""Ten minutes of 8K, or an hour of eight channels."""
MAX_STREAMS = 64
MAX_TAG_BYTES = 4 * 10**6

DEMUXERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "gif", "flv", "asf", "mpeg", "mpegts"),
    *("wav", "w64", "aiff", "caf", "au", "flac", "mp3", "ogg", "aac", "amr", "ac3", "eac3", "wv", "tta"),
)
"""FFmpeg's names of the containers; none of them opens a second file. Playlists and lists of files are not here."""

_DECODERS = """
    h264 hevc vvc av1 libdav1d vp8 libvpx vp9 libvpx-vp9 theora mpeg1video mpeg2video mpegvideo mpeg4 h263 h263p
    h263i msmpeg4 msmpeg4v1 msmpeg4v2 wmv1 wmv2 wmv3 vc1 flv mjpeg prores dnxhd dvvideo gif png rawvideo ffv1
    huffyuv ffvhuff utvideo qtrle cfhd v210 aac aac_fixed aac_latm mp1 mp1float mp2 mp2float mp3 mp3float flac alac
    opus libopus vorbis ac3 ac3_fixed eac3 amrnb amrwb libopencore_amrnb libopencore_amrwb wmav1 wmav2 wmapro
    wmalossless speex gsm gsm_ms wavpack tta adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_yamaha adpcm_swf pcm_alaw
    pcm_mulaw pcm_u8 pcm_s8 pcm_s16le pcm_s16be pcm_u16le pcm_u16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be
    pcm_s64le pcm_s64be pcm_f32le pcm_f32be pcm_f64le pcm_f64be pcm_s16le_planar pcm_s16be_planar pcm_s24le_planar
    pcm_s32le_planar pcm_s8_planar pcm_bluray pcm_dvd
"""
DECODERS = frozenset(_DECODERS.split())
"""FFmpeg's names of the codecs that people record and share; the hundreds beside them are for museums and attackers."""
DECODER_THREADS = 2

CHILD_MEMORY_BYTES = 3 * 10**9
"""Address space: an 8K frame with all the frames that H.264 refers to needs half of it."""
CHILD_OPEN_FILES = 64
CHILD_CPU_S = 45
"""For one message (a picture, a frame, a second of sound), not for the whole file: long files are no mistake."""
MESSAGE_WAIT_S = 90.0
"""Wall clock for one message, the start of the child included: twice the CPU, for machines that are busy elsewhere."""
