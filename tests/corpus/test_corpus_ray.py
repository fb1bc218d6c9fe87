"""On a Ray cluster the results are those of one machine, also when a machine is lost in the middle."""

from __future__ import annotations

import os
import warnings

import pytest

from unmuffle import Enhancer
from unmuffle.corpus import RunOptions, run, verify
from unmuffle.errors import InvalidParameterError

ray = pytest.importorskip("ray")
RATE, CLIPS = 16_000, 30

pytestmark = [
    pytest.mark.xdist_group("ray"),
    # Ray leaves files and sockets of its own to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def two_nodes():
    """A cluster of two machines, which are processes here; the first is the head."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.second = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, noisy_speech, write_file):
    folder = tmp_path_factory.mktemp("corpus")
    for seed in range(CLIPS):
        write_file(folder / f"{seed:02d}.wav", noisy_speech(RATE, seconds=2.0, seed=seed), RATE)
    (folder / "text.wav").write_text("no sound")
    return folder


def results(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.wav")}


def test_a_machine_is_lost_in_the_middle_and_nothing_with_it(two_nodes, corpus, tmp_path):
    settings = {"enhancer": Enhancer("wiener"), "measures": ()}
    run(corpus, tmp_path / "alone", **settings, options=RunOptions(workers=1))
    told = []

    def lose_one(clip, *_):
        told.append(clip.key)
        if len(told) == 3:
            two_nodes.remove_node(two_nodes.second, allow_graceful=False)

    options = RunOptions(engine="ray", address=two_nodes.address)
    report = run(corpus, tmp_path / "cluster", **settings, options=options, told=lose_one)
    assert (report.done, report.failures, report.left) == (CLIPS, {"unreadable": 1}, 0)
    assert len(told) == len(set(told)) == CLIPS + 1
    assert results(tmp_path / "cluster") == results(tmp_path / "alone")
    assert not list(verify(tmp_path / "cluster"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "ray", "workers": 2}, "workers are processes of this machine"),
        ({"engine": "slurm"}, "must be 'processes' or 'ray'"),
        ({"address": "auto"}, "which is for the engine 'ray'"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_options_that_contradict_each_other_are_told(corpus, tmp_path, options, message):
    with pytest.raises(InvalidParameterError, match=message):
        run(corpus, tmp_path / "out", options=RunOptions(**options))
