"""Windows: exact repetition, audio and motion on one clock, everything known."""

import numpy as np
import pytest
import torch

from omnihuman.errors import ResourceError
from omnihuman.latents.motion.parameters import INDEX, NUM_PARAMETERS, SCALE
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.training.dataset import WindowDataset, WindowSettings, random_reference
from omnihuman.training.sound.precompute import Recording, load_recording, save_recording
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.words.phrasebook import Phrasebook
from omnihuman.training.words.script import ScriptSettings, ScriptWriter
from omnihuman.training.words.style_sentences import Caption

WIDTH = 43


def windows(num_frames, quiet_ratio=0.1, blink_boost=3.0):
    return WindowSettings(num_frames=num_frames, quiet_ratio=quiet_ratio, blink_boost=blink_boost)


def recording(symbols, length_s=0.2, repeats=40, variants=2):
    """Features that spell the phones: 1 in the column of the phone that sounds, in every variant."""
    rows = list(symbols) * repeats
    phones = tuple(TimedPhone(s, i * length_s, (i + 1) * length_s) for i, s in enumerate(rows))
    features = np.zeros((variants, int(len(rows) * length_s * 50) + 1, WIDTH), np.float16)
    for phone in phones:
        column = PHONES.index(phone.symbol)
        features[:, round(phone.start_s * 50) : round(phone.end_s * 50), column] = 1.0
    return Recording(features, phones, len(rows) * length_s)


@pytest.fixture
def shards(tmp_path):
    save_recording(recording(["AA", "B"]), tmp_path / "00000.npz")
    save_recording(recording(["AA", "M", "S"]), tmp_path / "00001.npz")
    save_recording(recording([SILENCE]), tmp_path / "00002.npz")
    return sorted(tmp_path.glob("*.npz"))


def test_recordings_survive_the_disk(tmp_path):
    saved = recording(["AA", "B"], repeats=3)
    save_recording(saved, tmp_path / "x.npz")
    loaded = load_recording(tmp_path / "x.npz")
    assert np.array_equal(loaded.features, saved.features) and loaded.duration_s == saved.duration_s
    assert [p.symbol for p in loaded.phones] == [p.symbol for p in saved.phones]
    assert [p.end_s for p in loaded.phones] == pytest.approx([p.end_s for p in saved.phones])
    assert loaded.speaks and not recording([SILENCE], repeats=3).speaks
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]


def test_a_batch_is_a_function_of_seed_and_step(shards):
    settings = windows(num_frames=50)
    first = WindowDataset(shards, settings, 1)
    first.batch(3, 4)
    latents, conditions, weight = first.batch(7, 4)
    again, conditions_again, weight_again = WindowDataset(shards, settings, 1).batch(7, 4)
    assert torch.equal(latents, again) and torch.equal(weight, weight_again)
    assert torch.equal(conditions.audio, conditions_again.audio)
    assert not torch.equal(latents, first.batch(8, 4)[0])
    assert not torch.equal(latents, WindowDataset(shards, settings, 2).batch(7, 4)[0])


def test_shapes_and_types(shards):
    latents, conditions, weight = WindowDataset(shards, windows(num_frames=60), 0).batch(0, 3)
    assert latents.shape == weight.shape == (3, NUM_PARAMETERS, 60)
    assert conditions.audio.shape == (3, 120, WIDTH) and conditions.reference.shape == (3, 8)
    assert conditions.audio_present.shape == conditions.reference_present.shape == (3,)
    tensors = [latents, weight, *vars(conditions).values()]
    assert all(tensor.dtype == torch.float32 and torch.isfinite(tensor).all() for tensor in tensors)


def test_lips_close_when_the_audio_says_so(shards):
    data = WindowDataset(shards, windows(num_frames=100, quiet_ratio=0.0), 0)
    latents, conditions, _ = data.batch(0, 24)
    closed = latents[:, INDEX["seal"]] * SCALE[INDEX["seal"]]
    columns = [PHONES.index("B"), PHONES.index("M")]
    heard = conditions.audio[:, :, columns].amax(-1).reshape(24, 100, 2).mean(-1)

    def agreement(lag):
        inner = slice(10, 90)
        return float(np.corrcoef(closed[:, inner].flatten(), heard.roll(lag, 1)[:, inner].flatten())[0, 1])

    assert agreement(0) > 0.8 and agreement(0) > max(agreement(2), agreement(-2)) + 0.1


def test_silence_keeps_the_mouth_shut(shards):
    settings = windows(num_frames=50, quiet_ratio=1.0)
    latents, conditions, _ = WindowDataset(shards, settings, 0).batch(0, 8)
    parted = conditions.reference[:, 7] > 0.05
    jaw = latents[:, INDEX["jaw_open"]]
    assert jaw.abs().max() == 0.0
    assert latents[~parted][:, INDEX["seal"]].abs().max() == 0.0
    assert (conditions.audio[:, :, 0] == 1.0).all()


def test_all_is_known_and_nothing_observed(shards):
    latents, conditions, weight = WindowDataset(shards, windows(num_frames=30), 0).batch(0, 20)
    assert (conditions.audio_present == 1.0).all() and (conditions.reference_present == 1.0).all()
    assert conditions.observed.shape == conditions.observed_mask.shape == latents.shape
    assert not conditions.observed.any() and not conditions.observed_mask.any()
    assert (weight > 0.0).all()


