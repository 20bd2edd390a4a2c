"""The grid: every variant is a training configuration, and what it cannot be is said by name."""

import pytest
import yaml

from omnihuman.config import configs_dir
from omnihuman.errors import ConfigError, InputError
from omnihuman.evaluation.ablation.settings import planned_runs, read_ablation
from omnihuman.training.settings import read_settings
from tests.unit.evaluation.ablation.small import BASE, JUDGING, STAGES, VARIANTS, small


def variant(**changes):
    return [{"name": "other", "axis": "x", "changes": changes}]


def test_the_grid_goes_seed_by_seed_and_each_run_is_a_whole_recipe():
    runs = planned_runs(small())
    assert [run.name for run in runs] == ["base/seed-1", "audio-100/seed-1", "base/seed-2", "audio-100/seed-2"]
    assert [run.training.seed for run in runs] == [1, 1, 2, 2]
    base, changed = runs[0].training, runs[1].training
    assert base == small().base.model_copy(update={"seed": 1})
    assert changed.stages[1].ratios == base.stages[1].ratios.model_copy(update={"audio": 1.0})
    assert changed.model_copy(update={"stages": base.stages}) == base, "nothing else changes"


def test_a_variant_may_replace_all_stages_or_the_loss():
    stages = [{**STAGES[1], "name": "at-once", "steps": 5}]
    runs = planned_runs(small(variants=variant(stages=stages, **{"loss.objective": "regression"})))
    assert [stage.name for stage in runs[0].training.stages] == ["at-once"]
    assert runs[0].training.loss.objective == "regression"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"stages.audoi.ratios.audio": 1.0}, "setting_unknown", "'audio'"),
        ({"stages.audio.ratios.sound": 1.0}, "setting_unknown", "other"),
        ({"los.objective": "flow"}, "setting_unknown", "'loss'"),
        ({"stages.audio.ratios.audio": 1.5}, "setting_invalid", "variant other"),
        ({"loss.objective.more": 1}, "setting_unknown", "objective"),
        ({"stages.audio.ratios.text": 0.5}, "setting_invalid", "text"),
        ({"batch_size": 5}, "setting_invalid", "shared"),
        ({"data.frames": 20, "data.prefix_frames": [2, 4]}, "setting_invalid", "shared"),
    ],
)
def test_a_change_that_cannot_be_is_refused_by_name(changes, code, words):
    with pytest.raises(ConfigError, match=words) as caught:
        planned_runs(small(variants=variant(**changes)))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"variants": [*VARIANTS, VARIANTS[0]]},
        {"seeds": [3, 3]},
        {"judging": {**JUDGING, "prefix_frames": 16}},
        {"judging": {**JUDGING, "short_seconds": 2.0}},
        {"judging": {**JUDGING, "short_seconds": 0.01}},
        {"judging": {**JUDGING, "seconds": 1e9}},
        {"base": {**BASE, "data": {"kind": "speech", "frames": 16, "prefix_frames": [2, 4], "speech": {"seed": 1000}}}},
    ],
    ids=[
        "same name",
        "same seed",
        "prefix fills the window",
        "short is longer",
        "no clip",
        "no end",
        "held-out is seen",
    ],
)
def test_settings_that_contradict_themselves_are_refused(changes):
    with pytest.raises(ValueError):
        small(**changes)


def test_a_claim_about_what_nobody_measures_is_refused_with_the_nearest_name(tmp_path):
    claim = {"words": "x", "quantity": "lip_corelation", "more": "base", "less": "audio-100"}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small(claims=[claim]).model_dump(mode="json")))
    with pytest.raises(ConfigError, match="lip_correlation") as caught:
        read_ablation(path)
    assert caught.value.code == "quantity_unknown"


def test_only_keeps_the_named_variants_and_names_the_nearest():
    assert [v.name for v in small().only(("audio-100",)).variants] == ["audio-100"]
    assert small().only(()) == small()
    with pytest.raises(InputError, match="audio-100"):
        small().only(("audio-10",))


def test_the_shipped_ablation_asks_what_the_paper_asked():
    settings = read_ablation(configs_dir() / "training" / "ablation.yaml")
    runs = {run.variant.name: run.training for run in planned_runs(settings)}
    assert len(settings.seeds) >= 3
    assert all(run.steps >= 5000 for run in runs.values())
    last = {name: run.stages[-1].ratios for name, run in runs.items()}
    assert {last[f"audio-{n}"].audio for n in (10, 100)} | {last["base"].audio} == {0.1, 0.5, 1.0}
    assert {last[f"pose-{n}"].pose for n in (20, 80)} | {last["base"].pose} == {0.2, 0.5, 0.8}
    assert {last["reference-30"].reference, last["base"].reference} == {0.3, 0.7}
    assert len({tuple(stage.name for stage in run.stages) for run in runs.values()}) >= 4


def test_the_regression_differs_from_the_shipped_recipe_in_its_objective_alone():
    folder = configs_dir() / "training"
    flow, regression = (yaml.safe_load((folder / f"{n}.yaml").read_text()) for n in ("motion", "regression"))
    assert read_settings(folder / "regression.yaml").loss.objective == "regression"
    for name in ("data", "model", "batch_size", "reading", "stages", "optimizer"):
        assert flow[name] == regression[name], name
