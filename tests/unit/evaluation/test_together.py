"""Body as from the driver, lips as from the sound: shown by results that obey and by results that give one up."""

import json
from dataclasses import asdict

import numpy as np
from typer.testing import CliRunner

from omnihuman.cli.evaluate import app
from omnihuman.evaluation.suite import load_sync_settings
from omnihuman.evaluation.together import compare_bodies, compare_lips, load_together_settings, measure_together
from tests.unit.evaluation.spoken import babble, noise_sound, obeying_gap, tracks_of
from tests.unit.latents.test_motion_drive import acted, performance

LEAST = load_together_settings().least_motion_deg


def test_a_body_that_obeys_less_with_the_sound_costs():
    driver, alone = acted(performance()), acted(0.9 * performance())
    same = compare_bodies(driver, alone, alone, LEAST)
    assert same["body_error_ratio"].value == 1.0
    worse = compare_bodies(driver, alone, acted(0.6 * performance()), LEAST)
    assert worse["body_error_ratio"].value > 2.0
    assert worse["body_error_together"].value > worse["body_error_pose_alone"].value > 0.1


def test_a_driver_who_stands_still_judges_nobody():
    still = acted(0 * performance())
    found = compare_bodies(still, still, acted(performance()), LEAST)
    assert np.isnan(found["body_error_ratio"].value)


def test_lips_that_follow_the_driver_instead_of_the_sound_cost():
    phones = babble(np.random.default_rng(4))
    sound, good = noise_sound(phones), tracks_of(obeying_gap(phones))
    bad = tracks_of(np.roll(obeying_gap(phones), 12))
    settings = load_sync_settings()
    assert compare_lips(good, good, phones, sound, settings)["lip_f1_loss"].value == 0.0
    lost = measure_together({}, compare_lips(good, bad, phones, sound, settings))
    assert lost.measurements["lip_f1_loss"].value > 0.3


def test_the_command_makes_three_and_compares(tmp_path, monkeypatch):
    asked = []

    def pipeline(image, *, seed, output, **drivers):
        asked.append((output.stem, set(drivers)))

    phones = babble(np.random.default_rng(4))
    sound, lips = noise_sound(phones), tracks_of(obeying_gap(phones))
    persons = {"drive": acted(performance()), "pose": acted(0.9 * performance()), "both": acted(0.9 * performance())}
    sources = "omnihuman.cli.evaluation_sources"
    monkeypatch.setattr(f"{sources}.pipeline_of", lambda preset, hub: pipeline)
    monkeypatch.setattr(f"{sources}.person_of", lambda path, hub: persons[path.stem])
    monkeypatch.setattr(f"{sources}.tracks_of", lambda path, face: lips)
    monkeypatch.setattr(f"{sources}.heard", lambda sound, hub: phones)
    monkeypatch.setattr("omnihuman.media.audio.read_sound", lambda path: sound)
    given = ["together", "--image", "me.png", "--audio", "a.wav", "--drive", "drive.mp4", "--json"]
    monkeypatch.setattr(f"{sources}.lips_of_picture", lambda image, hub: {"picture_gap": 0.01})
    said = tmp_path / "p.json"
    said.write_text(json.dumps([asdict(phone) for phone in phones]))
    result = CliRunner().invoke(app, [*given, "--phones", str(said), "--check"])
    record = json.loads(result.stdout)
    assert result.exit_code == 0 and record["facts"]["picture_gap"] == 0.01
    assert asked == [("pose", {"drive"}), ("sound", {"audio"}), ("both", {"audio", "drive"})]
    assert record["bars"]["body_error_ratio"]["met"] and record["bars"]["lip_f1_loss"]["met"]
    heard = json.loads(CliRunner().invoke(app, [*given, "--heard"]).stdout)
    assert heard["bars"] == {} and heard["facts"]["phones"].startswith("self-consistency")
    for options, code in (([], "phones_needed"), (["--heard", "--check"], "check_clash")):
        assert json.loads(CliRunner().invoke(app, [*given, *options]).stdout)["error"]["code"] == code
