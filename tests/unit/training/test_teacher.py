"""The teacher closes lips when it must, rests when nobody speaks, and moves at human rates."""

import numpy as np
import pytest

from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, group_indices
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.training.teacher.body import BodyStyle, drift
from omnihuman.training.teacher.mouth import FRAME_HZ, pool
from omnihuman.training.teacher.prosody import accents
from omnihuman.training.teacher.take import Style, random_style, teach

FACE = np.array([0, 0, 0, 1.0, 0, 0, 0, 0], np.float32)
BODY = np.array([0, 0, 0, 0.4, 1.0, 1.0, 1.0, 0], np.float32)
GAP = np.array([0.30, 0.11, 0.12])


def rng(seed=0):
    return np.random.default_rng(seed)


def phones_of(*rows, start_s=0.0):
    """(symbol, seconds) rows one after the other."""
    phones = []
    for symbol, length_s in rows:
        phones.append(TimedPhone(symbol, start_s, start_s + length_s))
        start_s += length_s
    return phones


def lip_gap(take):
    shape = take[:, [INDEX["jaw_open"], INDEX["upper_lip_raise"], INDEX["lower_lip_down"]]]
    return shape @ GAP * (1.0 - take[:, INDEX["seal"]])


def chatter(duration_s, seed=0):
    """Random syllables with pauses, as long as asked."""
    source, phones, at = rng(seed), [], 0.0
    vowels, consonants = PHONES[1:16], PHONES[16:]
    while at < duration_s:
        symbol = str(source.choice(consonants if len(phones) % 2 else vowels))
        length = float(source.uniform(0.05, 0.2))
        if source.random() < 0.06:
            symbol, length = SILENCE, float(source.uniform(0.2, 0.9))
        phones.append(TimedPhone(symbol, at, at + length))
        at += length
    return phones


@pytest.mark.parametrize("symbol", ["B", "P", "M"])
@pytest.mark.parametrize("phase_s", [0.0, 0.01, 0.02, 0.03])
def test_a_short_closure_survives_at_every_phase_of_the_frame_clock(symbol, phase_s):
    phones = phones_of(("AA", 0.3), (symbol, 0.04), ("AA", 0.3), start_s=phase_s)
    take = teach(phones, 0.8, FACE, Style(), rng())
    gap = lip_gap(take)
    closure = int((0.3 + phase_s + 0.01) * FRAME_HZ)
    assert gap[closure - 1 : closure + 2].min() < 0.006
    assert gap.max() > 0.07


@pytest.mark.parametrize("symbol", ["W", "UW", "S", "F", "N", "K"])
def test_other_consonants_do_not_close_the_lips(symbol):
    gap = lip_gap(teach(phones_of(("AA", 0.2), (symbol, 0.12), ("AA", 0.2)), 0.52, FACE, Style(), rng()))
    assert gap.min() > 0.02


def test_each_sound_has_its_shape():
    def middle(symbol):
        return teach(phones_of(("AH", 0.15), (symbol, 0.16), ("AH", 0.15)), 0.46, FACE, Style(), rng())[5]

    def value(symbol, name):
        return middle(symbol)[INDEX[name]]

    assert value("F", "labiodental") > 0.7 > 0.1 > value("S", "labiodental")
    assert value("TH", "tongue") > 0.7 > 0.1 > value("F", "tongue")
    assert value("UW", "pucker") > 3 * value("AA", "pucker")
    assert value("SH", "funnel") > 0.25 > value("IY", "funnel")
    assert value("IY", "stretch_l") > 2 * value("AO", "stretch_l")
    assert value("AA", "jaw_open") > 2 * value("S", "jaw_open")
    assert value("S", "lower_lip_down") > 0.1


def test_fast_vowels_open_less():
    def opening(length_s):
        rows = [("D", 0.07), ("AA", length_s)] * 4 + [("D", 0.07)]
        return teach(phones_of(*rows), sum(r[1] for r in rows), FACE, Style(), rng())[:, INDEX["jaw_open"]].max()

    assert opening(0.05) < 0.7 * opening(0.2)


def test_jaw_is_conversational():
    jaws = [teach(chatter(8.0, i), 8.0, FACE, random_style(rng(i)), rng(i))[:, INDEX["jaw_open"]] for i in range(20)]
    jaw = np.concatenate(jaws)
    # Tracked speakers spend about one frame in twenty wider open than this jaw alone can be (gap over 0.2 IOD).
    assert jaw.max() < 0.7 and np.mean(jaw > 0.45) < 0.05 and jaw.std() > 0.06


def test_mouth_rests_in_silence_and_in_long_pauses():
    still = teach([TimedPhone(SILENCE, 0.0, 4.0)], 4.0, FACE, Style(), rng())
    assert np.abs(still[:, group_indices("mouth")]).max() == 0.0
    assert np.array_equal(teach([], 4.0, FACE, Style(), rng()), still)
    pause = teach(phones_of(("AA", 0.5), (SILENCE, 2.0), ("AA", 0.5)), 3.0, FACE, Style(), rng())
    assert lip_gap(pause)[int(0.8 * 25) : int(2.2 * 25)].max() < 0.01


def test_pictured_open_mouth_closes_half_at_rest_and_fully_for_closures():
    gap_iod = 0.08
    reference = np.array([*FACE[:7], 5.0 * gap_iod], np.float32)
    take = teach(phones_of((SILENCE, 1.0), ("AA", 0.3), ("M", 0.1), ("AA", 0.3)), 1.7, reference, Style(), rng())
    seal = take[:, INDEX["seal"]]
    assert seal[:18] == pytest.approx(0.5, abs=0.05)
    assert seal[int(1.35 * 25)] > 0.95 and seal[int(1.2 * 25)] < 0.3
    opened = take[int(1.2 * 25), INDEX["jaw_open"]]
    closed_reference = teach(phones_of((SILENCE, 1.0), ("AA", 0.3), ("M", 0.1), ("AA", 0.3)), 1.7, FACE, Style(), rng())
    assert opened < 0.7 * closed_reference[int(1.2 * 25), INDEX["jaw_open"]]


