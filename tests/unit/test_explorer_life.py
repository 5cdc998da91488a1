"""What an Explorer costs: notebook size, threads, memory, and the user's own model meanwhile."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
import torch
from PIL import Image
from torch import nn

from nbxplain import Explorer, demo
from tests.models import cnn, picture
from tests.snapshot import snapshot
from tests.unit.page import until

LONG = {"steps": 1024}


@pytest.fixture
def explorer(network: nn.Module, cat: Image.Image) -> Iterator[Explorer]:
    explorer = Explorer(network, cat, labels=demo.labels())
    yield explorer
    explorer.close()


def stop_midway(explorer: Explorer) -> None:
    """Stops the computation that was asked for last, after its first step."""
    until(
        lambda: explorer._job["id"] == explorer._jobs and explorer._job["done"] > 0,
        "the computation does not begin",
    )
    assert explorer._job["state"] == "running", "the computation was over too soon"
    explorer.stop()


def fill(explorer: Explorer) -> None:
    """More results than the history keeps, of the kind that is largest."""
    explorer.method = "gradient"
    for target in range(15):
        explorer.target = target
        explorer.wait()


def test_a_full_history_stays_below_a_megabyte(explorer: Explorer) -> None:
    fill(explorer)
    assert len(explorer._history) >= 3
    assert len(explorer._encode("html")) < 1_000_000


def test_the_bundle_for_other_hosts_is_cheap(explorer: Explorer) -> None:
    explorer.wait()
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/png"].startswith(b"\x89PNG")
    assert "Grad-CAM" in data["text/html"]
    assert len(data["image/png"]) < 100_000
    again, _ = explorer._repr_mimebundle_()
    assert again["image/png"] is data["image/png"], "the picture is drawn again at each display"


def test_changed_weights_make_the_result_stale() -> None:
    model = cnn()
    explorer = Explorer(model, picture())
    explorer.wait()
    explorer._check_weights()
    assert explorer._stale is False
    with torch.no_grad():
        model.head.weight.mul_(2)
    explorer._check_weights()
    assert explorer._stale is True
    before = explorer.result
    explorer.run()
    assert explorer.wait() is not before
    assert explorer._stale is False
    explorer.close()


def test_the_users_model_is_untouched_meanwhile(network: nn.Module, explorer: Explorer) -> None:
    explorer.wait()
    x = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(x)
    before = snapshot(network)
    explorer.method = "integrated_gradients"
    explorer.params = LONG
    with torch.no_grad():
        for _ in range(5):
            assert torch.equal(network(x), expected)
    assert explorer.status in ("queued", "running"), "the computation was over too soon"
    assert snapshot(network) == before
    loss = network(x).sum()
    loss.backward()
    grads = [p.grad for p in network.parameters()]
    explorer.stop()
    explorer.wait()
    assert all(p.grad is g for p, g in zip(network.parameters(), grads, strict=True))
    network.zero_grad(set_to_none=True)


def test_stop_and_resume_end_in_the_same_bits(explorer: Explorer) -> None:
    explorer.method, explorer.params = "integrated_gradients", {"steps": 16}
    whole = explorer.wait().values
    explorer.run()
    stop_midway(explorer)
    partial = explorer.wait()
    assert explorer.status == "cancelled"
    assert not partial.complete
    assert explorer._job["resumable"]
    explorer.resume()
    assert explorer.wait().complete
    assert torch.equal(explorer.result.values, whole)


def test_after_a_stop_something_else_can_be_asked(explorer: Explorer) -> None:
    explorer.wait()
    explorer.method, explorer.params = "integrated_gradients", LONG
    stop_midway(explorer)
    explorer.wait()
    explorer.method = "gradient"
    assert explorer.wait().method.name == "gradient"
    assert not explorer._job["resumable"]


def test_a_flood_from_python_ends_with_the_last_value() -> None:
    explorer = Explorer(cnn(), picture(), method="integrated_gradients")
    for sigma in range(6, 201):
        explorer.baseline = {"kind": "blur", "sigma": sigma / 10}
    assert explorer.wait().method.baseline.sigma == 20
    explorer.close()


def test_a_closed_explorer_holds_nothing() -> None:
    explorer = Explorer(cnn(), picture(), method="integrated_gradients")
    explorer.params = LONG
    thread = explorer._worker._thread
    explorer.close()
    thread.join(20)
    assert not thread.is_alive()
    assert explorer.result is None
    gone = weakref.ref(explorer)
    del explorer
    gc.collect()
    assert gone() is None, "something keeps a closed Explorer alive"


def tensor_bytes() -> int:
    """What all tensors alive hold."""
    gc.collect()
    alive = [each for each in gc.get_objects() if isinstance(each, torch.Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in alive)


def test_twenty_reruns_cost_what_one_costs(network: nn.Module, cat: Image.Image) -> None:
    def rerun() -> weakref.ref[Explorer]:
        explorer = Explorer(network, cat)
        explorer.wait()
        explorer.close()
        explorer._worker._thread.join(20)
        explorer._desk._thread.shutdown()
        return weakref.ref(explorer)

    rerun()
    threads, held = threading.active_count(), tensor_bytes()
    ended = [rerun() for _ in range(20)]
    assert threading.active_count() <= threads
    assert tensor_bytes() <= held
    assert [each for each in ended if each() is not None] == []
