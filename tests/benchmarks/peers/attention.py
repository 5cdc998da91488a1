"""Rows of attention: ours reads it from fused kernels, the loops from a model told to be slow."""

from __future__ import annotations

from tests.benchmarks import loops
from tests.benchmarks.networks import small_vit, vit
from tests.benchmarks.peers.case import TARGET, Case, Peer


def loop(method: str, backward: bool, peer: Peer) -> Case:
    return Case(method, 1, backward, {"loop": peer}, networks={"ViT-S/16": vit})


CASES = [
    loop("attention_raw", False, loops.attention_raw),
    loop("attention_rollout", False, loops.attention_rollout),
    loop("attention_gradient", True, lambda m, x: loops.attention_gradient(m, x, TARGET)),
    Case(
        "attention_flow", 1, False, {"networkx": loops.attention_flow},
        note="4 layers, 17 tokens", networks={"ViT-S/16": small_vit},
    ),
]  # fmt: skip
