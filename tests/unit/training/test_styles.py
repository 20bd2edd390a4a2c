"""Styles move what they name and nothing else, begin when they are asked for, and leave closed lips closed."""

import numpy as np
import pytest

from omnihuman.config import configs_dir
from omnihuman.errors import ConfigError
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, group_indices
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.training.teacher.direction import Direction, direct
from omnihuman.training.teacher.mouth import FRAME_HZ
from omnihuman.training.teacher.prosody import Loudness, accents, efforts
from omnihuman.training.teacher.styles import Statistic, load_styles
from omnihuman.training.teacher.take import Style, random_style, teach

BODY = np.array([0, 0, 0, 0.4, 1.0, 1.0, 1.0, 0], np.float32)
FACE = np.array([0, 0, 0, 1.0, 0, 0, 0, 0], np.float32)
TABLE = load_styles()
CLOSURES = ("seal", "labiodental", "tongue", "lip_press")


def chatter(duration_s, seed=0):
    """Random syllables with pauses, as long as asked."""
    source, phones, at = np.random.default_rng(seed), [], 0.0
    while at < duration_s:
        symbol = str(source.choice(PHONES[16:] if len(phones) % 2 else PHONES[1:16]))
        length = float(source.uniform(0.05, 0.2))
        if source.random() < 0.06:
            symbol, length = SILENCE, float(source.uniform(0.2, 0.9))
        phones.append(TimedPhone(symbol, at, at + length))
        at += length
    return phones


def take(seed, *directions, reference=BODY, duration_s=4.0):
    manner = random_style(np.random.default_rng(1000 + seed))
    chance = np.random.default_rng(seed)
    return direct(chatter(duration_s, seed), duration_s, reference, manner, directions, chance)


@pytest.mark.parametrize("name", TABLE.styles)
def test_a_style_moves_its_own_statistic_and_no_closure(name):
    entry = TABLE.styles[name]
    for seed in range(8):
        usual, told = take(seed), take(seed, Direction((entry,)))
        assert entry.statistic.moved(entry.statistic.of(usual), entry.statistic.of(told)), seed
        for parameter in CLOSURES:
            assert np.array_equal(usual[:, INDEX[parameter]], told[:, INDEX[parameter]]), parameter
        if "mouth" not in entry.uses:
            assert np.array_equal(usual[:, INDEX["jaw_open"]], told[:, INDEX["jaw_open"]])
        assert (told >= LOW).all() and (told <= HIGH).all()


@pytest.mark.parametrize("name", TABLE.styles)
def test_a_stronger_wording_does_more(name):
    entry = TABLE.styles[name]
    means = [
        np.mean([entry.statistic.of(take(seed, Direction((entry,), strength))) for seed in range(12)])
        for strength in (TABLE.strengths["weak"], TABLE.strengths["strong"])
    ]
    assert entry.statistic.moved(*means)


def test_a_sided_style_is_the_mirror_of_the_other():
    left, right = TABLE.styles["turning_left"], TABLE.styles["turning_right"]
    assert left.statistic.direction == "down" and right.statistic.direction == "up"
    assert take(0, Direction((left,)))[:, INDEX["head_yaw_deg"]].mean() < -5
    assert take(0, Direction((right,)))[:, INDEX["head_yaw_deg"]].mean() > 5
    # The pictured person's own left is on the right of the image.
    assert "turn the head towards {their} own left" in right.do and "turn the head to the right" in right.do


def test_a_direction_without_styles_changes_nothing():
    assert np.array_equal(take(3), take(3, Direction(())))
    assert np.array_equal(take(3, Direction((), start_s=1.0)), take(3))


@pytest.mark.parametrize("name", ["smiling", "nodding", "gesturing", "mumbling", "tired", "turning_left"])
def test_a_timed_direction_holds_only_where_it_was_asked_for(name):
    entry = TABLE.styles[name]
    usual, told = take(1), take(1, Direction((entry,), start_s=1.0, end_s=2.6))
    changed = np.abs(told - usual).max(axis=1)
    begin, end = int(1.0 * FRAME_HZ), int(3.0 * FRAME_HZ)
    assert not changed[:begin].any() and not changed[end:].any()
    assert changed[begin + 3 : begin + 15].max() > 0.1


def test_one_direction_hands_over_to_the_next():
    smiling, sad = TABLE.styles["smiling"], TABLE.styles["sad"]
    told = take(2, Direction((smiling,), end_s=2.0), Direction((sad,), start_s=2.0))
    smile, frown = told[:, INDEX["smile_l"]], told[:, INDEX["frown_l"]]
    assert smile[20:48].min() > 0.3 > 0.05 > smile[60:].max()
    assert frown[60:].min() > 0.2 and np.abs(np.diff(smile)).max() < 0.2


