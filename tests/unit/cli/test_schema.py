"""No face of the product lacks a field of the request schema."""

import inspect
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from omnihuman.cli import app, main
from omnihuman.cli.schema import CONSTANT_FIELDS, option_name
from omnihuman.errors import InputError
from omnihuman.types import AnimationRequest, build_request

CHOICES = [name for name in AnimationRequest.model_fields if name not in CONSTANT_FIELDS]


@pytest.mark.parametrize("name", CHOICES)
def test_every_field_is_an_option(name):
    shown = CliRunner().invoke(app, ["animate", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert "--" + name.replace("_", "-") in shown.output


def test_every_field_is_an_argument_of_the_python_face():
    from omnihuman.pipeline.generate import OmniHumanPipeline

    taken = {*inspect.signature(OmniHumanPipeline.__call__).parameters}
    built = {*inspect.signature(OmniHumanPipeline.from_pretrained).parameters}
    assert set(CHOICES) <= taken | built


def test_defaults_of_the_faces_are_those_of_the_schema():
    from omnihuman.pipeline.generate import OmniHumanPipeline

    for name, parameter in inspect.signature(OmniHumanPipeline.__call__).parameters.items():
        field = AnimationRequest.model_fields.get(name)
        if field is not None and not field.is_required():
            assert parameter.default == field.default, name


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"seed": -1}, "--seed"), ({"motion_strength": 3.0}, "--motion-strength"), ({"say": "a", "audio": "b"}, "either")],
)
def test_bad_values_name_the_option(fields, words):
    with pytest.raises(InputError, match=words):
        build_request({"image": "a.png", **fields}, option_name)


@pytest.mark.parametrize("as_json", [False, True])
def test_an_error_is_one_coded_line(as_json, tmp_path):
    command = [sys.executable, "-m", "omnihuman", "animate", "--image", "a.png", "--seed", "-1"]
    command += ["--out", str(tmp_path / "a.mp4"), *(["--json"] if as_json else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    if as_json:
        assert json.loads(done.stdout)["error"]["code"] == "request_invalid"
    else:
        assert done.stderr.startswith("error[request_invalid]:") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (["animate"], "--image"),
        (["animate", "--image", "a.png", "--out", "a.mp4", "--fps", "fast"], "--fps"),
        (["animate", "--image", "a.png", "--out", "a.mp4", "--expression", "none"], "--expression"),
        (["pose", "extract", "a.mp4", "--out", "a.json", "--person", "0"], "--person"),
        (["nothing"], "nothing"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_command_is_one_coded_line(words, cause, as_json, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["omnihuman", *words, *(["--json"] if as_json else [])])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    line = json.loads(out)["error"]["cause"] if as_json else err
    assert cause in line and line.count("\n") == (0 if as_json else 1)
    assert as_json or (err.startswith("error[usage]: ") and "--help" in err)


def test_a_group_alone_shows_its_help(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["omnihuman", "pose"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and "extract" in out and not err
