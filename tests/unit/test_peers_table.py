"""No method is forgotten where speed is compared."""

from __future__ import annotations

from nbxplain.methods import REGISTRY
from tests.benchmarks.networks import NETWORKS
from tests.benchmarks.peers import CASES, ELSEWHERE


def test_every_method_has_a_row() -> None:
    compared = {case.method for case in CASES}
    assert compared | ELSEWHERE.keys() == REGISTRY.keys()
    assert not compared & ELSEWHERE.keys()


def test_every_row_has_a_peer_and_a_table() -> None:
    alone = [
        case.method for case in CASES if not case.peers or not set(case.networks) <= {*NETWORKS}
    ]
    assert not alone
