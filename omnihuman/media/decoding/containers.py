"""Opens sound and video files with FFmpeg's doors shut: listed containers, listed codecs, local files, no playlists.

Runs in the decoding child. A file cannot name another file or an address that would be opened with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import DECODER_THREADS, DECODERS, DEMUXERS, MAX_FRAME_PIXELS, MAX_STREAMS

if TYPE_CHECKING:
    from av.container import InputContainer

_DOORS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(DEMUXERS),
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "max_streams": str(MAX_STREAMS),
}
_PIXELS = {"max_pixels": str(2 * MAX_FRAME_PIXELS), "threads": "1"}
"""For the frames that FFmpeg decodes on its own while it looks what is in the file: it must see a size to tell it."""
VIDEO_WAY_OUT = "Give an mp4, mov or webm file."


def open_container(path: Path) -> InputContainer:
    """Opens a file of a listed container.

    Raises:
        av.FFmpegError: The file is of another kind, or damaged.
    """
    # The stub of PyAV calls them strings.
    streams: list[Any] = [_PIXELS] * MAX_STREAMS
    return av.open(str(path), metadata_errors="ignore", container_options=_DOORS, stream_options=streams)


def open_video(path: Path) -> InputContainer:
    """Opens a file with a picture track.

    Raises:
        InputError: video_unreadable or video_too_large.
    """
    name = path.name[:LONGEST_NAME]
    try:
        container = open_container(path)
    except (av.FFmpegError, OSError) as error:
        cause = f"{name!r} is not a video that can be read: {error.strerror}"
        raise InputError("video_unreadable", cause, VIDEO_WAY_OUT) from None
    try:
        _check_video(name, container)
    except BaseException:
        container.close()
        raise
    return container


def confined(stream: av.VideoStream | av.AudioStream) -> bool:
    """Limits what the decoder of a stream may do; False where it is none of the listed ones."""
    context = stream.codec_context
    if context is None or context.codec.name not in DECODERS:
        return False
    context.thread_count = DECODER_THREADS
    context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    return True


def _check_video(name: str, container: InputContainer) -> None:
    streams = container.streams.video
    # The cover of a song is a picture track of one frame.
    if not streams or streams[0].disposition & av.stream.Disposition.attached_pic:
        raise InputError("video_unreadable", f"{name!r} holds no picture track", "Give a video file.")
    if not confined(streams[0]):
        raise InputError("video_unreadable", f"{name!r} is coded in an unusual way", "Save the video again as mp4.")
    if streams[0].width * streams[0].height > MAX_FRAME_PIXELS:
        cause = f"the video has {streams[0].width} x {streams[0].height} pixels"
        raise InputError("video_too_large", cause, "Scale it down first; 1280 pixels are enough to follow a person.")