def test_two_styles_hold_together():
    both = take(4, Direction((TABLE.styles["smiling"], TABLE.styles["nodding"])))
    for name in ("smiling", "nodding"):
        statistic = TABLE.styles[name].statistic
        assert statistic.of(both) > 2 * statistic.of(take(4))


@pytest.mark.parametrize("group", ["torso", "arms", "hands"])
def test_no_style_moves_what_the_picture_does_not_show(group):
    for entry in TABLE.styles.values():
        assert not take(0, Direction((entry,)), reference=FACE)[:, group_indices(group)].any()


def test_a_turned_head_has_less_room():
    entry = TABLE.styles["turning_right"]
    turned = BODY.copy()
    turned[0] = 1.0
    frontal = take(0, Direction((entry,)))[:, INDEX["head_yaw_deg"]].mean()
    assert 1.0 < take(0, Direction((entry,)), reference=turned)[:, INDEX["head_yaw_deg"]].mean() < 0.85 * frontal


def test_a_take_is_a_function_of_its_chance():
    nodding = Direction((TABLE.styles["nodding"],), start_s=1.0)
    assert np.array_equal(take(5, nodding), take(5, nodding))
    assert not np.array_equal(take(5, nodding), take(6, nodding))


def test_another_manner_of_blinking_looks_at_the_same_places():
    phones = chatter(6.0)
    few, many = (
        teach(phones, 6.0, BODY, TABLE.styles["attentive"].mannered(Style(), 0.0), np.random.default_rng(0)),
        teach(phones, 6.0, BODY, TABLE.styles["blinking"].mannered(Style(), 1.0), np.random.default_rng(0)),
    )
    assert np.array_equal(few[:, group_indices("gaze")], many[:, group_indices("gaze")])


def test_statistics_measure_what_they_say():
    times_s = np.arange(200) / FRAME_HZ
    columns = np.zeros((200, len(INDEX)), np.float32)
    columns[:, INDEX["head_yaw_deg"]] = 5.0 + np.sin(2 * np.pi * 1.25 * times_s)
    columns[:, INDEX["blink_l"]] = columns[:, INDEX["blink_r"]] = (times_s % 2.0) > 1.8

    def of(measure, *names):
        return Statistic(measure=measure, parameters=dict.fromkeys(names, 1.0), direction="up").of(columns)

    assert of("level", "head_yaw_deg") == pytest.approx(5.0, abs=1e-3)
    assert of("spread", "head_yaw_deg") == pytest.approx(np.sqrt(0.5), rel=0.01)
    assert of("beat", "head_yaw_deg") == pytest.approx(np.sqrt(0.5), rel=0.2)
    assert of("pace", "head_yaw_deg") == pytest.approx(4 * 1.25, rel=0.05)
    assert of("blinks", "blink_l") == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("old", "new"),
    [("smile_l: 0.58", "smirk: 0.58"), ("face.frown: 0.0", "face.frwn: 0.0"), ("uses: [mood]", "usess: [mood]")],
)
def test_a_misspelt_table_is_refused(tmp_path, old, new):
    text = (configs_dir() / "training" / "styles.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "styles.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError):
        load_styles(tmp_path / "styles.yaml")


def vowels_between_stops(count=6):
    symbols = ["D", "AA"] * count
    return [TimedPhone(symbol, 0.12 * i, 0.12 * (i + 1)) for i, symbol in enumerate(symbols)]


def test_loud_vowels_open_more_and_soft_ones_less_with_the_mean_unchanged():
    phones = vowels_between_stops()
    half = 36
    ramp = Loudness(np.concatenate([np.full(half, 0.1), np.full(half, 0.8)]).astype(np.float32))
    gap = teach(phones, 1.44, FACE, Style(), np.random.default_rng(0), ramp)[:, INDEX["jaw_open"]]
    assert gap[20:34].max() > 1.4 * gap[2:16].max()
    # Over vowels as loud as those of the built-in voice, loudness adds nothing and takes nothing away.
    rng = np.random.default_rng(1)
    usual = Loudness(np.clip(rng.normal(0.446, 0.3, 72), -1, 1).astype(np.float32))
    many = [efforts(phones, Loudness(rng.permutation(usual.values)))[1::2] for _ in range(200)]
    assert np.mean(many) == pytest.approx(efforts(phones, None)[1], rel=0.12)
    assert (efforts(phones, usual)[::2] == 1.0).all()


def test_loud_vowels_stand_out():
    phones = [TimedPhone("AA", 0.5 * i, 0.5 * i + (0.12 if i % 2 else 0.2)) for i in range(10)]
    loud, soft = (
        accents(phones, np.random.default_rng(0), Loudness(np.full(250, value, np.float32))) for value in (0.9, 0.3)
    )
    assert sum(strength for _, strength in loud) > 1.5 * sum(strength for _, strength in soft) > 0
