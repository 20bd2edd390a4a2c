"""Checkpoints: whole or not at all, and what does not fit is refused by name."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from torch import nn

from omnihuman.errors import InputError, ResourceError
from omnihuman.training import checkpoint
from omnihuman.training.ema import MovingAverage

RECORD = checkpoint.Record(step=7, seconds=1.5, cpu_seconds=2.5, settings={"seed": 1}, data_hash="d")


def parts(width: int = 3, seed: int = 0) -> tuple[nn.Linear, MovingAverage, torch.optim.AdamW]:
    torch.manual_seed(seed)
    model = nn.Linear(width, 2)
    average = MovingAverage(model, 0.9)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.ones(1, width)).sum().backward()
    optimizer.step()
    average.update(model)
    return model, average, optimizer


def test_everything_comes_back(tmp_path: Path):
    path = tmp_path / "run" / "c.safetensors"
    model, average, optimizer = parts()
    checkpoint.save(path, model, average, optimizer, RECORD)
    other, other_average, other_optimizer = parts(seed=1)
    assert checkpoint.restore(path, other, other_average, other_optimizer) == RECORD
    assert torch.equal(other.weight, model.weight)
    assert torch.equal(other_average.tensors["weight"], average.tensors["weight"])
    assert other_average.updates == RECORD.step
    mine, theirs = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert mine.keys() == theirs.keys()
    for index, state in mine.items():
        for name, value in state.items():
            assert torch.equal(value, theirs[index][name]), (index, name)
    assert list(path.parent.iterdir()) == [path], "nothing is left aside"


def test_a_failed_write_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, *parts(), RECORD)
    before = path.read_bytes()

    def full(aside: Path, content: bytes) -> None:
        with aside.open("wb") as half:
            half.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ResourceError) as caught:
        checkpoint.save(path, *parts(seed=2), RECORD)
    assert caught.value.code == "disk_full"
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path], "nothing is left aside"


def test_another_network_is_refused(tmp_path: Path):
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, *parts(width=3), RECORD)
    with pytest.raises(InputError) as caught:
        checkpoint.restore(path, *parts(width=4))
    assert caught.value.code == "checkpoint_unfit"


@pytest.mark.parametrize("content", [b"", b"not safetensors at all"])
def test_something_else_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        checkpoint.read_record(path)
    assert caught.value.code == "checkpoint_unreadable"


def test_plain_weights_are_not_a_checkpoint(tmp_path: Path):
    from safetensors.torch import save_file

    path = tmp_path / "c.safetensors"
    save_file({"weight": torch.ones(1)}, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match="checkpoint_unreadable"):
        checkpoint.read_record(path)
