"""The record repeats the run and keeps private things private."""

import json
from pathlib import Path

from omnihuman.pipeline.provenance import make_facts, write_sidecar
from omnihuman.types import AnimationRequest

SECRET = "my secret sentence"


def facts(**fields):
    request = AnimationRequest(image=Path("folder/of/jane.png"), say=SECRET, seed=7, **fields)
    return make_facts(request, {"image": "00"}, {"motion-dit": "11"})


def test_no_names_paths_or_text_unless_asked():
    record = json.dumps(facts())
    assert SECRET not in record and "jane" not in record and "folder" not in record
    assert facts(embed_text=True)["spoken_text"] == SECRET


def test_settings_repeat_the_request():
    settings = facts(steps=3)["settings"]
    expected = set(AnimationRequest.model_fields) - {"image", "audio", "say", "drive", "pose", "landmarks", "text"}
    assert set(settings) == expected and settings["seed"] == 7 and settings["steps"] == 3


def test_sidecar_lies_beside_the_video(tmp_path):
    path = write_sidecar(tmp_path / "a.mp4", facts())
    assert path == tmp_path / "a.json" and json.loads(path.read_text())["settings"]["seed"] == 7
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