def test_same_chance_same_take_and_other_chance_another():
    phones = chatter(4.0)
    first = teach(phones, 4.0, BODY, random_style(rng(1)), rng(2))
    assert np.array_equal(first, teach(phones, 4.0, BODY, random_style(rng(1)), rng(2)))
    assert not np.allclose(first, teach(phones, 4.0, BODY, random_style(rng(1)), rng(3)))
    assert first.shape == (100, NUM_PARAMETERS) and first.dtype == np.float32


def test_everything_stays_within_the_table():
    loud = Style(body=BodyStyle(head=9.0, nods=9.0, torso=9.0, arms=9.0))
    take = teach(chatter(20.0), 20.0, BODY, loud, rng())
    assert (take >= LOW).all() and (take <= HIGH).all()


def blink_frames(lids):
    """Lengths of the stretches in which the lids are lower than a tenth."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lids > 0.1, [0]]).astype(int)))
    return np.diff(edges)[::2]


def test_blinks_come_at_a_human_rate_with_soft_edges():
    takes = [teach(chatter(60.0, i), 60.0, FACE, Style(), rng(i)) for i in range(12)]
    lengths = np.concatenate([blink_frames(take[:, INDEX["blink_l"]]) for take in takes])
    assert 14.0 < len(lengths) / 12 < 21.0
    assert 4 <= np.median(lengths) <= 7
    lids = takes[0][:, INDEX["blink_l"]]
    assert lids.max() == pytest.approx(1.0, abs=0.02) and np.abs(np.diff(lids)).max() < 0.8
    assert np.allclose(takes[0][:, INDEX["blink_r"]], lids, atol=0.1)


def test_head_moves_a_few_degrees_about_the_picture_and_calms_down_in_silence():
    talking = np.concatenate([teach(chatter(30.0, i), 30.0, FACE, Style(), rng(i)) for i in range(8)])
    silent = np.concatenate([teach([], 30.0, FACE, Style(), rng(i)) for i in range(8)])
    for name in ("head_yaw_deg", "head_pitch_deg", "head_roll_deg"):
        column = talking[:, INDEX[name]]
        assert 1.0 < column.std() < 4.5 and abs(column.mean()) < 1.0
        assert silent[:, INDEX[name]].std() < 0.6 * column.std()


def test_nods_follow_accents():
    phones = phones_of(*[("D", 0.08), ("IH", 0.06)] * 8, *[("D", 0.08), ("AA", 0.3)], *[("D", 0.08), ("IH", 0.06)] * 8)
    (time_s, _), *others = accents(phones, rng())
    assert not others and time_s == pytest.approx(8 * 0.14 + 0.08 + 0.15)
    style = Style(body=BodyStyle(head=0.0))
    pitch = np.mean([teach(phones, 2.7, FACE, style, rng(i))[:, INDEX["head_pitch_deg"]] for i in range(40)], axis=0)
    peak_s = (np.argmax(pitch) + 0.5) / FRAME_HZ
    assert 0.0 < peak_s - time_s < 0.2 and pitch.max() > 0.4


@pytest.mark.parametrize("group", ["torso", "arms"])
def test_what_the_picture_does_not_show_does_not_move(group):
    assert np.abs(teach(chatter(10.0), 10.0, FACE, Style(), rng())[:, group_indices(group)]).max() == 0.0
    shown = teach(chatter(10.0), 10.0, BODY, Style(), rng())[:, group_indices(group)]
    assert (shown.std(axis=0) > 0).all()


def test_only_the_visible_arm_moves():
    one = np.array([0, 0, 0, 0.4, 1.0, 1.0, 0.0, 0], np.float32)
    take = teach(chatter(10.0), 10.0, one, Style(), rng())
    assert take[:, INDEX["arm_elbow_deg_l"]].std() > 0.3 and take[:, INDEX["arm_elbow_deg_r"]].std() == 0.0


def test_torso_follows_the_head_late():
    takes = [teach(chatter(30.0, i), 30.0, BODY, Style(), rng(i)) for i in range(30)]

    def agreement(lag):
        pairs = [(t[: len(t) - lag, INDEX["head_roll_deg"]], t[lag:, INDEX["lean_deg"]]) for t in takes]
        return np.mean([np.corrcoef(head, lean)[0, 1] for head, lean in pairs])

    at_lag = [agreement(lag) for lag in range(20)]
    assert max(at_lag) > 0.2 and np.argmax(at_lag) >= 2 and at_lag[3] > at_lag[0]


def test_breath_has_a_human_cycle():
    chest = teach([], 60.0, BODY, Style(), rng())[:, INDEX["breathe"]]
    spectrum = np.abs(np.fft.rfft(chest - chest.mean()))
    cycle_s = 60.0 / np.argmax(spectrum)
    assert 3.0 < cycle_s < 5.5 and chest.min() >= 0.0 and chest.max() > 0.2


def test_drift_has_the_spread_that_was_asked_for():
    moved = drift(20000, (2.0, 0.01), 1.0, rng())
    assert moved.std(axis=0) == pytest.approx([2.0, 0.01], rel=0.15)


def test_pooling_keeps_half_of_a_one_step_peak():
    column = np.zeros(8, np.float32)
    column[5] = 1.0
    assert pool(column, 0.5).tolist() == [0.0, 0.5 + 0.5 / 4]
