"""The motion transformer: contract, absence, locality, files. A tiny one with random weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from omnihuman import weights_file
from omnihuman.conditions.base import ConditionBatch, ConditionWidths
from omnihuman.conditions.mixing import without
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.errors import ModelError, ResourceError
from omnihuman.media import files

C, T, D, R, E = 50, 20, 43, 8, 384
SIZE = {"width": 16, "layers": 2, "heads": 2, "mlp_ratio": 2, "audio_width": 8, "audio_layers": 1, "audio_reach": 7}


def tiny_model() -> MotionDiT:
    torch.manual_seed(0)
    model = MotionDiT(**SIZE)
    for parameter in model.parameters():
        # The exit starts at zero; a test needs it to speak.
        torch.nn.init.normal_(parameter, std=0.15)
    return model.eval()


def conditions(batch: int = 2, num_frames: int = T) -> ConditionBatch:
    generator = torch.Generator().manual_seed(1)
    return replace(
        ConditionBatch.absent(batch, C, num_frames, ConditionWidths(E, R, D)),
        reference=torch.randn(batch, R, generator=generator),
        audio=torch.randn(batch, 2 * num_frames, D, generator=generator),
        text=torch.randn(batch, num_frames, E, generator=generator),
        text_present=torch.ones(batch, num_frames),
        reference_present=torch.ones(batch),
        audio_present=torch.ones(batch),
    )


def latents(batch: int = 2, num_frames: int = T) -> torch.Tensor:
    return torch.randn(batch, C, num_frames, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_absent_conditions_never_leak():
    model, given = tiny_model(), conditions()
    t = torch.full((2,), 0.5)
    for kind in ("text", "audio", "reference"):
        absent = without(given, (kind,))
        other = replace(absent, **{kind: getattr(absent, kind) + 5.0})
        assert torch.equal(model(latents(), t, absent), model(latents(), t, other)), kind
        assert not torch.allclose(model(latents(), t, absent), model(latents(), t, given)), kind


@torch.no_grad()
def test_a_prompt_is_read_only_on_the_frames_it_holds_for():
    model, given, t = tiny_model(), conditions(), torch.full((2,), 0.5)
    first_half = (torch.arange(T) < T // 2).float().expand(2, -1)
    given = replace(given, text_present=first_half)
    beyond = replace(given, text=given.text + 5.0 * (1 - first_half)[..., None])
    assert torch.equal(model(latents(), t, given), model(latents(), t, beyond))
    within = replace(given, text=given.text + 5.0 * first_half[..., None])
    assert not torch.allclose(model(latents(), t, given), model(latents(), t, within))


@torch.no_grad()
def test_a_batch_without_any_prompt_equals_windows_without_one_in_a_mixed_batch():
    model, given, t = tiny_model(), conditions(), torch.full((2,), 0.5)
    bare = model(latents(), t, without(given, ("text",)))
    mixed = replace(given, text_present=torch.tensor([[1.0], [0.0]]).expand(2, T))
    torch.testing.assert_close(model(latents(), t, mixed)[1], bare[1], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_one_prompt_throughout_is_the_same_as_frame_by_frame():
    model, t = tiny_model(), torch.full((2,), 0.5)
    given = replace(conditions(), text=conditions().text[:, :1].expand(-1, T, -1))
    # The last frame of another item differs: then every frame is computed.
    other = replace(given, text=torch.cat((given.text[:1], conditions().text[1:])))
    torch.testing.assert_close(model(latents(), t, given)[0], model(latents(), t, other)[0], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_bound_conditions_give_the_same_velocity():
    model, given, t = tiny_model(), conditions(), torch.tensor([0.3, 0.9])
    assert torch.equal(model.bound(given)(latents(), t), model(latents(), t, given))


@torch.no_grad()
def test_observed_entries_of_the_noisy_latents_are_not_read():
    model, given = tiny_model(), conditions()
    mask = torch.zeros(2, C, T)
    mask[..., :5] = 1
    given = replace(given, observed=latents() * mask, observed_mask=mask)
    t = torch.full((2,), 0.5)
    other = torch.where(mask > 0, torch.full_like(mask, 9.0), latents())
    a, b = model(latents(), t, given), model(other, t, given)
    torch.testing.assert_close(a[..., 5:], b[..., 5:])


@torch.no_grad()
def test_sound_far_outside_the_band_reaches_a_frame_only_through_other_frames():
    torch.manual_seed(0)
    model = MotionDiT(**{**SIZE, "layers": 1})
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    given = conditions()
    given_late = replace(given, audio=torch.cat((given.audio[:, :38], given.audio[:, 38:] + 3.0), dim=1))
    model.blocks[0].attention.out.weight.zero_()
    model.blocks[0].attention.out.bias.zero_()
    t = torch.full((2,), 0.5)
    difference = (model(latents(), t, given) - model(latents(), t, given_late)).abs().amax(dim=(0, 1))
    assert difference[:8].max() == 0, "beyond band, encoder and temporal convolution"
    assert difference[-1] > 0


@torch.no_grad()
def test_any_length_and_padding_free_batches():
    model = tiny_model()
    for num_frames in (1, 7, 130):
        out = model(latents(1, num_frames), torch.tensor([0.3]), conditions(1, num_frames))
        assert out.shape == (1, C, num_frames)
    both = model(latents(), torch.tensor([0.2, 0.8]), conditions())
    second = {name: getattr(conditions(), name)[1:] for name in ConditionBatch.__dataclass_fields__}
    alone = model(latents()[1:], torch.tensor([0.8]), ConditionBatch(**second))
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-4)


def test_a_fresh_model_predicts_zero_data_as_velocity():
    model = MotionDiT(**SIZE).eval()
    x, t = latents(), torch.tensor([0.25, 1.0])
    with torch.no_grad():
        torch.testing.assert_close(model(x, t, conditions()), x / t[:, None, None])
        assert torch.isfinite(model(x, torch.zeros(2), conditions())).all()


def test_saved_file_gives_the_same_model_back(tmp_path: Path):
    model, path = tiny_model(), tmp_path / "deep" / "m.safetensors"
    model.save_file(path, {"licence": "Apache-2.0"})
    again = MotionDiT.from_files({"m.safetensors": path, "NOTICE": tmp_path / "NOTICE"}, "cpu")
    t = torch.full((2,), 0.5)
    with torch.no_grad():
        assert torch.equal(again(latents(), t, conditions()), model(latents(), t, conditions()))
    assert not again.training
    assert weights_file.header(path)["licence"] == "Apache-2.0"
    assert list(path.parent.iterdir()) == [path], "nothing is left aside"


@pytest.mark.parametrize("name", ["", "file/m.safetensors", f"{'x' * 300}.safetensors"])
def test_a_place_that_cannot_be_written_is_a_coded_error(name: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    for write in (files.require_writable, tiny_model().save_file):
        with pytest.raises(ResourceError) as caught:
            write(tmp_path / name)
        assert caught.value.code == "output_unwritable"
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "nothing is left aside"


def _damage(kind: str, path: Path) -> None:
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:500])
        return
    header, tensors = weights_file.header(path), load_file(path)
    config = json.loads(header["config"])
    if kind == "no config":
        header.pop("config")
    if kind == "other keys":
        header["config"] = json.dumps({**config, "colour": "red"})
    if kind == "other size":
        header["config"] = json.dumps({**config, "width": 32})
    if kind == "tensor missing":
        tensors.pop("exit.bias")
    save_file(tensors, path, metadata=header)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("cut", "weights_unreadable"),
        ("no config", "weights_unfit"),
        ("other keys", "weights_unfit"),
        ("other size", "weights_unfit"),
        ("tensor missing", "weights_unfit"),
    ],
)
def test_a_file_that_does_not_fit_is_a_coded_error(kind: str, code: str, tmp_path: Path):
    path = tmp_path / "m.safetensors"
    tiny_model().save_file(path)
    _damage(kind, path)
    with pytest.raises(ModelError) as caught:
        MotionDiT.from_files({"m.safetensors": path}, "cpu")
    assert caught.value.code == code


def test_without_a_weights_file_the_error_is_coded(tmp_path: Path):
    with pytest.raises(ModelError, match="weights_unreadable"):
        MotionDiT.from_files({"NOTICE": tmp_path / "NOTICE"}, "cpu")
