"""One implementation behind `make <target>` and `python -m house <target>`: install, demo, check, train, clean.

Standard library only, because it runs before anything is installed, on every system, without make.
Nothing here is part of the product; whatever the product does is asked of `python -m omnihuman`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 10), (3, 13)
STAMP = "house-stamp.json"
DEMO_PICTURE = "examples/portrait_ada.png"
DEMO_TEXT = "Hello! I am only a drawing, but give me a sentence and my lips will move. Maybe you have a picture, too?"

OPTIONS = {
    "PICTURE": "picture of the person, for demo",
    "SAY": "sentence for the built-in voice, for demo",
    "AUDIO": "sound file instead of SAY, for demo",
    "OUT": "where demo writes the video (outputs/demo.mp4), where bench writes its JSON",
    "CONFIG": "training configuration (configs/training/motion.yaml)",
    "VENV": "folder of the environment (.venv)",
    "PIP_ARGS": "more options for every `pip install`, such as --extra-index-url",
    "INSTALLER": "pip (default) or uv",
}


class HouseError(Exception):
    """A target cannot be done; the message says what to do about it."""


def option(name: str, default: str = "") -> str:
    """Value of one of `OPTIONS`: given as NAME=value or, as make hands it over, in the environment."""
    return os.environ.get(name) or default


def run(command: Sequence[str]) -> int:
    """Runs a command in the root of the checkout, its output shown as it comes; returns the exit status."""
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"}, check=False).returncode


def need(command: Sequence[str], way_out: str) -> None:
    """Runs a command that must succeed.

    Raises:
        HouseError: it did not; the message ends in `way_out`.
    """
    if status := run(command):
        raise HouseError(f"that step failed (status {status}). {way_out}")


def say(text: str) -> None:
    """One line about what happens, before the output of whatever it starts."""
    print(text, flush=True)


# --- the environment


def venv_dir() -> Path:
    """Folder of the environment."""
    return (ROOT / option("VENV", ".venv")).resolve()


def venv_python() -> Path:
    """Its interpreter."""
    return venv_dir() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def python(*arguments: str | Path) -> list[str]:
    """A command line that starts with the interpreter of the environment."""
    return [str(venv_python()), *map(str, arguments)]


def constraints() -> Path | None:
    """Exact versions that were tested together on this Python, or None: then the ranges decide."""
    path = ROOT / "constraints" / f"cpu-{sys.version_info[0]}.{sys.version_info[1]}.txt"
    return path if path.is_file() else None


def torch_requirement() -> str:
    """The torch to install first: the pinned one where constraints apply, else the supported range."""
    source = constraints() or ROOT / "requirements.txt"
    lines = source.read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.startswith(("torch=", "torch>")))


def fingerprint() -> str:
    """Changes when an installation would give something else."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {venv_dir()}".encode())
    for path in (ROOT / "pyproject.toml", ROOT / "requirements.txt", constraints()):
        if path is not None:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def create_venv() -> None:
    """Makes the environment unless a working one is there.

    Raises:
        HouseError: this Python is too old or too new, or has no `venv`.
    """
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        have, wanted = ".".join(map(str, sys.version_info[:2])), f"3.{OLDEST[1]} to 3.{NEWEST[1]}"
        raise HouseError(f"Python {have} is not supported. Use {wanted}, e.g. `make demo PYTHON=python3.11`.")
    if venv_python().exists() and subprocess.run(python("-c", ""), check=False).returncode == 0:
        return
    say(f"Creating {venv_dir()} with Python {sys.version.split()[0]}")
    make = [sys.executable, "-m", "venv", "--clear"]
    if option("INSTALLER", "pip") == "uv":
        make = ["uv", "venv", "--clear", "--python", sys.executable]
    need(
        [*make, str(venv_dir())],
        "On Debian and Ubuntu: `apt install python3-venv`. Elsewhere install Python from python.org.",
    )


