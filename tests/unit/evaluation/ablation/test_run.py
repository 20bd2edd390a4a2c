"""A whole ablation: finished runs stay, a stopped one goes on exactly, other settings are refused, reports add up."""

import json
import shutil
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file
from typer.testing import CliRunner

from omnihuman.cli import app
from omnihuman.errors import InputError, ResourceError
from omnihuman.evaluation.ablation import run as run_module
from omnihuman.evaluation.ablation.cost import estimate
from omnihuman.evaluation.ablation.plot import draw
from omnihuman.evaluation.ablation.pool import PooledWindows, draw_pool
from omnihuman.evaluation.ablation.report import page_of, record_of, summarize, write_report
from omnihuman.evaluation.ablation.run import Ablation, workers
from omnihuman.evaluation.ablation.settings import QUANTITIES
from omnihuman.training.loop import Run
from omnihuman.training.synthetic import SyntheticDataset
from tests.unit.evaluation.ablation.small import BASE, JUDGING, VARIANTS, small


def ablation(folder, **changes):
    said = []
    made = Ablation(small(**changes), folder, "2026-01-01", said.append)
    made.said = said
    return made


CLAIMS = [{"words": "sound is heard", "quantity": "distance", "more": "base", "less": "audio-100"}]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    whole = ablation(tmp_path_factory.mktemp("ablation"), claims=CLAIMS)
    whole.work()
    return whole


def test_every_run_has_a_result_and_its_own_numbers(done):
    results = done.results()
    assert [(r.variant, r.seed) for r in results] == [("base", 1), ("audio-100", 1), ("base", 2), ("audio-100", 2)]
    assert all(r.steps == 5 for r in results)
    assert len({r.value("distance") for r in results}) == 4
    assert not list(done.out.rglob("checkpoint.safetensors")), "no longer needed"
    assert any("min left" in line for line in done.said)


def test_claims_can_be_about_all_that_is_measured_and_nothing_else(done):
    assert set(QUANTITIES) == set(done.results()[0].measurements)


