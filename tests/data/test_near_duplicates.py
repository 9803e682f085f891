"""Near-duplicates: what is found, what is not, and that nothing but the texts decides."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.data.duplicates import fast, near_duplicates
from advisor.data.duplicates.candidates import BUCKET_PAIRS, bucket_pairs
from advisor.data.duplicates.kernel import Sketches, sketch
from advisor.data.duplicates.verify import DIFFERENT, NEAR, TEMPLATE, Pairs, judged
from advisor.errors import AdvisorError

GENERATOR = Path(__file__).parents[3] / "shared" / "research" / "planted_dataset.py"
FORMATS = ("alpaca", "messages", "sharegpt", "pangu", "pangu_multi")
STARTS, ENDS = "ba ko li mu ne ra si to", "nar lek mos tin dup vor gal sep fic"
WORDS = [start + end for start in STARTS.split() for end in ENDS.split()]


def passage(seed, words=80):
    generator = random.Random(seed)
    return " ".join(generator.choice(WORDS) for _ in range(words)) + "."


def edited(text, seed, rate=0.1):
    generator, words = random.Random(seed), text.split(" ")
    for place in generator.sample(range(len(words)), round(rate * len(words))):
        words[place] = generator.choice(WORDS)
    return " ".join(words)


def rows_of(found, kind="near"):
    return [cluster.rows for cluster in found.clusters if cluster.kind == kind]


def test_an_edited_copy_is_found_and_other_texts_are_not():
    texts = [passage(0), passage(1), edited(passage(0), 9), passage(2)]
    found = near_duplicates(texts)
    assert rows_of(found) == [(0, 2)]
    assert 0.7 <= min(found.clusters[0].similarity) < 1.0
    assert not found.sampled


def test_chinese_is_compared_by_the_character():
    text = "首先要检查备用的水泵，因为维修班组随后需要更换过滤器。在工业园区，热泵系统通常需要三天，并且依赖可靠的传感器。"
    other = "最后请整理会议纪要，并把公开的合同交给财务部门。很多团队忘记备份档案，结果图书馆的目录变得不可靠，只好重新登记。"
    assert rows_of(near_duplicates([text, other, text.replace("水泵", "阀门").replace("三天", "五日")])) == [(0, 2)]


def test_thai_without_gaps_between_words_is_compared():
    text = "การตรวจสอบเครื่องสูบน้ำควรทำทุกสัปดาห์เพราะทีมซ่อมบำรุงต้องเปลี่ยนตัวกรองก่อนที่ระบบจะเริ่มทำงานอีกครั้ง"
    assert rows_of(near_duplicates([text, text.replace("สัปดาห์", "เดือน")])) == [(0, 1)]


def test_texts_that_are_the_same_count_as_one():
    found = near_duplicates([passage(0)] * 3000 + [edited(passage(0), 1)] + [passage(0)] * 3000)
    assert rows_of(found) == [(0, 3000)]
    assert found.pairs == 1
    assert near_duplicates([passage(0)] * 10).clusters == ()


def test_case_accents_and_spacing_do_not_matter():
    text = passage(0)
    found = near_duplicates([f"{text} Déjà vu", f"{text.upper()}\n\n  deja vu!", f"{text} De\u0301ja\u0300 vu"])
    assert rows_of(found) == [(0, 1, 2)]
    assert found.clusters[0].similarity == (1.0, 1.0, 1.0)


def test_a_template_with_other_numbers_is_kept_apart():
    sums = [
        f"What is {n} times {m}? Answer with the number and one sentence. {n} times {m} is {n * m}."
        for n in (3, 14)
        for m in (7, 92)
    ]
    found = near_duplicates([*sums, passage(0), edited(passage(0), 3)])
    assert rows_of(found, "template") == [(0, 1, 2, 3)]
    assert rows_of(found) == [(4, 5)]


def test_a_numbered_report_with_other_figures_is_a_template_and_no_duplicate():
    text = passage(0).replace("banar", "17").replace("konar", "2019")
    found = near_duplicates([text, text.replace("17", "23").replace("2019", "2024").replace("linar", "other")])
    assert rows_of(found) == []
    assert rows_of(found, "template") == [(0, 1)]


def test_numbers_alone_are_no_template():
    assert near_duplicates(["42", "17", "3.5", "1, 2, 3"]).clusters == ()


def test_signs_are_words():
    assert rows_of(near_duplicates(["What is nine + three?", "What is nine / three?"])) == []


def test_a_shared_system_prompt_does_not_make_duplicates():
    prompt = passage(0, 300)
    assert rows_of(near_duplicates([f"{prompt} {passage(seed, 60)}" for seed in range(1, 6)])) == []


def test_a_copy_cut_off_is_a_duplicate_and_the_whole_one_is_kept():
    text = passage(0, 100)
    found = near_duplicates([text[:-150], text])
    assert (rows_of(found), found.clusters[0].keep) == ([(0, 1)], 1)


def test_of_two_whole_texts_the_longer_is_kept_and_a_longer_one_cut_off_is_not():
    text = passage(0)
    assert near_duplicates([text, f"{text} {WORDS[0]}."]).clusters[0].keep == 1
    assert near_duplicates([text, f"{text} {WORDS[0]} and"]).clusters[0].keep == 0


def test_short_texts_that_differ_in_one_word_are_different():
    assert (
        rows_of(near_duplicates([f"Translate the word {word} into French, please." for word in ("cat", "dog", "horse", "bread")]))
        == []
    )


def test_every_row_is_like_the_one_that_is_kept():
    chain = [passage(0, 120)]
    for step in range(8):
        chain.append(edited(chain[-1], step, 0.1))
    found = near_duplicates(chain)
    assert found.clusters
    assert all(min(cluster.similarity) >= 0.7 for cluster in found.clusters)
    assert len({row for rows in rows_of(found) for row in rows}) == sum(map(len, rows_of(found)))


def test_copies_of_a_copy_are_one_cluster_where_all_are_like_the_kept_one():
    text = passage(0, 120)
    copy = edited(text, 1, 0.05)
    assert rows_of(near_duplicates([text, copy, edited(copy, 2, 0.05), edited(copy, 3, 0.05)])) == [(0, 1, 2, 3)]


@pytest.mark.parametrize(
    "texts", [[], [""], ["", "", " "], ["a"], ["a", "b", "a", "A"], ["。", "!"], ["\0", "\0\0"], ["\ud800", "\ud800x"]]
)
def test_texts_with_next_to_nothing_in_them_are_no_trouble(texts):
    assert all(set(cluster.rows) <= set(range(len(texts))) for cluster in near_duplicates(texts).clusters)


def test_a_text_of_a_megabyte_is_compared():
    text = passage(0, 150_000)
    assert len(text) > 800_000
    assert rows_of(near_duplicates([passage(1), text, edited(text, 2, 0.05)])) == [(1, 2)]


def test_a_nul_in_a_text_does_not_shift_the_rows():
    texts = [passage(0).replace(" ", "\0", 3), "\0", passage(1), edited(passage(1), 4)]
    assert rows_of(near_duplicates(texts)) == [(2, 3)]


def test_many_texts_in_one_bucket_cost_no_square():
    keys = np.zeros(20_000, dtype=np.uint64)
    pairs = sum(len(first) for first, _ in bucket_pairs(keys, np.arange(20_000, dtype=np.uint64)))
    assert pairs < 3 * 20_000
    small = {pair for one, other in bucket_pairs(keys[:40], keys[:40]) for pair in zip(one.tolist(), other.tolist(), strict=True)}
    assert len(small) == 40 * 39 // 2
    assert BUCKET_PAIRS // 40 >= 39


def test_texts_made_of_the_same_word_pairs_are_one_cluster_at_linear_cost():
    texts = ["lorem ipsum dolor " * (20 + n) for n in range(500)]
    found = near_duplicates(texts)
    assert rows_of(found) == [tuple(range(500))]
    assert found.pairs < 500 * 100


def test_a_generator_is_read_once_and_to_its_end():
    taken = []

    def texts():
        for row in range(30_000):
            taken.append(row)
            yield edited(passage(3), 1) if row == 29_999 else passage(3) if row == 5 else f"row {row} of " + WORDS[row % len(WORDS)]

    assert (5, 29_999) in rows_of(near_duplicates(texts()))
    assert taken == list(range(30_000))


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(24)))
def test_the_order_of_the_rows_changes_no_cluster(order):
    texts = [
        t for n in range(4) for t in (passage(n), edited(passage(n), 7), edited(edited(passage(n), 7), 8, 0.2), passage(n + 100))
    ]
    texts += [f"Kit {n} holds {n * 7} valves and nothing else at all" for n in range(8)]

    def named(rows):
        found = near_duplicates([texts[row] for row in rows])
        return {
            (c.kind, texts[rows[c.keep]], frozenset(zip((texts[rows[r]] for r in c.rows), c.similarity, strict=True)))
            for c in found.clusters
        }

    assert named(order) == named(range(24))


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_what_is_reported_is_exact_and_complete_by_sets_made_apart(threshold):
    texts = [t for n in range(60) for t in (passage(n), edited(passage(n), n, 0.01 * (n % 20)))]
    pairs = [set(zip(t.rstrip(".").split(), t.rstrip(".").split()[1:], strict=False)) for t in texts]

    def dice(one, other):
        return 2 * len(pairs[one] & pairs[other]) / (len(pairs[one]) + len(pairs[other]))

    found = near_duplicates(texts, threshold=threshold)
    for cluster in found.clusters:
        assert cluster.similarity == pytest.approx(
            [dice(row, cluster.keep) if row != cluster.keep else 1.0 for row in cluster.rows]
        )
        assert min(cluster.similarity) >= threshold
    wanted = {(n, n + 1) for n in range(0, 120, 2) if texts[n] != texts[n + 1] and dice(n, n + 1) >= threshold + 0.05}
    assert len(wanted & set(rows_of(found))) >= 0.95 * len(wanted)


def test_more_texts_than_the_memory_limit_holds_are_mapped_from_disk_with_the_same_result():
    texts = [t for n in range(50) for t in (passage(n), edited(passage(n), n))]
    assert near_duplicates(texts, memory_limit=1000) == near_duplicates(texts)


@pytest.mark.parametrize(
    ("arguments", "says"), [({"engine": "dask"}, "local, ray, spark"), ({"threshold": 0.0}, "above 0 and at most 1")]
)
def test_what_cannot_be_done_is_said(arguments, says):
    with pytest.raises(AdvisorError, match=says):
        near_duplicates([], **arguments)


# Without numba the functions it would compile are run by Python: slowly, and the same.
@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(max_size=60) | st.sampled_from([passage(n) for n in range(5)] + ["第3期 ABC१२", "ไทย abc", "e\u0301é"]),
        min_size=1,
        max_size=12,
    )
)
def test_the_kernel_returns_the_same_with_numba_and_without(texts):
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        patch.setattr(fast, "AVAILABLE", True)
        compiled = sketch(texts, 4)
        patch.setattr(fast, "AVAILABLE", False)
        plain = sketch(texts, 4)
    for name in Sketches.__slots__:
        assert np.array_equal(getattr(compiled, name), getattr(plain, name)), name


def test_two_texts_are_compared_the_same_with_numba_and_without():
    whole = [passage(n, 60) for n in range(8)]
    texts = [*whole, *(edited(text, 1, 0.1) for text in whole), *(f"{text} {passage(n + 20, 40)}" for n, text in enumerate(whole))]
    texts += [f"{whole[0]} {n} valves, {n + 7} pumps" for n in range(4)] + ["a b c", "a b", "ba ko ba ko ba ko " * 9]
    sketches = sketch(texts, 4)
    first, second = np.array([(one, other) for other in range(len(texts)) for one in range(other)]).T
    words = np.minimum(sketches.words[first], sketches.words[second])
    nothing = np.zeros(len(first), dtype=bool)
    pairs = Pairs(sketches.shingles, sketches.sizes, first, second, nothing, nothing, words, 0.3)
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        patch.setattr(fast, "AVAILABLE", True)
        alike, verdicts = judged(pairs)
        patch.setattr(fast, "AVAILABLE", False)
        plain_alike, plain_verdicts = judged(pairs)
    assert np.array_equal(alike, plain_alike)
    assert np.array_equal(verdicts, plain_verdicts)
    ends = np.cumsum(sketches.sizes)
    sets = [set((part >> np.uint64(13)).tolist()) for part in np.split(sketches.shingles, ends[:-1])]
    by_sets = [
        2 * len(sets[one] & sets[other]) / (len(sets[one]) + len(sets[other])) for one, other in zip(first, second, strict=True)
    ]
    assert alike == pytest.approx(by_sets)
    assert set(verdicts.tolist()) == {DIFFERENT, NEAR, TEMPLATE}


def planted(folder, form, seed):
    """Return (texts, planted near pairs, rows of the legitimate look-alikes)."""
    if not GENERATOR.exists():
        pytest.skip(f"{GENERATOR.name} is not beside the project")
    options = ["--n", "6000", "--scale", "0.5", "--seed", str(seed), "--formats", form, "--variants", "parsable"]
    subprocess.run([sys.executable, str(GENERATOR), str(folder), *options], check=True, capture_output=True)
    lines = (folder / form / "parsable.jsonl").read_text(encoding="utf-8").splitlines()
    truth = json.loads((folder / form / "truth.json").read_text(encoding="utf-8"))["parsable"]
    pairs = {tuple(sorted((entry["line"] - 1, entry["src_line"] - 1))) for entry in truth["near"]}
    return ["\n".join(strings(json.loads(line))) for line in lines], pairs, {entry["line"] - 1 for entry in truth["hard_negative"]}


def strings(value):
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


@pytest.mark.parametrize("form", FORMATS)
def test_planted_near_duplicates_are_found_and_look_alikes_are_not(form, tmp_path):
    texts, pairs, lookalikes = planted(tmp_path, form, seed=11)
    clusters = rows_of(near_duplicates(texts))
    assert len(pairs & set(clusters)) >= 0.9 * len(pairs)
    assert len(pairs & set(clusters)) >= 0.98 * len(clusters)
    assert not lookalikes & {row for rows in clusters for row in rows}
