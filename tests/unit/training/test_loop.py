"""The loop on the tiny configuration: it learns, repeats itself, stops and resumes exactly, and exports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from omnihuman import weights_file
from omnihuman.config import configs_dir
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.errors import ConfigError, InputError, ModelError, ResourceError
from omnihuman.flow.schedule import times
from omnihuman.flow.solver import integrate
from omnihuman.latents.motion.parameters import NUM_PARAMETERS
from omnihuman.training.files import Files
from omnihuman.training.loop import Progress, Run, train
from omnihuman.training.run import learning_rate
from omnihuman.training.settings import LossSettings, ModelSettings, OptimizerSettings, TrainingSettings, read_settings
from omnihuman.training.synthetic import SyntheticDataset

CONFIG = configs_dir() / "training"


def tiny(**changes: object) -> TrainingSettings:
    return read_settings(CONFIG / "tiny.yaml").model_copy(update=changes)


def new_run(folder: Path, settings: TrainingSettings | None = None, distinct: int = 0) -> Run:
    settings = settings or tiny()
    data = SyntheticDataset(settings.data.frames, settings.seed, distinct)
    return Run(settings, data, data.data_hash, Files(folder / "w.safetensors", folder / "c.safetensors"))


def weights_of(run: Run) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in run.model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_it_overfits_one_synthetic_batch(tmp_path: Path):
    settings = tiny()
    only_audio = settings.stages[1].model_copy(update={"steps": 120})
    optimizer = settings.optimizer.model_copy(update={"learning_rate": 0.01})
    run = new_run(tmp_path, settings.model_copy(update={"stages": (only_audio,), "optimizer": optimizer}), distinct=1)
    first = [run.advance() for _ in range(10)]
    last = [run.advance() for _ in range(110)][-10:]

    def mean(losses: list[dict[str, float]], name: str) -> float:
        return sum(loss[name] for loss in losses) / len(losses)

    assert mean(last, "data") < 0.3 * mean(first, "data")
    assert mean(last, "regression") < 0.1 * mean(first, "regression")


def test_all_stages_run_and_the_weights_are_exported(tmp_path: Path):
    seen: list[Progress] = []
    run = new_run(tmp_path)
    outcome = train(run, "2026-01-01", report=seen.append)
    assert outcome.finished
    assert [p.step for p in seen] == list(range(1, 21))
    assert list(dict.fromkeys(p.stage for p in seen)) == ["reference", "audio", "pose"]
    assert seen[-1].remaining_s == 0
    model = MotionDiT.from_files({"w": run.files.export}, "cpu")
    assert same(model.state_dict(), run.average.tensors)
    header = weights_file.header(run.files.export)
    assert json.loads(header["training"])["stages"][0]["name"] == "reference"
    assert (header["licence"], header["date"]) == ("Apache-2.0", "2026-01-01")
    assert header["data"] == run.data_hash
    assert json.loads(run.files.log.read_text().splitlines()[-1])["step"] == 20


def test_two_runs_agree_and_another_seed_differs(tmp_path: Path):
    runs = [new_run(tmp_path, tiny(seed=seed)) for seed in (1, 1, 2)]
    for run in runs:
        for _ in range(3):
            run.advance()
    assert same(weights_of(runs[0]), weights_of(runs[1]))
    assert not same(weights_of(runs[0]), weights_of(runs[2]))


def test_a_stopped_run_resumes_exactly(tmp_path: Path):
    whole = new_run(tmp_path / "whole")
    train(whole, "2026-01-01")
    part = new_run(tmp_path / "part")
    outcome = train(part, "2026-01-01", stop=lambda: part.done == 9)
    assert (outcome.step, outcome.finished) == (9, False)
    again = new_run(tmp_path / "part")
    again.resume()
    assert again.done == 9
    train(again, "2026-01-01")
    assert same(weights_of(whole), weights_of(again))
    assert same(whole.average.tensors, again.average.tensors)


def test_a_trained_regression_is_sampled_by_one_step_from_any_noise(tmp_path: Path):
    run = new_run(tmp_path, tiny(loss=LossSettings(objective="regression")))
    train(run, "2026-01-01")
    model = MotionDiT.from_files({"w": run.files.export}, "cpu")
    latents, known, _ = run.data.batch(99, 3)

    def sampled(noise: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return integrate(lambda x, t: model(x, t, known), noise, times(1))

    plain = sampled(torch.zeros_like(latents))
    assert torch.allclose(sampled(torch.randn(latents.shape)), plain, atol=1e-5)
    assert plain.std() > 0.01, "it learnt something"


def test_time_limit_leaves_checkpoint_and_weights(tmp_path: Path):
    run = new_run(tmp_path)
    outcome = train(run, "2026-01-01", max_minutes=0.0)
    assert outcome.step == 1
    assert run.files.checkpoint.exists()
    assert MotionDiT.from_files({"w": run.files.export}, "cpu").spec.channels == NUM_PARAMETERS


@pytest.mark.parametrize("folder", ["w.safetensors", "c.safetensors", "c.jsonl"])
def test_a_place_that_is_a_folder_is_refused_before_the_first_step(tmp_path: Path, folder: str):
    (tmp_path / folder).mkdir()
    run = new_run(tmp_path)
    with pytest.raises(ResourceError, match="output_unwritable"):
        train(run, "2026-01-01", max_minutes=0.0)
    assert run.done == 0


def test_resuming_with_other_settings_or_nothing_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="checkpoint_missing"):
        new_run(tmp_path).resume()
    train(new_run(tmp_path), "2026-01-01", max_minutes=0.0)
    with pytest.raises(InputError, match="seed"):
        new_run(tmp_path, tiny(seed=5)).resume()
    with pytest.raises(InputError, match="data files"):
        new_run(tmp_path, distinct=3).resume()


def test_learning_rate_warms_up_and_falls_to_its_floor():
    settings = OptimizerSettings(learning_rate=1.0, warmup_steps=10, final_fraction=0.1)
    rates = [learning_rate(n, 100, settings) for n in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] or max(rates) == rates[10]
    assert all(a > b for a, b in zip(rates[10:], rates[11:], strict=False))
    assert rates[100] == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["tiny", "motion"])
def test_shipped_configurations_are_valid_and_go_from_weak_to_strong(name: str):
    settings = read_settings(CONFIG / f"{name}.yaml")
    kinds = [stage.kinds for stage in settings.stages]
    assert all(a <= b for a, b in zip(kinds, kinds[1:], strict=False)), "a stage may only add conditions"
    last = settings.stages[-1].ratios
    assert last.reference >= last.audio > last.pose > 0, "the stronger, the rarer"


def test_the_motion_configuration_takes_a_step_on_made_up_windows(tmp_path: Path):
    settings = read_settings(CONFIG / "motion.yaml").model_copy(update={"batch_size": 2})
    run = new_run(tmp_path, settings)
    losses = run.advance()
    assert all(value == value and value >= 0 for value in losses.values())
    run.save("2026-01-01")
    assert run.files.export.stat().st_size < 16_000_000


@pytest.mark.parametrize(
    ("line", "code", "hint"),
    [
        ("learning_rat: 1", "setting_unknown", "learning_rate"),
        ("learning_rate: -1", "setting_invalid", "learning_rate"),
    ],
)
def test_a_wrong_key_is_a_coded_error_with_the_right_one(tmp_path: Path, line: str, code: str, hint: str):
    path = tmp_path / "c.yaml"
    path.write_text(f"data: {{kind: synthetic}}\nstages: [{{name: a, steps: 1}}]\noptimizer: {{{line}}}\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert caught.value.code == code
    assert hint in str(caught.value)


def test_losses_go_on_where_they_were_after_a_stop(tmp_path: Path):
    whole = new_run(tmp_path / "whole")
    train(whole, "2026-01-01")
    first = new_run(tmp_path / "parts")
    train(first, "2026-01-01", stop=lambda: first.done == 2)
    second = new_run(tmp_path / "parts")
    second.resume()
    train(second, "2026-01-01")
    assert second.losses == pytest.approx(whole.losses)
    again = new_run(tmp_path / "parts")
    again.resume()
    assert train(again, "2026-01-01").losses == pytest.approx(whole.losses)


def test_a_run_that_diverges_keeps_what_was_saved(tmp_path: Path):
    run = new_run(tmp_path)
    train(run, "2026-01-01", stop=lambda: run.done == 1)
    kept = run.files.export.read_bytes()
    with torch.no_grad():
        run.model.exit.weight.fill_(float("nan"))
    with pytest.raises(InputError) as caught:
        train(run, "2026-01-01")
    assert caught.value.code == "training_diverged" and run.files.export.read_bytes() == kept


def test_what_is_trained_may_not_change_but_how_long_may(tmp_path: Path):
    run = new_run(tmp_path)
    train(run, "2026-01-01", stop=lambda: run.done == 1)
    stages = tiny().stages
    longer = tuple(stage.model_copy(update={"steps": stage.steps + 3}) for stage in stages)
    new_run(tmp_path, tiny(stages=longer, save_every_min=1.0)).resume()
    others = [
        {"optimizer": OptimizerSettings(learning_rate=0.5)},
        {"stages": stages[:2]},
        {"start_from": Path("other.safetensors")},
        {"precision": "bf16" if tiny().precision == "fp32" else "fp32"},
    ]
    for other in others:
        with pytest.raises(InputError, match=next(iter(other))):
            run = new_run(tmp_path, tiny())
            run._settings = tiny(**other)
            run.resume()


def test_an_impossible_network_is_refused_when_it_is_read():
    for wrong in ({"heads": 5}, {"width": 36, "heads": 4}, {"kernel": 8}):
        with pytest.raises(ValueError):
            ModelSettings(**wrong)


def test_weights_to_begin_with_must_be_there(tmp_path: Path):
    with pytest.raises(ModelError, match="weights_missing"):
        new_run(tmp_path, tiny(start_from=Path("none-such.safetensors")))