def test_lids_weigh_more_while_they_close(shards):
    plain = windows(num_frames=100, blink_boost=0.0)
    boosted = plain.model_copy(update={"blink_boost": 3.0})
    latents, _, weight = WindowDataset(shards, boosted, 0).batch(0, 8)
    same, _, base = WindowDataset(shards, plain, 0).batch(0, 8)
    assert torch.equal(latents, same)
    ratio = (weight / base)[:, INDEX["blink_l"]]
    lids = (latents[:, INDEX["blink_l"]] * SCALE[INDEX["blink_l"]]).clamp(0.0, 1.0)
    assert torch.allclose(ratio, 1.0 + 3.0 * lids, atol=1e-4) and ratio.max() > 3.5
    assert torch.equal(weight[:, INDEX["jaw_open"]], base[:, INDEX["jaw_open"]])


def test_made_up_pictures_cover_faces_and_bodies():
    rng = np.random.default_rng(0)
    vectors = np.stack([random_reference(rng) for _ in range(500)])
    assert vectors.shape == (500, 8) and vectors.dtype == np.float32
    close = vectors[:, 3] > 1.0
    assert vectors[close, 4].mean() < 0.4 < 0.6 < vectors[vectors[:, 3] < 0.4, 4].mean()
    assert (vectors[vectors[:, 4] == 0.0][:, 5:7] == 0.0).all()
    assert 0.2 < np.mean(vectors[:, 7] > 0.05) < 0.6


def test_no_long_recording_is_a_coded_error(shards, tmp_path):
    for paths in ([], shards):
        with pytest.raises(ResourceError) as caught:
            WindowDataset(paths, windows(num_frames=3000), 0)
        assert caught.value.code == "training_data_missing"


def writer(**settings):
    """Captions of three styles, of a pair and of nothing, one embedding axis each."""
    names = ("smiling", "nodding", "turning_left")
    captions = [Caption(name, (name,), 1.0) for name in names]
    captions += [Caption("both", names[:2], 1.0), Caption("talks", (), 1.0)]
    book = Phrasebook(tuple(captions), np.eye(5, 384, dtype=np.float32))
    return ScriptWriter(load_styles(), book, ScriptSettings(**settings))


def test_windows_without_captions_have_no_text(shards):
    _, conditions, _ = WindowDataset(shards, windows(num_frames=30), 0).batch(0, 4)
    assert conditions.text.shape == (4, 30, 384) and conditions.text_present.shape == (4, 30)
    assert not conditions.text.any() and not conditions.text_present.any()


def test_a_batch_with_text_is_a_function_of_seed_and_step(shards):
    data = WindowDataset(shards, windows(num_frames=60), 1, writer())
    data.batch(2, 4)
    latents, conditions, _ = data.batch(5, 12)
    again, conditions_again, _ = WindowDataset(shards, windows(num_frames=60), 1, writer()).batch(5, 12)
    assert torch.equal(latents, again) and torch.equal(conditions.text, conditions_again.text)
    assert torch.equal(conditions.text_present, conditions_again.text_present)
    assert 0.4 < conditions.text_present.amax(1).mean() < 1.0
    assert torch.equal(conditions.text.norm(dim=-1) > 0.5, conditions.text_present > 0)


def test_latents_do_what_the_text_says(shards):
    told = writer(text_ratio=1.0, change_share=0.0, pair_share=0.0, noise=0.0)
    latents, conditions, _ = WindowDataset(shards, windows(num_frames=100), 0, told).batch(0, 60)
    values = latents * torch.from_numpy(SCALE)[:, None]
    axis = conditions.text[:, 0].argmax(-1)
    smiles = values[:, INDEX["smile_l"]].mean(-1)
    yaw = values[:, INDEX["head_yaw_deg"]].mean(-1)
    assert smiles[axis == 0].min() > 0.35 > smiles[axis != 0].mean() + 0.2
    assert yaw[axis == 2].mean() < -6.0 and yaw[axis == 2].max() < yaw[axis != 2].mean()
    assert (axis == 4).any()


def test_text_leaves_sound_and_picture_alone(shards):
    """What a window is told is drawn after its sound and its picture."""
    plain, _, _ = (data := WindowDataset(shards, windows(num_frames=60), 3)).batch(1, 6)
    _, without, _ = data.batch(1, 6)
    told, conditions, _ = WindowDataset(shards, windows(num_frames=60), 3, writer()).batch(1, 6)
    assert torch.equal(without.audio, conditions.audio) and torch.equal(without.reference, conditions.reference)
    assert not torch.equal(plain, told)


def test_the_mouth_follows_the_loudness_of_the_cleanest_variant(tmp_path):
    quiet, loud = recording(["D", "AA"]), recording(["D", "AA"])
    loud.features[0, :, -1], quiet.features[0, :, -1] = 0.8, -0.2
    loud.features[1, :, -1] = quiet.features[1, :, -1] = 0.1
    openings = []
    for name, stored in (("quiet", quiet), ("loud", loud)):
        save_recording(stored, tmp_path / f"{name}.npz")
        data = WindowDataset([tmp_path / f"{name}.npz"], windows(num_frames=60, quiet_ratio=0.0), 0)
        latents, _, _ = data.batch(0, 8)
        openings.append(float(latents[:, INDEX["jaw_open"]].mean()))
    assert openings[1] > 1.3 * openings[0] > 0