def test_a_finished_run_is_never_repeated(done, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(run_module, "train", refuse)
    again = ablation(done.out)
    again.work()
    assert len(again.results()) == 4


def test_a_killed_run_goes_on_and_ends_where_an_unbroken_one_does(done, tmp_path, monkeypatch):
    advance = Run.advance

    def killed(self):
        if self.done == 3:
            self.save("2026-01-01")  # as the clock does now and then; the kill comes later
            raise KeyboardInterrupt
        return advance(self)

    part = ablation(tmp_path, variants=VARIANTS[:1], seeds=[1])
    with monkeypatch.context() as patched:
        patched.setattr(Run, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            part.work()
    assert part.results() == [] and (tmp_path / "base/seed-1/checkpoint.safetensors").exists()
    steps = []
    monkeypatch.setattr(Run, "advance", lambda self: steps.append(self.done) or advance(self))
    ablation(tmp_path, variants=VARIANTS[:1], seeds=[1]).work()
    assert steps == [3, 4]
    whole, resumed = (load_file(folder / "base/seed-1/weights.safetensors") for folder in (done.out, tmp_path))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert (
        json.loads((tmp_path / "base/seed-1/result.json").read_text())["measurements"]
        == json.loads((done.out / "base/seed-1/result.json").read_text())["measurements"]
    )


def test_a_run_that_another_process_holds_is_left_to_it(tmp_path):
    mine = ablation(tmp_path, seeds=[1])
    held = mine.folder(mine.runs[0])
    held.claim(mine.training_key(mine.runs[0]))
    with held.files.reserved():
        ablation(tmp_path, seeds=[1]).work()
    assert [r.variant for r in mine.results()] == ["audio-100"]


def test_a_worker_that_fails_is_told(done, monkeypatch):
    class Broken:
        exitcode = 1

        def __init__(self, target, args):
            self.start = self.join = self.terminate = lambda: None

    monkeypatch.setattr(run_module.multiprocessing, "get_context", lambda kind: SimpleNamespace(Process=Broken))
    with pytest.raises(ResourceError, match="2 of 2 worker processes"), workers(done, 2):
        pass


def test_a_damaged_result_is_named(done, tmp_path):
    damaged = ablation(tmp_path, variants=VARIANTS[:1], seeds=[1])
    folder = damaged.folder(damaged.runs[0])
    folder.claim(damaged.training_key(damaged.runs[0]))
    assert damaged.results() == []
    whole = json.loads((done.out / "base/seed-1/result.json").read_text()) | {
        "training_key": damaged.training_key(damaged.runs[0])
    }
    (folder.path / "result.json").write_text(json.dumps(whole))
    assert len(damaged.results()) == 1
    whole["measurements"]["drift"].pop("unit")
    for content in ("{", "{}", "[" * 100_000, json.dumps(whole)):
        (folder.path / "result.json").write_text(content)
        with pytest.raises(InputError, match="base/seed-1/result.json") as caught:
            damaged.results()
        assert caught.value.code == "result_unreadable"


def test_a_result_without_its_mark_is_nobody_elses(done, tmp_path):
    shutil.copytree(done.out / "base", tmp_path / "base")
    (tmp_path / "base/seed-1/run.json").unlink()
    assert len(ablation(tmp_path, variants=VARIANTS[:1], seeds=[1]).results()) == 1
    other = ablation(tmp_path, base={**BASE, "batch_size": 4}, seeds=[1])
    with pytest.raises(InputError, match="run_unfit"):
        other.work()
    (tmp_path / "base/seed-1/result.json").unlink()
    with pytest.raises(InputError, match="network of unknown settings"):
        other.work()


def test_a_damaged_checkpoint_is_told_with_a_way_out_that_exists(tmp_path):
    broken = ablation(tmp_path, variants=VARIANTS[:1], seeds=[1])
    folder = broken.folder(broken.runs[0])
    folder.claim(broken.training_key(broken.runs[0]))
    folder.files.checkpoint.write_bytes(b"nothing")
    with pytest.raises(InputError, match="Delete the folder base/seed-1") as caught:
        broken.work()
    assert caught.value.code == "checkpoint_unreadable" and "--resume" not in str(caught.value)


def test_other_judging_judges_again_without_training(done, tmp_path, monkeypatch):
    first = ablation(tmp_path, variants=VARIANTS[:1], seeds=[1])
    first.work()
    monkeypatch.setattr(run_module, "train", lambda *a, **k: pytest.fail("trained again"))
    second = ablation(tmp_path, variants=VARIANTS[:1], seeds=[1], judging={**JUDGING, "steps": 3})
    assert second.results() == []
    second.work()
    assert second.results()[0].value("distance") != done.results()[0].value("distance")


def test_a_folder_of_other_settings_is_refused_and_kept(done):
    before = sorted(path.name for path in done.out.rglob("*"))
    other = ablation(done.out, base={**BASE, "batch_size": 4})
    with pytest.raises(InputError, match="base/seed-1 holds a run of other settings"):
        other.work()
    assert sorted(path.name for path in done.out.rglob("*")) == before


def test_the_report_says_what_the_runs_found(done, tmp_path):
    summary = summarize(done.settings, done.results(), done.judge.measure_teacher())
    record = json.loads(json.dumps(record_of(summary)))
    own = record["variants"]["audio-100"]["quantities"]["head_spread"]
    values = [r.value("head_spread") for r in done.results() if r.variant == "audio-100"]
    assert own["mean"] == pytest.approx(sum(values) / 2)
    assert own["deviation"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert (record["runs"], record["runs_finished"]) == (4, 4)
    page = page_of(summary)
    assert f"{own['mean']:.3f} \u00b1 {own['deviation']:.3f}" in page and "`stages.audio.ratios.audio` = 1.0" in page
    for table in page.rstrip().split("\n\n")[2:]:
        assert len({line.count("|") for line in table.splitlines()}) == 1, table
    assert all(page.count(f" {name} ") >= 2 for name in summary.quantities)
    assert record["claims"][0]["claim"] == CLAIMS[0] | {"relation": "more"} and "| sound is heard | distance |" in page
    assert all(path.stat().st_size for path in write_report(summary, tmp_path))
    picture = ET.fromstring((tmp_path / "report.svg").read_text(encoding="utf-8"))
    dots = [node for node in picture.iter() if node.tag.endswith("circle")]
    defined = [r.value(q) for r in done.results() for q in summary.quantities if r.value(q) is not None]
    assert len(dots) == len(defined)


def test_a_report_of_half_the_runs_leaves_the_rest_out(done):
    summary = summarize(done.settings, done.results()[:1], {})
    assert list(record_of(summary)["variants"]) == ["base"]
    assert "\u00b1" not in page_of(summary).split("| quantity |")[0].split("\n\n", 2)[2]


def test_dots_lie_where_their_numbers_are():
    quantities = {"a": ("deg", True)}
    points = {"one": {"a": [0.0, 10.0]}, "two": {"a": [5.0]}}
    picture = ET.fromstring(draw(quantities, {"a": 5.0}, points))
    xs = [float(node.get("cx")) for node in picture.iter() if node.tag.endswith("circle")]
    assert xs[0] < xs[2] < xs[1] and xs[2] == pytest.approx((xs[0] + xs[1]) / 2)
    dashed = [node for node in picture.iter() if node.get("stroke-dasharray")]
    assert float(dashed[0].get("x1")) == pytest.approx(xs[2])


def test_a_pool_gives_every_window_once_an_epoch(tmp_path):
    source = SyntheticDataset(8, seed=3)
    draw_pool(source, 40, tmp_path / "pool", lambda done, total: None)
    pool = PooledWindows(tmp_path / "pool", seed=1)
    epoch = torch.cat([pool.batch(step, 8)[0] for step in range(5)])
    drawn = torch.cat([source.batch(0, 32)[0], source.batch(1, 8)[0]])
    distances = torch.cdist(epoch.flatten(1), drawn.flatten(1))
    assert sorted(distances.argmin(1).tolist()) == list(range(40)) and distances.amin(1).max() < 0.1
    latents, known, weight = pool.batch(3, 8)
    again = pool.batch(3, 8)
    assert torch.equal(latents, again[0]) and torch.equal(known.audio, again[1].audio)
    assert weight.shape == latents.shape and known.observed_mask.shape == latents.shape
    assert not torch.equal(PooledWindows(tmp_path / "pool", seed=2).batch(0, 8)[0], pool.batch(0, 8)[0])
    assert not torch.equal(pool.batch(0, 40)[0], pool.batch(1, 40)[0]), "another order in the next epoch"


def test_a_pool_that_is_stopped_leaves_nothing_and_a_damaged_one_is_named(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_pool(SyntheticDataset(8, seed=3), 4, tmp_path / "pool", stop)
    assert list(tmp_path.iterdir()) == []
    draw_pool(SyntheticDataset(8, seed=3), 4, tmp_path / "pool", lambda done, total: None)
    assert [path.name for path in tmp_path.iterdir()] == ["pool"]
    (tmp_path / "pool/latents.npy").write_bytes(b"")
    for content in (None, "{", "{}", "[]"):
        if content is not None:
            (tmp_path / "pool/pool.json").write_text(content)
        with pytest.raises(InputError, match="windows_unreadable"):
            PooledWindows(tmp_path / "pool", seed=1)


def test_the_estimate_counts_what_is_left(done, tmp_path):
    fresh, finished = estimate(ablation(tmp_path / "no")), estimate(ablation(done.out))
    assert (fresh.runs, fresh.finished, fresh.steps) == (4, 0, 20)
    assert (finished.finished, finished.steps, finished.core_hours) == (4, 0, 0.0)
    assert fresh.step_s > 0 and fresh.judging_s > 0
    assert not (tmp_path / "no").exists()


def test_one_command_makes_the_table_and_a_second_one_changes_nothing(tmp_path):
    config = tmp_path / "small.yaml"
    whole = {"base": BASE, "seeds": [1], "variants": VARIANTS, "windows": 7, "judging": JUDGING}
    config.write_text(yaml.safe_dump(whole))
    command = ["ablate", str(config), "--out", str(tmp_path / "out"), "--json"]
    dry = CliRunner().invoke(app, [*command, "--dry-run"])
    assert json.loads(dry.stdout)["runs"] == 2 and not (tmp_path / "out").exists()
    first, second = (CliRunner().invoke(app, [*command, "--jobs", "2"]) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["runs_finished"] == 2
    assert json.loads(first.stdout)["variants"] == json.loads(second.stdout)["variants"]
    part = json.loads(CliRunner().invoke(app, [*command, "--only", "base"]).stdout)
    assert part["variants"] == json.loads(first.stdout)["variants"], "the report of all that the folder holds"
    assert json.loads((tmp_path / "out/report.json").read_text())["runs_finished"] == 2
    for place in ("small.yaml", "small.yaml/out"):
        refused = CliRunner().invoke(app, [*command[:2], "--out", str(tmp_path / place), "--json", "--dry-run"])
        assert json.loads(refused.stdout)["error"]["code"] == "output_invalid"
    bad = CliRunner().invoke(app, [*command, "--only", "nothing"])
    assert bad.exit_code == 2 and json.loads(bad.stdout)["error"]["code"] == "variant_unknown"
