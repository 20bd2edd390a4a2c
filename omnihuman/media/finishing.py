"""The growing, fragmented mp4 of a render -> a file for people: repacked without re-encoding, proven, put in its place.

A fragment is whole or it is not: what a killed process leaves is cut behind the last whole one. ISO/IEC 14496-12.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av

from omnihuman.errors import ResourceError
from omnihuman.media.files import FULL, settle

WHOLE_SUFFIX = ".whole.part"
"""Ends the name of the repacked file before it gets its own."""
CONTAINER_TAGS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
"""What FFmpeg reports beside the tags that somebody wrote."""
BOX_HEADER, LARGE_BOX_HEADER = 8, 16
MOST_PARTIALS = 1000


def finish(part: Path, target: Path, tags: Mapping[str, str], num_frames: int, check: Callable[[], None]) -> None:
    """Makes the complete `part` the file `target`: index first, tags in it, read back before it gets the name.

    Args:
        part: The fragmented mp4, closed; it stays.
        target: The name of the finished file.
        tags: What its metadata must say.
        num_frames: Frames that were written.
        check: Called often; may raise to stop.

    Raises:
        OSError: the system refuses to write.
        ResourceError: provenance_failed or video_damaged; nothing has the name `target` then.
    """
    whole = part.with_name(part.name.removesuffix(".part") + WHOLE_SUFFIX)
    try:
        _repack(part, whole, tags, None, check)
        _prove(whole, tags, num_frames)
        check()
        settle(whole, target)
    finally:
        with suppress(OSError):
            whole.unlink(missing_ok=True)


def keep_partial(part: Path, target: Path) -> Path | None:
    """Makes what a stopped render left the file `NAME.partial.mp4`, its sound cut to the frames that there are.

    An earlier partial is never overwritten; the next free name is taken. On a full disk the fragmented file itself
    gets the name: it plays as well.

    Args:
        part: The fragmented mp4, whole or torn; gone afterwards.
        target: The name that the finished file would have had.

    Returns:
        Where it is, or None where not even one frame can be played.
    """
    whole = part.with_name(part.name.removesuffix(".part") + WHOLE_SUFFIX)
    try:
        with part.open("rb+") as torn:
            torn.truncate(_end_of_whole_fragments(part))
        if not part.stat().st_size:
            return None
        num_frames, end_s, tags = _contents(part)
        place = _free_name(target)
        try:
            _repack(part, whole, tags | {"partial": f"the first {num_frames} frames"}, end_s, lambda: None)
            _prove(whole, tags, num_frames)
            settle(whole, place)
        except OSError as error:
            if error.errno not in FULL:
                raise
            part.replace(place)
        return place
    except (OSError, av.FFmpegError, ResourceError, ValueError, IndexError):
        # The render has failed already; why its beginning cannot be kept as well is of no use to anybody.
        return None
    finally:
        for left in (whole, part):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _repack(
    part: Path, whole: Path, tags: Mapping[str, str], end_s: Fraction | None, check: Callable[[], None]
) -> None:
    """Copies the packets into a file with its index in front; sound that begins at `end_s` or later stays out."""
    options = {"movflags": "use_metadata_tags+faststart"}
    with (
        av.open(str(part), format="mp4", metadata_errors="ignore") as source,
        av.open(str(whole), "w", format="mp4", options=options) as sink,
    ):
        sink.metadata.update(tags)
        copies = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            check()
            if not packet.size or packet.pts is None:
                continue
            if end_s is not None and packet.stream.type == "audio":
                left = int(end_s / packet.time_base) - packet.pts
                if left <= 0:
                    continue
                packet.duration = min(packet.duration or left, left)
            packet.stream = copies[packet.stream.index]
            sink.mux(packet)


def _contents(part: Path) -> tuple[int, Fraction, dict[str, str]]:
    """Number of frames, where the last one ends in seconds, and the tags.

    Raises:
        ValueError: there is no frame.
    """
    with av.open(str(part), format="mp4", metadata_errors="ignore") as source:
        video = source.streams.video[0]
        ends = [p.pts + (p.duration or 0) for p in source.demux(video) if p.size and p.pts is not None]
        tags = {key: text for key, text in source.metadata.items() if key not in CONTAINER_TAGS}
        time_base = video.time_base
    if not ends or time_base is None:
        raise ValueError("no frame")
    return len(ends), max(ends) * time_base, tags


def _prove(path: Path, tags: Mapping[str, str], num_frames: int) -> None:
    """Reads a finished file back: tags, number of frames, the first and the last picture."""
    with av.open(str(path), metadata_errors="ignore") as container:
        if any(container.metadata.get(key) != text for key, text in tags.items()):
            cause = "the AI-generated mark could not be read back from the video"
            raise ResourceError("provenance_failed", cause, "Write to another disk and report this as a bug.")
        video = container.streams.video[0]
        shown = [next(container.decode(video), None)]
        if video.duration:
            container.seek(video.duration - 1, stream=video)
            shown += list(container.decode(video))[-1:]
        if video.frames != num_frames or len(shown) < 2 or None in shown:
            cause = f"the video has {video.frames} frames that can be read back instead of {num_frames}"
            raise ResourceError("video_damaged", cause, "Write to another disk and report this as a bug.")


def _end_of_whole_fragments(part: Path) -> int:
    """Bytes up to the end of the last fragment (moof and mdat) that is there completely; 0 when there is none."""
    size, place, end = part.stat().st_size, 0, 0
    with part.open("rb") as stream:
        while place + BOX_HEADER <= size:
            stream.seek(place)
            header = stream.read(LARGE_BOX_HEADER)
            length, kind = int.from_bytes(header[:4], "big"), header[4:BOX_HEADER]
            if length == 1:
                length = int.from_bytes(header[BOX_HEADER:], "big")
            if length < BOX_HEADER or place + length > size:
                break
            place += length
            end = place if kind == b"mdat" else end
    return end


def _free_name(target: Path) -> Path:
    """`NAME.partial.mp4`, or `NAME.partial-2.mp4` and so on where that is taken."""
    names = [f"{target.stem}.partial{target.suffix}"]
    names += [f"{target.stem}.partial-{number}{target.suffix}" for number in range(2, MOST_PARTIALS)]
    free = next((name for name in names if not target.with_name(name).exists()), None)
    if free is None:
        raise FileExistsError(errno.EEXIST, "too many partial files", names[0])
    return target.with_name(free)
