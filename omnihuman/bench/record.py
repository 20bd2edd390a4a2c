"""The result as rows with bars, as a table and as JSON; and the comparison of two results. Measures nothing."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from omnihuman.config import ROOT, VERSION
from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME, unwritable

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """One number.

    Attributes:
        name: What was measured; the key of a comparison.
        value: The number.
        unit: Its unit; "x" for a ratio.
        bar: The largest value that is good, or None where there is no bar.
        detail: What went into it.
        more_is_better: The bar is the smallest value that is good instead.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    detail: str = ""
    more_is_better: bool = False

    @property
    def verdict(self) -> str:
        """Whether the bar is held: ok, MISSED, or nothing without one."""
        if self.bar is None:
            return ""
        held = self.value >= self.bar if self.more_is_better else self.value <= self.bar
        return "ok" if held else "MISSED"


def as_record(rows: Sequence[Row], versions: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-ready: the rows, and what a reader needs to judge them."""
    return {
        "schema": SCHEMA,
        "engine": {"name": "omnihuman", "version": VERSION},
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpu": cpu_model(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": dict(versions),
        "settings": dict(settings),
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }


def table(record: Mapping[str, Any], earlier: Mapping[str, Any] | None = None) -> list[str]:
    """Lines for people; with an earlier record also the change of each value in per cent."""
    before = {} if earlier is None else {row["name"]: row["value"] for row in earlier["rows"]}
    lines = [f"{record['cpu']}, {record['system']}, commit {record['commit'] or 'unknown'}, {record['date']}"]
    if earlier is not None:
        lines.append(f"against {earlier['cpu']}, commit {earlier['commit'] or 'unknown'}, {earlier['date']}")
    width = max(len(row["name"]) for row in record["rows"])
    for row in record["rows"]:
        sign = ">=" if row.get("more_is_better") else "<="
        bar = "" if row["bar"] is None else f"{sign} {row['bar']:g}"
        change = _change(row["value"], before.get(row["name"])) if earlier is not None else ""
        number = f"{row['value']:10.3g}" if row["value"] < 1000 else f"{row['value']:10.0f}"
        cells = f"{row['name']:<{width}} {number} {row['unit']:<11} {bar:<8} {row['verdict']:<7}{change}"
        lines.append(f"{cells} {row['detail']}".rstrip())
    return lines


def _change(value: float, before: float | None) -> str:
    if not before:
        return f"{'new':>8}"
    return f"{100 * (value / before - 1):+7.0f}%"


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Writes the JSON; raises ResourceError output_unwritable or disk_full."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise unwritable(path, error) from None


def read_record(path: Path) -> dict[str, Any]:
    """An earlier result; raises InputError benchmark_unreadable."""
    name = path.name[:LONGEST_NAME]
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = {row["name"]: float(row["value"]) for row in record["rows"]}
    except (OSError, ValueError, OverflowError, RecursionError, KeyError, TypeError):
        rows, record = {}, {}
    if not rows or record.get("schema") != SCHEMA or not {"cpu", "commit", "date"} <= record.keys():
        cause = f"{name!r} is no result of this benchmark"
        raise InputError("benchmark_unreadable", cause, "Give a file that `bench --out` wrote.")
    return dict(record)


def cpu_model() -> str:
    """Name of the processor as the system calls it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown processor"


def commit() -> str | None:
    """Short name of the commit of the checkout, None outside of one."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
