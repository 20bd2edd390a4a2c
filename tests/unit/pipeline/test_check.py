"""A place that cannot take the result is refused at once, and nothing of a person is overwritten."""

import json
from pathlib import Path

import pytest

from omnihuman.errors import InputError, OmniHumanError, ResourceError
from omnihuman.pipeline.check import check_request
from omnihuman.pipeline.mark import NOTICE
from omnihuman.types import AnimationRequest

REQUEST = AnimationRequest(image=Path("a.png"), say="hello")


def test_a_good_place_is_left_as_it_was(tmp_path):
    check_request(REQUEST, tmp_path / "new" / "a.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.avi", "a", ".mp4", "folder.mp4", "sidecar.mp4"])
def test_names_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "sidecar.json").mkdir()
    with pytest.raises(InputError, match="output_invalid"):
        check_request(REQUEST, tmp_path / name)


def test_a_json_of_somebody_else_is_kept(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match="not a record"):
        check_request(REQUEST, tmp_path / "a.mp4")
    (tmp_path / "a.json").write_text(json.dumps({"notice": NOTICE}))
    check_request(REQUEST, tmp_path / "a.mp4")


@pytest.mark.parametrize("name", ["x" * 300 + ".mp4", "file/a.mp4"])
def test_places_that_the_system_refuses(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="output_unwritable"):
        check_request(REQUEST, tmp_path / name)


def test_inputs_with_impossible_names_do_not_matter_here(tmp_path):
    request = AnimationRequest(image=Path("x" * 5000), say="hello")
    check_request(request, tmp_path / "a.mp4")


def test_every_refusal_is_one_line(tmp_path):
    for output in (tmp_path, tmp_path / "a.txt", Path("/proc/none/a.mp4")):
        with pytest.raises(OmniHumanError) as caught:
            check_request(REQUEST, output)
        assert "\n" not in str(caught.value)
