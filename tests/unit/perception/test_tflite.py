"""On the smallest real network of the cache: names, copies, batch axis, a quiet start."""

import subprocess
import sys

import numpy as np
import pytest

from omnihuman.perception.tflite import TFLiteModel


@pytest.fixture
def network(model_handle, hub):
    with model_handle("face-detector")():
        files = hub.ensure("face-detector")
    return TFLiteModel.from_file(files["face_detection_short_range.tflite"])


def test_outputs_have_names(network):
    assert network.input_shape == (1, 128, 128, 3)
    outputs = network(np.zeros((128, 128, 3), np.float32))
    assert {value.shape for value in outputs.values()} == {(1, 896, 16), (1, 896, 1)}


def test_outputs_are_copies(network):
    first = network(np.zeros((1, 128, 128, 3), np.float32))
    kept = {name: value.copy() for name, value in first.items()}
    network(np.ones((1, 128, 128, 3), np.float32))
    assert all((first[name] == kept[name]).all() for name in kept)


def test_loading_prints_nothing(model_handle, hub):
    model_handle("face-detector")
    path = hub.ensure("face-detector")["face_detection_short_range.tflite"]
    code = (
        "import sys; from pathlib import Path; from omnihuman.perception.tflite import TFLiteModel;"
        "TFLiteModel.from_file(Path(sys.argv[1])); sys.stderr.write('kept')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "kept")
