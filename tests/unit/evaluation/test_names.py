"""Clips keep apart in tables and folders, whatever their files are called."""

from pathlib import Path

from omnihuman.evaluation.names import unique_names


def test_names_are_short_where_they_can_be_and_unique_always():
    paths = [Path(name) for name in ("x/a.wav", "y/b.wav", "z/B.wav", "z/b.mp3", "/c.wav", "p/../q/c.wav")]
    assert unique_names(paths) == ["a", "y/b", "z/B", "z/b-2", "c", "q/c"]
    assert unique_names([Path("x/a"), Path("x/a"), Path("x/a-2")]) == ["x/a", "x/a-2", "a-2"]


def test_a_name_does_not_lead_out_of_the_folder_that_keeps_the_videos():
    assert not any(".." in name for name in unique_names([Path("../a.wav"), Path("a/../a.wav")]))
