"""Every child that a test of this folder starts is gone, reaped and its pipes are closed when the test ends."""

import subprocess

import pytest

from omnihuman.media import sandbox


@pytest.fixture(autouse=True)
def children(monkeypatch):
    """The children that were started so far, newest last."""
    started = []

    class Recorded(subprocess.Popen):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            if arguments[0][-1:] == list(sandbox.CHILD[-1:]):
                started.append(self)

    monkeypatch.setattr(sandbox.subprocess, "Popen", Recorded)
    yield started
    assert all(map(is_gone, started))


def is_gone(child) -> bool:
    return child.returncode is not None and child.stdin.closed and child.stdout.closed
