"""Judging text: an actor that obeys passes, one that is deaf, late or slack does not; the sentences are unseen ones."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli import evaluate_text
from omnihuman.cli.evaluate import app
from omnihuman.conditions.text import Prompt
from omnihuman.evaluation.acting import HALF_BODY, PromptedActor
from omnihuman.evaluation.prompts import load_prompt_settings
from omnihuman.evaluation.suite import load_sync_settings
from omnihuman.evaluation.text_report import chart_of, is_met, record_of, rows_of
from omnihuman.evaluation.text_response import StyleResponse, TextJudge, pooled_closure_loss
from omnihuman.latents.motion.parameters import INDEX, NUM_PARAMETERS
from omnihuman.metrics.sync import ClosureCounts
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.training.teacher.direction import Direction, direct
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.teacher.take import Style
from omnihuman.training.words.style_sentences import participle, third_person
from tests.tiny import hum, tiny_parts

TABLE = load_styles()
SETTINGS = load_prompt_settings()
STYLE_OF = {line: name for name, lines in SETTINGS.by_style().items() for line in lines}
PHONES = [
    [TimedPhone(SILENCE, 0.0, 0.2)]
    + [TimedPhone(("AA", "B", "IY", "D")[i % 4], 0.2 + 0.12 * i, 0.32 + 0.12 * i) for i in range(30)]
    + [TimedPhone(SILENCE, 3.8, 4.0)]
] * 2


def obedient(number, prompts, late_s=0.0, strength=1.0):
    """The teacher as an actor: does what it is told, from the moment it is told."""
    directions = [
        Direction((TABLE.styles[STYLE_OF[p.text]],), strength, p.start_s + late_s)
        for p in prompts
        if p.text in STYLE_OF
    ]
    return direct(PHONES[number], 4.0, HALF_BODY, Style(), directions, np.random.default_rng(number))


def judged(act, *names):
    return list(TextJudge(act, PHONES, SETTINGS, TABLE, load_sync_settings()).judge(names))


@pytest.mark.parametrize("name", ["smiling", "nodding", "turning_left", "gesturing", "blinking"])
def test_an_obedient_actor_meets_the_bars(name):
    (response,) = judged(obedient, name)
    assert response.share == 1.0 and not response.missed
    assert abs(response.onset_s) <= SETTINGS.bars.onset_s
    assert response.bystander == 0.0 and response.closure_loss == pytest.approx(0.0, abs=1e-9)
    assert response.closures_before.recall > 0.9
    assert is_met(response, SETTINGS.bars)


def test_a_deaf_actor_misses_them_all():
    (response,) = judged(lambda number, prompts: obedient(number, ()), "smiling")
    assert response.share == 0.0 and len(response.missed) == 20
    assert np.isnan(response.onset_s) and response.bystander == np.inf
    assert not is_met(response, SETTINGS.bars)


def test_an_actor_that_takes_its_time_is_told_by_the_onset():
    prompt, late = (judged(lambda n, p, s=s: obedient(n, p, late_s=s), "smiling")[0].onset_s for s in (0.0, 0.9))
    assert late - prompt == pytest.approx(0.9, abs=0.1) and abs(prompt) < 0.5 < late


def test_an_actor_that_smiles_at_everything_is_told_by_the_neutral_sentences():
    def servile(number, prompts):
        return obedient(number, [replace(p, text=SETTINGS.by_style()["smiling"][0]) for p in prompts])

    (response,) = judged(servile, "smiling")
    assert response.share == 1.0 and response.bystander == pytest.approx(1.0, abs=0.05)


def test_lips_that_stay_open_are_told_by_the_closures():
    def gaping(number, prompts):
        take = obedient(number, prompts)
        if prompts:
            take[:, INDEX["seal"]], take[:, INDEX["jaw_open"]] = 0.0, 0.5
        return take

    responses = judged(gaping, "smiling", "nodding")
    assert pooled_closure_loss(responses) > 0.5 and all(r.closure_loss > 0.5 for r in responses)
    assert not record_of(responses, SETTINGS.bars)["met"]


def test_lips_of_parameters_are_judged_by_the_thresholds_for_parameters():
    def ajar(number, prompts):
        take = obedient(number, prompts)
        if prompts:
            take[:, INDEX["seal"]], take[:, INDEX["upper_lip_raise"]] = 0.0, 0.0
            take[:, INDEX["lower_lip_down"]], take[:, INDEX["jaw_open"]] = 0.0, 0.13  # a gap of .039 IOD
        return take

    (response,) = judged(ajar, "smiling")
    assert response.closures.hit == 0 and response.closure_loss > 0.5


@pytest.mark.parametrize("name", ["smiling", "sad", "nodding", "blinking"])
def test_an_effect_of_the_wrong_direction_is_no_onset(name):
    """A smile that sours from the moment on, a head that goes still, lids that stay open."""

    def contrary(number, prompts):
        take = np.array(obedient(number, prompts))
        if prompts and prompts[0].text in STYLE_OF:
            usual, start = obedient(number, ()), round(25 * prompts[0].start_s)
            is_level = TABLE.styles[name].statistic.measure == "level"
            take[start:] = (2 * usual - take if is_level else np.full_like(usual, usual[start]))[start:]
        return take

    assert np.isnan(judged(contrary, name)[0].onset_s)


def test_every_style_has_twenty_sentences():
    sentences = SETTINGS.by_style()
    assert set(sentences) == set(TABLE.styles)
    assert {name: len(set(lines)) for name, lines in sentences.items()} == dict.fromkeys(TABLE.styles, 20)


def bare(text):
    return re.sub(r"[^a-z ]", "", re.sub(r"\{\w+\}", "", text.lower())).strip()


@pytest.mark.parametrize("name", TABLE.styles)
def test_the_sentences_are_not_those_of_the_training(name):
    """None is a phrase of the training, and none holds one of three words or more."""
    entry = TABLE.styles[name]
    seen = {bare(p) for phrase in entry.do for p in (phrase, third_person(phrase), participle(phrase))}
    seen |= {bare(phrase) for phrase in (*entry.like, *entry.having, *entry.say)}
    for sentence in map(bare, SETTINGS.by_style()[name]):
        assert sentence not in seen
        assert not [p for p in seen if len(p.split()) >= 3 and f" {p} " in f" {sentence} "]


def response(name="smiling", share=1.0, onset_s=0.1, bystander=0.1):
    closures = (ClosureCounts(4, 4, 4, 4), ClosureCounts(4, 4, 4, 4))
    return StyleResponse(name, "level of smile_l up", share, 0.0, 1.0, bystander, onset_s, *closures, ())


def test_reports_show_what_is_missed():
    responses = [response(), response("nodding", share=0.4), response("sad", onset_s=float("nan"))]
    responses.append(response("angry", bystander=0.5))
    record = record_of(responses, SETTINGS.bars)
    met = {name: style["met"] for name, style in record["styles"].items()}
    assert met == {"smiling": True, "nodding": False, "sad": False, "angry": False}
    assert json.loads(json.dumps(record, allow_nan=False))["styles"]["sad"]["onset_s"] is None
    rows = rows_of(responses, SETTINGS.bars)
    assert "!" not in " ".join(rows[1]) and "!" in rows[2][1] and "!" in rows[3][5]
    chart = ElementTree.fromstring(chart_of(responses, SETTINGS.bars))
    widths = [float(r.get("width")) for r in chart.iter("{http://www.w3.org/2000/svg}rect") if r.get("width") != "100%"]
    assert widths[1] == pytest.approx(0.4 * widths[0], rel=0.01)


def test_the_network_acts_with_and_without_text():
    actor = PromptedActor(tiny_parts(), [hum(1.0), hum(1.4)], 3)
    plain, told = actor.act(0, ()), actor.act(0, [Prompt("smiles")])
    assert plain.shape == told.shape == (25, NUM_PARAMETERS)
    assert np.array_equal(plain, actor.act(0, ())) and not np.array_equal(plain, told)
    late = actor.act(1, [Prompt("smiles", start_s=1.36)])
    assert late.shape[0] == 35


def test_an_unknown_style_is_refused_with_the_nearest_one():
    result = CliRunner().invoke(app, ["text", "--style", "smilling", "--json"])
    error = json.loads(result.stdout)["error"]
    assert result.exit_code == 2 and error["code"] == "style_unknown" and "smiling" in str(error)


@pytest.mark.parametrize(("share", "bystander", "status"), [(1.0, 0.1, 0), (0.5, 0.1, 1), (1.0, 0.5, 1)])
def test_the_command_writes_report_and_chart(tmp_path, monkeypatch, share, bystander, status):
    monkeypatch.setattr(evaluate_text, "_responses", lambda *_: [response(share=share, bystander=bystander)])
    report, chart = tmp_path / "r.json", tmp_path / "c.svg"
    arguments = ["text", "--style", "smiling", "--report", str(report), "--chart", str(chart), "--check"]
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == status and "smiling" in result.stdout
    assert json.loads(report.read_text())["styles"]["smiling"]["share"] == share
    assert chart.read_text().startswith("<svg")
    for places in (("x", "x"), ("r.json", "r.json"), ("r.json", "link.svg")):
        (tmp_path / "link.svg").unlink(missing_ok=True)
        (tmp_path / "link.svg").symlink_to(report)
        asked = [part for option, place in zip(("--report", "--chart"), places, strict=True)
                 for part in (option, str(tmp_path / place))]  # fmt: skip
        refused = CliRunner().invoke(app, ["text", *asked, "--json"])
        assert json.loads(refused.stdout)["error"]["code"] == "output_invalid"
