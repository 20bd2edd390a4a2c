"""A manifest names sounds beside itself and says once what is spoken in each."""

import json

import pytest

from omnihuman.errors import InputError
from omnihuman.evaluation.manifest import read_manifest


@pytest.fixture
def write(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "p.json").write_text("[]")

    def made(content):
        path = tmp_path / "manifest.json"
        path.write_text(content if isinstance(content, str) else json.dumps({"schema": 1, "clips": content}))
        return path

    return made


def test_paths_are_taken_from_the_folder_of_the_file(write, tmp_path):
    clips = read_manifest(
        write(
            [
                {"sound": "a.wav", "transcript": "hello", "speaker": "ann"},
                {"sound": "a.wav", "phones": "deep/p.json"},
                {"sound": "a.wav", "silent": True},
            ]
        )
    )
    assert clips[0].sound == tmp_path / "a.wav" and clips[0].speaker == "ann"
    assert clips[1].phones == tmp_path / "deep" / "p.json"
    assert clips[2].silent


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{", "manifest_unreadable"),
        ("[]", "manifest_unreadable"),
        ('{"schema": 2, "clips": []}', "manifest_unreadable"),
        ([], "manifest_unreadable"),
        ([{"sound": "a.wav"}], "manifest_unreadable"),
        ([{"sound": "a.wav", "transcript": "x", "silent": True}], "manifest_unreadable"),
        ([{"sound": "a.wav", "transcript": "x", "speakr": "y"}], "manifest_unreadable"),
        ([{"sound": "none.wav", "transcript": "x"}], "clip_missing"),
        ([{"sound": "a.wav", "phones": "none.json"}], "clip_missing"),
    ],
)
def test_a_wrong_manifest_is_coded(write, content, code):
    with pytest.raises(InputError, match=code) as caught:
        read_manifest(write(content))
    assert ": :" not in caught.value.cause


def test_a_missing_manifest_is_coded(tmp_path):
    with pytest.raises(InputError, match="manifest_missing"):
        read_manifest(tmp_path / "none.json")
