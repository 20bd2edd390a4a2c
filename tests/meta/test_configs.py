"""Every shipped YAML file is read by the code that owns it: no key that nobody knows, no file that nobody reads."""

import pytest

from omnihuman.cli.licences import ThirdParty
from omnihuman.config import configs_dir, load
from omnihuman.evaluation.ablation.settings import read_ablation
from omnihuman.evaluation.against import AgainstSettings
from omnihuman.evaluation.driving import DrivingSettings
from omnihuman.evaluation.likeness import IdentitySettings
from omnihuman.evaluation.motion import MotionSettings
from omnihuman.evaluation.other_languages import Languages
from omnihuman.evaluation.pictures.settings import PictureSettings
from omnihuman.evaluation.prompts import PromptSettings
from omnihuman.evaluation.suite import SyncSettings
from omnihuman.evaluation.together import TogetherSettings
from omnihuman.modelhub.registry import Registry
from omnihuman.pipeline.preset import PresetSettings, needed_models
from omnihuman.training.tasks import task_of
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.words.corpus import load_grammar
from omnihuman.types import AnimationRequest

READERS = {
    "third_party.yaml": lambda path: load(ThirdParty, path),
    "models/*.yaml": lambda path: Registry.load(path.parent),
    "presets/*.yaml": lambda path: load(PresetSettings, path),
    "training/corpus.yaml": load_grammar,
    "training/ablation.yaml": read_ablation,
    "training/styles.yaml": load_styles,
    "training/*.yaml": lambda path: task_of(path).read(path),
    "evaluation/pictures.yaml": lambda path: load(PictureSettings, path),
    "evaluation/prompts.yaml": lambda path: load(PromptSettings, path),
    "evaluation/sync.yaml": lambda path: load(SyncSettings, path),
    "evaluation/driving.yaml": lambda path: load(DrivingSettings, path),
    "evaluation/motion.yaml": lambda path: load(MotionSettings, path),
    "evaluation/against.yaml": lambda path: load(AgainstSettings, path),
    "evaluation/together.yaml": lambda path: load(TogetherSettings, path),
    "evaluation/identity.yaml": lambda path: load(IdentitySettings, path),
    "evaluation/languages.yaml": lambda path: load(Languages, path),
}
"""The first pattern that fits a file names its reader."""

CONFIGS = sorted(configs_dir().rglob("*.yaml"))
PRESETS = sorted(configs_dir().glob("presets/*.yaml"))


def name_of(path):
    return path.relative_to(configs_dir()).as_posix()


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_its_reader_accepts_it(path):
    pattern = next((p for p in READERS if path.match(f"{configs_dir().name}/{p}")), None)
    assert pattern is not None, f"no code reads configs/{name_of(path)}"
    assert READERS[pattern](path)


@pytest.mark.parametrize("path", CONFIGS, ids=name_of)
def test_it_opens_with_what_it_is(path):
    assert path.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("path", PRESETS, ids=name_of)
def test_every_model_of_a_preset_is_registered(path):
    registry = Registry.load()
    assert [i for i in load(PresetSettings, path).models.model_dump().values() if registry[i].licence is None] == []


def test_embedded_means_the_default_preset():
    """`make demo` fetches all that the default needs, and little else."""
    preset = load(PresetSettings, configs_dir() / "presets" / "motion.yaml")
    needed = set(needed_models(preset, AnimationRequest(image="a.png", say="Hello.")))
    embedded = {entry.id for entry in Registry.load() if entry.embedded}
    assert needed <= embedded