def pip_install(*arguments: str | Path) -> None:
    """Installs into the environment with pip, or uv where the user asks for it; their own settings apply."""
    tool = python("-m", "pip", "install")
    if option("INSTALLER", "pip") == "uv":
        tool = ["uv", "pip", "install", "--python", str(venv_python())]
    pins = ["--constraint", str(path)] if (path := constraints()) else []
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    extra = shlex.split(option("PIP_ARGS"), posix=os.name != "nt")
    command = [*tool, *quiet, *pins, *extra, *map(str, arguments)]
    need(command, "See docs/installation.md; PIP_ARGS=... passes options to the installer.")


def install(*extras: str) -> None:
    """Creates or updates the environment with the package (editable) and some extras; a no-op when nothing changed."""
    stamp = venv_dir() / STAMP
    known = json.loads(stamp.read_text(encoding="utf-8")) if stamp.is_file() and venv_python().exists() else {}
    if known.get("inputs") == fingerprint() and set(extras) <= set(known["extras"]):
        return
    create_venv()
    wanted = sorted({*extras, *known.get("extras", [])})
    say(f"Installing {torch_requirement()} (large, be patient)")
    pip_install(torch_requirement())
    say(f"Installing open-omnihuman{wanted or ''} with what it needs")
    pip_install("--editable", f"{ROOT}[{','.join(wanted)}]" if wanted else ROOT)
    stamp.write_text(json.dumps({"inputs": fingerprint(), "extras": wanted}), encoding="utf-8")
    say(f"Environment ready: {venv_dir()}, {size_gb(venv_dir()):.2f} GB")


