"""What a player finds in a file, and what lies in a folder."""

import av


def played(path, notice="AI-generated"):
    """Number of frames that decode, their length and that of the sound in seconds; fails where anything is torn."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        lengths = [float(s.duration * s.time_base) for s in (video, audio)]
        promised = video.frames
        assert container.metadata["comment"] == notice
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 0
    assert frames == promised
    return frames, *lengths


def names(folder):
    return sorted(path.name for path in folder.iterdir())
