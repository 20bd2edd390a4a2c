"""What every test lives with: no network, no downloads, and model files only from the cache.

A test that needs a model asks for `model_handle` and is skipped by the model's name when its files were not fetched.
"""

import os
import socket

import pytest

from tests.meta.source_tree import reaches

# Before anything loads torch: on tiny tensors a second thread only waits, and on a busy machine it waits for ages.
os.environ.setdefault("OMP_NUM_THREADS", "1")

SLOW_TESTS, SLOW_S, MANY_REPORTS = "house/slow", 0.25, 1000
LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", None, ""}


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="leave out slow tests and files that reach torch")


def pytest_ignore_collect(collection_path, config):
    if config.getoption("--quick") and collection_path.name.startswith("test_"):
        return reaches(collection_path, "torch") or None
    return None


def pytest_collection_modifyitems(items, config):
    if config.getoption("--quick"):
        remembered = set(config.cache.get(SLOW_TESTS, []))
        slow = {item for item in items if item.get_closest_marker("slow") or item.nodeid in remembered}
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)


def pytest_terminal_summary(terminalreporter, config):
    """A run of everything remembers which tests were slow on this machine; `--quick` leaves them out."""
    reports = [r for kind in ("passed", "", "failed") for r in terminalreporter.stats.get(kind, [])]
    if not config.getoption("--quick") and len(reports) > MANY_REPORTS:
        config.cache.set(SLOW_TESTS, sorted({r.nodeid for r in reports if r.duration > SLOW_S}))


@pytest.fixture(autouse=True, scope="session")
def no_network():
    """A connection to anything but this machine is a failure of the test that tries it."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self, address):
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in LOOPBACK:
            raise RuntimeError(f"a test tried to reach {address[0]}: tests use no network")
        return connect(self, address)

    def guarded_resolve(host, *rest, **named):
        if host not in LOOPBACK:
            raise RuntimeError(f"a test tried to look up {host}: tests use no network")
        return resolve(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch):
    """Child processes cannot be guarded, so the hub itself is told to stay offline; a test of fetching undoes it."""
    monkeypatch.setenv("OMNIHUMAN_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def hub():
    """The shipped registry on the CPU, with the person's own cache of models."""
    from omnihuman.modelhub.hub import ModelHub

    with ModelHub.open() as opened:
        yield opened


@pytest.fixture
def model_handle(hub):
    """`model_handle("face-mesh")`: the handle that the pipeline would pass on, or a skip that names the model."""
    from omnihuman.modelhub.integrity import FileState

    def handle(model_id):
        entry = hub.registry[model_id]
        if any(report.state is not FileState.OK for report in hub.examine(entry)):
            pytest.skip(f"model '{model_id}' is not in the cache: python -m omnihuman models fetch {model_id}")
        return hub.handle(model_id)

    return handle
