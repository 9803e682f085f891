"""The same texts on another engine give the same clusters: on Ray and on Spark, each with two workers on this machine."""

import pickle
import random
import sys
from collections import Counter
from importlib.util import find_spec

import pytest

from advisor.data.duplicates import engines, near_duplicates
from advisor.errors import AdvisorError

SKIPPED = "{0} is not installed: equality on {0} is not tested here"


@pytest.fixture(scope="module")
def texts():
    generator = random.Random(5)
    words = [
        f"{start}{end}" for start in ("ba", "ko", "li", "mu", "ne", "ra") for end in ("nar", "lek", "mos", "tin", "dup", "vor")
    ]
    rows = [" ".join(generator.choice(words) for _ in range(70)) for _ in range(400)]
    rows += [f"{row.replace('banar', 'other')} 首先要检查水泵" for row in rows[::7]]
    rows += [f"Kit {n} holds {7 * n} valves and nothing else at all" for n in range(40)]
    return [*rows, "", "\0", "half a pair \ud83d", "x" * 200_000, rows[0]]


@pytest.fixture(scope="module")
def expected(texts):
    found = near_duplicates(texts)
    assert {cluster.kind for cluster in found.clusters} == {"near", "template"}
    return found


@pytest.fixture
def small_batches(monkeypatch):
    """Let both workers have something to do."""
    monkeypatch.setattr("advisor.data.duplicates.BATCH_TEXTS", 64)
    monkeypatch.setattr(sys.modules["advisor.data.duplicates.search"], "COMPARED", 32)


@pytest.mark.usefixtures("small_batches")
def test_the_size_of_the_batches_changes_nothing(texts, expected):
    assert near_duplicates(iter(texts)) == expected


@pytest.mark.usefixtures("small_batches")
def test_an_engine_sketches_the_texts_and_compares_the_pairs_and_gets_nothing_that_cannot_be_sent(texts, expected, monkeypatch):
    done = []

    def sends(function, items):
        for item in items:
            done.append(getattr(function, "func", function).__name__)
            there, what = pickle.loads(pickle.dumps((function, item)))
            yield pickle.loads(pickle.dumps(there(what)))

    monkeypatch.setitem(engines.ENGINES, "ray", sends)
    assert near_duplicates(iter(texts), engine="ray") == expected
    assert Counter(done).keys() == {"sketch", "judged"}
    assert min(Counter(done).values()) >= 3


@pytest.mark.skipif(find_spec("ray") is None, reason=SKIPPED.format("ray"))
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("small_batches")
def test_two_ray_nodes_return_the_same_clusters(texts, expected):
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    try:
        ray.init(address=cluster.address, log_to_driver=False)
        assert len([node for node in ray.nodes() if node["Alive"]]) == 2
        assert near_duplicates(iter(texts), engine="ray") == expected
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.skipif(find_spec("pyspark") is None, reason=SKIPPED.format("pyspark"))
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("small_batches")
def test_two_spark_workers_return_the_same_clusters(texts, expected, monkeypatch):
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    monkeypatch.setattr(engines, "SPARK_ITEMS", 4)
    session = SparkSession.builder.master("local-cluster[2,1,1024]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        assert near_duplicates(iter(texts), engine="spark") == expected
    finally:
        session.stop()


@pytest.mark.parametrize("engine", ["ray", "spark"])
def test_an_engine_that_is_not_installed_names_its_extra(engine, monkeypatch):
    monkeypatch.setitem(sys.modules, {"ray": "ray", "spark": "pyspark.sql"}[engine], None)
    with pytest.raises(AdvisorError, match=r"pip install 'finetune-advisor\[cluster\]'"):
        near_duplicates(["a text"], engine=engine)
