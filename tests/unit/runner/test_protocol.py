"""What parent and child say to each other, and what a failure is called; no process is started."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from omnihuman.config import ROOT
from omnihuman.errors import ConfigError, InputError, InterruptedRun, ModelError, ResourceError, remember_kept
from omnihuman.media.image import write_image
from omnihuman.runner.animating import smaller
from omnihuman.runner.events import Item, ItemEvent, error_of, failed_event
from omnihuman.runner.failure import FailureClass, classify, death
from omnihuman.runner.stop import Stop, stopped_by_signals
from omnihuman.types import AnimationRequest

REQUEST = AnimationRequest(image="a.png", say="hello")


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (InputError("a", "b", "c"), FailureClass.INPUT),
        (ConfigError("a", "b", "c"), FailureClass.INPUT),
        (ModelError("a", "b", "c"), FailureClass.MODEL),
        (ResourceError("a", "b", "c"), FailureClass.RESOURCE),
        (ResourceError("out_of_memory", "b", "c"), FailureClass.OUT_OF_MEMORY),
        (InterruptedRun("a", "b", "c"), FailureClass.CANCELLED),
        (KeyboardInterrupt(), FailureClass.CANCELLED),
        (MemoryError(), FailureClass.OUT_OF_MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), FailureClass.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), FailureClass.OUT_OF_MEMORY),
        (ImportError("x.so: failed to map segment from shared object"), FailureClass.OUT_OF_MEMORY),
        (OSError(errno.EIO, "Input/output error"), FailureClass.RESOURCE),
        (RuntimeError("shapes differ"), FailureClass.INTERNAL),
        (AssertionError(), FailureClass.INTERNAL),
    ],
)
def test_every_failure_has_a_class_and_comes_back_as_the_same_error(error, failure):
    remember_kept(error, Path("a.partial.mp4"))
    found, coded = classify(error)
    event = failed_event(found, coded)
    back = error_of(ItemEvent.model_validate_json(event.line()))
    assert found is failure and back.as_record() == coded.as_record() and back.kept == "a.partial.mp4"
    assert back.exit_code == failure.exit_code == (coded.exit_code if coded is not error else error.exit_code)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (-9, "out_of_memory", "killed"),
        (137, "out_of_memory", "killed"),
        (-11, "worker_crashed", "SIGSEGV"),
        (139, "worker_crashed", "SIGSEGV"),
        (1, "worker_crashed", "status 1: ImportError"),
    ],
)
def test_what_a_silent_end_means(status, code, words):
    failure, error = death(status, "ImportError" if status == 1 else "")
    assert error.code == code and words in error.cause and error.exit_code == failure.exit_code == 3


def test_an_item_survives_its_line_with_any_name():
    odd = Path(os.fsdecode(b"caf\xe9 \xf0\x9f\x98\x80.png")) if sys.platform != "win32" else Path("caf\xe9.png")
    request = AnimationRequest(image=odd, audio=odd, text="smiles \u2028 and nods", fps=23.976, seed=3)
    item = Item(request=request, output=odd.with_suffix(".mp4"), device="cpu", notes=("one", "two"), smaller=True)
    assert "\n" not in item.line() and Item.from_line(item.line()) == item


def test_less_memory_is_half_the_size_until_it_is_small(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((300, 500, 3), np.uint8))
    pictured = AnimationRequest(image=tmp_path / "a.png", say="hello")
    assert smaller(REQUEST.model_copy(update={"size": 1000}), 1920)[0].size == 500
    assert smaller(pictured, 1920)[0].size == 250 and smaller(pictured, 400)[0].size == 200
    request, note = smaller(REQUEST.model_copy(update={"size": 200}), 1920)
    assert request.size == 128 and "200" in note and "128" in note
    with pytest.raises(ResourceError, match="out_of_memory"):
        smaller(REQUEST.model_copy(update={"size": 128}), 1920)


def test_signals_ask_and_then_force_and_are_given_back():
    stop, before = Stop(), signal.getsignal(signal.SIGINT)
    with stopped_by_signals(stop):
        assert not stop.is_asked
        signal.raise_signal(signal.SIGINT)
        assert stop.is_asked and not stop.is_forced
        signal.raise_signal(signal.SIGTERM)
        assert stop.is_forced
    assert signal.getsignal(signal.SIGINT) is before


def test_the_parent_is_light():
    code = "import sys, omnihuman.runner.run; print(*{'torch', 'av', 'cv2', 'numba', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
