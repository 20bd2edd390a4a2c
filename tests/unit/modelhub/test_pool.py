"""The pool: order of eviction, pins, one budget, offload, retry after running out of memory, threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from omnihuman.errors import ResourceError
from omnihuman.modelhub.pool import ModelPool, is_out_of_memory

MB = 100


class Movable:
    """Stands for a network: remembers where it was moved."""

    def __init__(self, device: str) -> None:
        self.places = [device]

    def to(self, device: str) -> Movable:
        self.places.append(device)
        return self


def pool_of(cpu_mb: int = 10 * MB, card_mb: int = 2 * MB) -> ModelPool:
    return ModelPool(lambda device: cpu_mb if device == "cpu" else card_mb)


def borrow(
    pool: ModelPool, key: str, device: str = "cpu", load: Callable[[], Any] = object, memory_mb: int = MB
) -> Any:
    with pool.lease(key, device, memory_mb, load) as model:
        return model


def keys(pool: ModelPool) -> list[str]:
    return [key for key, _device in pool.loaded()]


def test_the_least_recently_used_is_evicted() -> None:
    pool = pool_of(cpu_mb=2 * MB)
    first = borrow(pool, "a")
    borrow(pool, "b")
    assert borrow(pool, "a") is first
    borrow(pool, "c")
    assert keys(pool) == ["a", "c"]
    assert pool.used_mb("cpu") == 2 * MB


def test_a_pinned_model_is_never_evicted() -> None:
    pool = pool_of(cpu_mb=2 * MB)
    with pool.lease("a", "cpu", MB, object):
        borrow(pool, "b")
        borrow(pool, "c")
        assert keys(pool) == ["a", "c"]
        pool.evict_unpinned()
        assert keys(pool) == ["a"]


def test_what_cannot_fit_beside_pinned_models_is_refused_and_forgotten() -> None:
    pool = pool_of(cpu_mb=2 * MB)
    with pool.lease("a", "cpu", MB, object), pool.lease("b", "cpu", MB, object):
        with pytest.raises(ResourceError, match="memory_budget") as caught, pool.lease("c", "cpu", MB, object):
            pytest.fail("lent beyond the budget")
        assert "OMNIHUMAN_MEMORY_MB" in caught.value.way_out
    assert keys(pool) == ["a", "b"]
    borrow(pool, "c")
    assert keys(pool) == ["b", "c"]


def test_nested_leases_of_one_model_count_pins() -> None:
    pool = pool_of(cpu_mb=MB)
    with pool.lease("a", "cpu", MB, object) as outer:
        with pool.lease("a", "cpu", MB, object) as inner:
            assert inner is outer
        pool.evict_unpinned()
        assert keys(pool) == ["a"]


def test_a_failing_block_releases_its_pin() -> None:
    pool = pool_of()
    with pytest.raises(ZeroDivisionError), pool.lease("a", "cpu", MB, object):
        raise ZeroDivisionError
    pool.evict_unpinned()
    assert keys(pool) == []


def test_a_failing_load_reserves_nothing() -> None:
    pool = pool_of(cpu_mb=MB)

    def fail() -> None:
        raise KeyError("bad file")

    with pytest.raises(KeyError):
        borrow(pool, "a", load=fail)
    assert pool.used_mb("cpu") == 0
    assert borrow(pool, "a", load=lambda: "fine") == "fine"


def test_a_card_model_steps_aside_to_the_cpu_and_comes_back() -> None:
    pool = pool_of(card_mb=MB)
    video = borrow(pool, "video", "cuda", lambda: Movable("cuda"))
    borrow(pool, "planner", "cuda", lambda: Movable("cuda"))
    assert pool.loaded() == [("video", "cpu"), ("planner", "cuda")]
    again = borrow(pool, "video", "cuda", lambda: pytest.fail("loaded again"))
    assert again is video
    assert video.places == ["cuda", "cpu", "cuda"]
    assert pool.loaded() == [("planner", "cpu"), ("video", "cuda")]


def test_without_to_or_room_on_the_cpu_it_is_dropped() -> None:
    pool = pool_of(card_mb=MB)
    borrow(pool, "fixed", "cuda")
    borrow(pool, "video", "cuda", lambda: Movable("cuda"))
    assert keys(pool) == ["video"]
    tight = pool_of(cpu_mb=MB // 2, card_mb=MB)
    borrow(tight, "video", "cuda", lambda: Movable("cuda"))
    borrow(tight, "planner", "cuda", lambda: Movable("cuda"))
    assert keys(tight) == ["planner"]


def test_running_out_of_memory_evicts_the_idle_and_tries_once_more() -> None:
    pool = pool_of()
    borrow(pool, "idle")
    seen: list[list[str]] = []

    def load() -> str:
        seen.append([key for key in keys(pool) if key != "big"])
        if len(seen) == 1:
            raise MemoryError
        return "big"

    with pool.lease("busy", "cpu", MB, object):
        assert borrow(pool, "big", load=load) == "big"
    assert seen == [["idle", "busy"], ["busy"]]


def test_the_second_failure_is_a_coded_error() -> None:
    pool, tries = pool_of(), []

    def load() -> None:
        tries.append(1)
        raise MemoryError

    with pytest.raises(ResourceError, match="out_of_memory"):
        borrow(pool, "big", load=load)
    assert len(tries) == 2
    assert keys(pool) == []


def test_work_inside_a_lease_gets_the_same_second_try() -> None:
    pool, tries = pool_of(), []
    borrow(pool, "idle")

    def work() -> int:
        tries.append(keys(pool))
        if len(tries) == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")
        return 7

    with pool.lease("busy", "cpu", MB, object):
        assert pool.attempt(work) == 7
    assert tries == [["idle", "busy"], ["busy"]]


def test_other_errors_are_not_tried_again() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        pool_of().attempt(work)
    assert len(tries) == 1


def test_torchs_own_error_counts_as_out_of_memory() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(ValueError("can't allocate memory"))


def test_many_threads_load_each_model_once_and_stay_in_the_budget() -> None:
    pool = pool_of(cpu_mb=4 * MB)
    loads: list[str] = []
    highest: list[int] = []
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def load(key: str) -> str:
        loads.append(key)
        return key

    def work(number: int) -> None:
        try:
            start.wait()
            for turn in range(200):
                key = f"model-{(number + turn) % 4}"
                with pool.lease(key, "cpu", MB, lambda key=key: load(key)) as model:
                    assert model == key
                    highest.append(pool.used_mb("cpu"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sorted(loads) == [f"model-{number}" for number in range(4)]
    assert max(highest) <= 4 * MB


def test_waiting_for_one_load_does_not_block_the_others() -> None:
    pool, loading, release = pool_of(), threading.Event(), threading.Event()

    def slow() -> str:
        loading.set()
        assert release.wait(10)
        return "slow"

    thread = threading.Thread(target=borrow, args=(pool, "slow", "cpu", slow))
    thread.start()
    assert loading.wait(10)
    assert borrow(pool, "fast", load=lambda: "fast") == "fast"
    release.set()
    thread.join()
    assert keys(pool) == ["slow", "fast"]


def test_closing_calls_for_closed_leases() -> None:
    pool = pool_of()
    with pool.lease("a", "cpu", MB, object), pytest.raises(AssertionError):
        pool.close()
    pool.close()
    assert keys(pool) == []