def size_gb(folder: Path) -> float:
    """Bytes of all files below a folder, in GB; links are not followed."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if not p.is_dir()) / 1e9


def fetch_models() -> int:
    """Brings the model files of the default preset into the cache; returns the exit status."""
    return run(python("-m", "omnihuman", "models", "fetch", "--embedded"))


# --- targets


def target_help() -> int:
    """Prints this list."""
    say("make <target> [NAME=value ...]   or, without make:   python -m house <target> [NAME=value ...]\n")
    for name, action in TARGETS.items():
        say(f"  {name:<9}{(action.__doc__ or '').splitlines()[0]}")
    say("\nOptions")
    for name, meaning in OPTIONS.items():
        say(f"  {name:<11}{meaning}")
    return 0


def target_install() -> int:
    """Creates .venv with what the product needs at run time."""
    install()
    return 0


def target_demo() -> int:
    """Installs, fetches the embedded models and renders outputs/demo.mp4 (PICTURE, SAY or AUDIO: your own)."""
    install()
    if status := fetch_models():
        return status
    out = Path(option("OUT", "outputs/demo.mp4")).resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    voice = ["--audio", str(Path(option("AUDIO")).resolve())] if option("AUDIO") else []
    if option("SAY") or not voice:
        voice += ["--say", option("SAY", DEMO_TEXT)]
    picture = Path(option("PICTURE")).resolve() if option("PICTURE") else ROOT / DEMO_PICTURE
    if status := run(python("-m", "omnihuman", "animate", "--image", picture, *voice, "--out", out, "--seed", "7")):
        return status
    activate = venv_python().with_name("activate")
    say(f"\nYour video: {out}")
    say(f"Environment: {venv_dir()}, {size_gb(venv_dir()):.2f} GB in all")
    say('Your own picture: make demo PICTURE=face.jpg SAY="Any sentence."   (or AUDIO=speech.wav)')
    say(f"All options: {'' if os.name == 'nt' else 'source '}{activate}, then python -m omnihuman animate --help")
    return 0


def checks() -> dict[str, list[str]]:
    """The steps of `lint`, by name."""
    return {
        "ruff": python("-m", "ruff", "check", "."),
        "format": python("-m", "ruff", "format", "--check", "."),
        "types": python("-m", "mypy"),
        "layers": [str(venv_python().with_name("lint-imports")), "--no-logo", "--no-cache"],
    }


def perform(steps: dict[str, list[str]]) -> int:
    """Runs every step, also after a failure; prints a summary with CPU time; returns 1 when one failed."""
    rows = []
    for name, command in steps.items():
        say(f"\n--- {name}")
        start_s, cpu_start_s = time.monotonic(), children_cpu_s()
        status = run(command)
        rows.append((name, status, time.monotonic() - start_s, children_cpu_s() - cpu_start_s))
    say("\n--- summary")
    for name, status, wall_s, cpu_s in rows:
        say(f"{name:<8} {'ok' if status == 0 else 'FAILED':<7} {wall_s:6.1f} s, {cpu_s:6.1f} CPU-s")
    return int(any(status for _, status, _, _ in rows))


def children_cpu_s() -> float:
    """CPU seconds of all finished child processes; 0 where the system does not count them (Windows)."""
    spent = os.times()
    return spent.children_user + spent.children_system


def target_test() -> int:
    """All checks and all tests (what CI runs): ruff, types, layers, pytest."""
    install("dev")
    if fetch_models():
        say("The embedded models could not be fetched: tests that need them will be skipped by name.")
    return perform({**checks(), "tests": python("-m", "pytest", "-q")})


def target_quick() -> int:
    """Seconds: ruff, layers, and the tests that need no torch and were not slow in the last full run."""
    install("dev")
    steps = {name: checks()[name] for name in ("ruff", "layers")}
    return perform({**steps, "tests": python("-m", "pytest", "-q", "--quick", "tests/meta", "tests/unit")})


def target_lint() -> int:
    """The checks without the tests: ruff, format, types, layers."""
    install("dev")
    return perform(checks())


def target_format() -> int:
    """Formats the code and mends what ruff can mend."""
    install("dev")
    return run(python("-m", "ruff", "check", "--fix", ".")) or run(python("-m", "ruff", "format", "."))


def target_train() -> int:
    """Trains the motion transformer (CONFIG: another configuration)."""
    install("train")
    config = option("CONFIG", "configs/training/motion.yaml")
    return fetch_models() or run(python("-m", "omnihuman", "train", config))


def target_bench() -> int:
    """Measures speed and memory against the bars (OUT: also write the result as JSON)."""
    install()
    out: list[str | Path] = ["--out", Path(option("OUT")).resolve()] if option("OUT") else []
    return fetch_models() or run(python("-m", "omnihuman", "bench", *out))


def target_clean() -> int:
    """Removes .venv and caches of tools; outputs, runs and fetched models stay."""
    doomed = [p for n in ("build", ".mypy_cache", ".ruff_cache", ".pytest_cache") if (p := ROOT / n).exists()]
    doomed += [*ROOT.glob("*.egg-info"), *ROOT.glob(".import_linter_cache"), *ROOT.glob(".hypothesis")]
    doomed += [p for top in ("omnihuman", "tests", "examples") for p in (ROOT / top).rglob("__pycache__")]
    if (venv_dir() / STAMP).is_file():
        doomed.append(venv_dir())
    for path in doomed:
        say(f"removing {path}")
        shutil.rmtree(path)
    return 0


TARGETS: dict[str, Callable[[], int]] = {
    "help": target_help,
    "install": target_install,
    "demo": target_demo,
    "test": target_test,
    "quick": target_quick,
    "lint": target_lint,
    "format": target_format,
    "train": target_train,
    "bench": target_bench,
    "clean": target_clean,
}


def main(arguments: list[str]) -> int:
    """Does one target after another; returns the first bad exit status."""
    names = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if equals and key in OPTIONS:
            os.environ[key] = value
        elif argument in TARGETS:
            names.append(argument)
        else:
            say(f"error: '{argument}' is neither a target nor one of the options below.\n")
            target_help()
            return 2
    try:
        return next((status for name in names or ["help"] if (status := TARGETS[name]())), 0)
    except HouseError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
