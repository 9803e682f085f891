"""Duplicates, conflicts and leaks of a dataset; the command line; repair, dedup, stats and convert."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.cli import main
from advisor.data.fits import fits
from advisor.data.keys import keys_of
from advisor.data.model import Example
from advisor.data.normal import Lossy, reader, write
from advisor.data.quality import examine
from advisor.data.reading import Reading
from advisor.data.schemas import BY_NAME, SCHEMAS
from advisor.data.shapes import flaws
from advisor.data.signals import DatasetMeasurements
from advisor.data.sources import File, files_of
from advisor.data.survey import Survey, survey_files
from advisor.data.tokens import estimated
from advisor.rulebook import load
from advisor.signals import SIGNALS

ROW = '{"context": "%s", "target": "%s"}\n'


def run(*arguments, code=None):
    result = CliRunner().invoke(main, ["data", *map(str, arguments)])
    if code is not None:
        assert result.exit_code == code, result.output
    return result


def measured(text, evaluation=None):
    def split(content):
        data = content.encode()
        return survey_files([File("data.jsonl", None, len(data), data)])

    return DatasetMeasurements(Survey(split(text), split(evaluation) if evaluation else None), near=False)


def numbered(count, start=0):
    words = ["quay", "harbour", "lamp", "rope", "tide", "gull", "mast", "keel", "buoy", "pier"]
    return "".join(
        ROW % (f"Where is {words[n % 10]} {words[n // 10 % 10]} {words[n // 100 % 10]}?", f"It is at the {words[n % 7]}.")
        for n in range(start, start + count)
    )


def test_rows_that_share_their_text_are_one_group_whatever_the_order_of_their_keys():
    text = ROW % ("a", "b") + '{"target": "b", "context": "a"}\n' + ROW % ("A ", "B") + ROW % ("a", "c")
    found = measured(text)
    assert [list(group) for group in found["exact_groups"]] == [[0, 1]]
    assert [list(group) for group in found["normal_groups"]] == [[0, 2]]
    assert [sorted(group) for group in found["conflict_groups"]] == [[0, 1, 2, 3]]


def test_duplicates_across_schemas_are_the_same_row():
    chat = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    share = '{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}\n'
    files = [File(name, None, len(text), text.encode()) for name, text in (("a.jsonl", chat), ("b.jsonl", share))]
    found = DatasetMeasurements(Survey(survey_files(files)), near=False)
    assert found["exact_groups"].removable == 1


def test_templates_are_kept_apart_from_duplicates():
    text = "".join(ROW % (f"What is {n} times 3?", f"It is {3 * n}.") for n in range(8))
    found = measured(text)
    assert found["exact_groups"].removable == found["normal_groups"].removable == 0
    assert found["template_groups"].removable == 7


def test_a_leak_is_named_with_its_row_in_the_training_data():
    found = measured(numbered(5) + ROW % ("几点涨潮？", "两点。"), ROW % (" 几点涨潮？ ", "两点。 ") + ROW % ("new", "row"))
    assert found["leaks"].rows == ((0, 5, "normalised"),)


def test_repeating_every_row_doubles_the_effective_epochs():
    assert measured(numbered(20) * 2)["effective_epochs"] == (1.0, 2.0)


def test_the_status_is_that_of_the_gravest_finding(tmp_path):
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(numbered(1000), encoding="utf-8")
    bad.write_text(numbered(1000) + "{broken\n", encoding="utf-8")
    run("check", good, "--no-near", code=0)
    run("check", good, "--no-near", "--fail-on", "info", code=1)
    run("check", bad, "--no-near", code=1)
    run("check", bad, "--no-near", "--fail-on", "never", code=0)
    assert "no such file" in run("check", tmp_path / "none.jsonl", code=2).output


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_every_form_of_the_answer_names_file_line_column_byte_and_the_text(tmp_path, language, output):
    path = tmp_path / "train.jsonl"
    path.write_text(ROW % ("a", "b") + '{"context": "涨潮", "target": "d",}\n', encoding="utf-8")
    text = run("check", path, "--no-near", "--format", output, "--lang", language, code=1).output
    if output == "json":
        (finding,) = [f for f in json.loads(text)["findings"] if f["slug"] == "trailing-comma"]
        (place,) = finding["places"]
        content = path.read_bytes()
        assert (place["line"], place["column"]) == (2, 32)
        assert content[place["byte"] : place["byte"] + 1] == b","
        assert place["excerpt"][place["caret"]] == ","
        assert finding["lines"] == {str(path): [2]}
    else:
        assert f"{path}:2:32" in text.replace("\\", "")
        assert "DATA-107" in text


def test_the_data_commands_load_nothing_heavy_and_analyze_loads_none_of_them(root):
    code = (
        "import sys; from advisor.cli import main; main(['data', '--help'], standalone_mode=False); print('pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_analyze_joins_the_data_with_the_run(root, tmp_path):
    data = tmp_path / "train.jsonl"
    data.write_text(numbered(40) + '{"context": "a", "target": "b",}\n', encoding="utf-8")
    log = root / "sample_logs/faulty/read-example-failed/console.log"
    arguments = ["analyze", str(log), "--data", str(data), "--format", "json", "--lang", "en"]
    document = json.loads(CliRunner().invoke(main, arguments).output)
    assert {"run": 0, "finding": "ERROR-001", "explained_by": "DATA-107"} in document["data"]["explains"]
    text = CliRunner().invoke(main, [*arguments[:4], "--lang", "en"]).output
    assert "DATA-107" in text
    about_data = {rule.id for rule in load(subject="dataset")}
    plain = json.loads(CliRunner().invoke(main, ["analyze", str(log), "--format", "json"]).output)
    for run in (document["runs"][0], plain["runs"][0]):
        assert not about_data & {*run["clean"], *(item["rule"] for item in run["not_judged"])}
    assert "data" not in plain


def overfitting_log(path, epochs):
    """Write the log of a run whose evaluation loss rises from its sixth part on."""
    evaluations = [1.20, 1.00, 0.90, 0.97, 1.02, 1.10]
    rows = [{"step": step, "epoch": step / 60 * epochs, "loss": 2.0 - 0.03 * step + 0.01 * (step % 3)} for step in range(1, 61)]
    rows += [{"step": 10 * n, "epoch": n / 6 * epochs, "eval_loss": value} for n, value in enumerate(evaluations, 1)]
    path.write_text("".join(json.dumps(row) + "\n" for row in sorted(rows, key=lambda row: row["step"])), encoding="utf-8")
    return path


def causes_of(log, *arguments):
    result = CliRunner().invoke(main, ["analyze", str(log), *map(str, arguments), "--format", "json", "--lang", "en"])
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)["runs"][0]


def test_overfitting_ten_epochs_and_duplicates_are_one_diagnosis_with_all_its_facts(tmp_path):
    data = tmp_path / "train.jsonl"
    data.write_text(numbered(86, 120) + numbered(14, 120), encoding="utf-8")
    log = overfitting_log(tmp_path / "run.jsonl", epochs=10)
    document = causes_of(log, "--data", data)
    (cause,) = document["causes"]
    assert cause["cause"] == "too_many_epochs"
    assert cause["findings"] == ["OVERFIT-001"]
    assert {clue["says"] for clue in cause["for"] if not clue["rule"]} == {
        "10 passes over the rows",
        "14% of the rows repeat another one: 10 passes over the rows are 11.6 over what is in them",
    }
    result = CliRunner().invoke(main, ["analyze", str(log), "--data", str(data), "--format", "json", "--lang", "en"])
    assert "Epochs planned: 10; for a distinct row: 11.6." in result.stdout
    (without,) = causes_of(log)["causes"]
    assert without["cause"] == "too_many_epochs"
    assert without["odds"] < cause["odds"]
    text = CliRunner().invoke(main, ["analyze", str(log), "--data", str(data), "--lang", "en"]).output
    assert "14% of the rows repeat another one" in " ".join(text.split())


def test_duplicates_are_the_cause_where_one_pass_was_enough_to_learn_the_rows_by_heart(tmp_path):
    data = tmp_path / "train.jsonl"
    data.write_text(numbered(86, 120) + numbered(14, 120), encoding="utf-8")
    log = overfitting_log(tmp_path / "run.jsonl", epochs=1)
    distinct = tmp_path / "distinct.jsonl"
    distinct.write_text(numbered(100, 120), encoding="utf-8")
    measured, guessed = causes_of(log, "--data", data)["causes"][0], causes_of(log)["causes"][0]
    assert measured["cause"] == guessed["cause"] == "duplicated_data"
    assert measured["odds"] > guessed["odds"]
    assert "duplicated_data" not in {cause["cause"] for cause in causes_of(log, "--data", distinct)["causes"]}


def test_the_log_knows_better_than_the_data_how_many_rows_it_was_trained_on():
    config = {"train_samples": 900, "dataset_rows": 1000}
    assert SIGNALS["training_rows"](config) == 900
    assert SIGNALS["training_rows"]({"dataset_rows": 1000}) == 1000


BROKEN = [
    ('\ufeff{"context": "a", "target": "b"}', [{"context": "a", "target": "b"}]),
    ("{'context': \"it's\", 'target': None or 'b'}", None),
    ("{'context': \"it's\", 'target': 'b'}", [{"context": "it's", "target": "b"}]),
    ('{"context": "a", "target": "b",}', [{"context": "a", "target": "b"}]),
    ('{"context": "a", "target": "b"},', [{"context": "a", "target": "b"}]),
    (
        '{"context": "a", "target": "b"}{"context": "c", "target": "d"}',
        [{"context": "a", "target": "b"}, {"context": "c", "target": "d"}],
    ),
    ('{"context": "a\tb", "target": "C:\\Program"}', [{"context": "a\tb", "target": "C:\\Program"}]),
    ('{"context": "a", "target": "b\\ud83d"}', [{"context": "a", "target": "b"}]),
    ('{“context”：“a”，"target": "b"}', [{"context": "a", "target": "b"}]),
    ('{context: "a", target: "b"}', [{"context": "a", "target": "b"}]),
    ('{"Context": "a", "traget": "b"}', [{"context": "a", "target": "b"}]),
    ('{"context": "a", "target": "b"} // checked', [{"context": "a", "target": "b"}]),
    ("# a comment", []),
    ("", []),
    ('{\n  "context": "a",\n  "target": "b"\n}', [{"context": "a", "target": "b"}]),
    ('{"context": "a", "target": "b\nc"}', [{"context": "a", "target": "b\nc"}]),
    ('{"context": "a", "target": NaN}', None),
    ('{"context": "a", "target": ""}', None),
    ('{"context": "a", "answer": "b"}', None),
    ('{"context": "a", "target": "b', None),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "expected"), BROKEN, ids=[text[:20] for text, _ in BROKEN])
def test_repair_mends_what_is_certain_leaves_out_the_rest_and_says_both(tmp_path, broken, expected):
    source, out = tmp_path / "train.jsonl", tmp_path / "out" / "clean.jsonl"
    content = ROW % ("first", "1") + ROW % ("second", "2") + broken + "\n" + ROW % ("last", "3")
    source.write_text(content, encoding="utf-8", newline="")
    run("check", source, "--no-near", "--repair", out, "--fail-on", "never", code=0)
    assert source.read_text(encoding="utf-8") == content
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["context"] for row in written[:2]] == ["first", "second"]
    assert written[-1]["context"] == "last"
    assert written[2:-1] == (expected or [])
    changes = [json.loads(line) for line in out.with_name("clean.jsonl.changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert changes
    assert {change["done"] for change in changes} == {"repaired" if expected else "left out"}
    assert {change["line"] for change in changes} == {3}
    _, problems = read_back(out)
    assert problems == []


GOOD = [{"context": f"When is high tide on day {n}?", "target": f"At {n}:05."} for n in range(5)]
JSON = [json.dumps(row) for row in GOOD]


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("train.json", "[\n" + ",\n".join(JSON) + ",\n]", "trailing-comma"),
        ("train.json", "[\n" + "\n".join(JSON) + "\n]", "missing-comma"),
        ("train.json", "[\n" + ",\n".join(JSON), "truncated-record"),
        ("train.json", '{"data": [' + ", ".join(JSON) + "]}", "wrapped-records"),
        ("train.jsonl", "\r\n".join(JSON), "carriage-return"),
        ("train.csv", "".join(f"{row['context']},{row['target']}\n" for row in GOOD), None),
    ],
    ids=["a comma too many", "no commas", "not closed", "wrapped", "other line ends", "a table"],
)
def test_what_is_wrong_around_the_records_takes_none_away_and_repair_says_what_it_did(tmp_path, name, content, cause):
    source, out = tmp_path / name, tmp_path / "clean.jsonl"
    source.write_text(content, encoding="utf-8", newline="")
    report = json.loads(run("check", source, "--no-near", "--repair", out, "--format", "json", "--fail-on", "never", code=0).stdout)
    assert (report["train"]["records"], report["train"]["good"]) == (5, 5)
    records, problems = read_back(out)
    assert ([record[3] for record in records], problems) == (GOOD, [])
    changes = [json.loads(line) for line in out.with_name("clean.jsonl.changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {(change["done"], *change["causes"]) for change in changes} == ({("repaired", cause)} if cause else set())


def test_repair_writes_a_key_that_stands_twice_once_and_keeps_what_was_there(tmp_path):
    source, out = tmp_path / "train.jsonl", tmp_path / "clean.jsonl"
    twice = '{"context": "a", "target": "b", "target": "c"}\n'
    flawed = '{"context": "a", "context": "b", "target": 7}\n'
    source.write_text(numbered(2) + twice + flawed + numbered(1, 2), encoding="utf-8")
    run("check", source, "--no-near", "--repair", out, "--fail-on", "never", code=0)
    assert out.read_text(encoding="utf-8").splitlines()[:2] == numbered(2).splitlines()
    records, problems = read_back(out)
    assert (len(records), records[2][3], problems) == (4, {"context": "a", "target": "c"}, [])
    changes = [json.loads(line) for line in out.with_name("clean.jsonl.changes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(c["line"], c["done"], c["written_to_lines"]) for c in changes] == [(3, "repaired", [3]), (4, "left out", [])]
    assert changes[0]["was"] == twice.strip()


def read_back(path):
    problems = []
    return [record for file in files_of([path]) for record in Reading(file, problems.append)], problems


def test_repair_brings_gbk_lines_and_utf_16_files_to_utf_8(tmp_path):
    source, out = tmp_path / "train.jsonl", tmp_path / "clean.jsonl"
    source.write_bytes(numbered(3).encode() + (ROW % ("几点涨潮", "下午两点零五分涨潮")).encode("gb18030"))
    run("check", source, "--no-near", "--repair", out, code=1)
    assert read_back(out)[0][3][3] == {"context": "几点涨潮", "target": "下午两点零五分涨潮"}
    source.write_text(numbered(3), encoding="utf-16")
    run("check", source, "--no-near", "--repair", out, code=1)
    assert out.read_text(encoding="utf-8") == numbered(3)


def test_the_source_is_never_overwritten(tmp_path):
    source = tmp_path / "train.jsonl"
    source.write_text(numbered(3), encoding="utf-8")
    for command in (
        ["check", source, "--repair", source],
        ["dedup", source, "-o", source],
        ["convert", source, "--to", "alpaca", "-o", source],
    ):
        assert "never overwritten" in run(*command, code=2).output
    assert source.read_text(encoding="utf-8") == numbered(3)


def test_dedup_keeps_the_order_and_writes_what_it_removed_beside_it(tmp_path):
    source, out = tmp_path / "train.jsonl", tmp_path / "clean.jsonl"
    rows = numbered(5).splitlines(keepends=True)
    source.write_text(
        "".join([*rows, rows[2], rows[0].upper().replace("CONTEXT", "context").replace("TARGET", "target")]), encoding="utf-8"
    )
    run("dedup", source, "-o", out, "--no-near", code=0)
    assert out.read_text(encoding="utf-8") == "".join(rows)
    removed = [json.loads(line) for line in out.with_name("clean.jsonl.removed.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(entry["line"], entry["repeats"], entry["how"]) for entry in removed] == [
        (6, f"{source}:3", "exact"),
        (7, f"{source}:1", "normalised"),
    ]


def test_dedup_says_what_it_could_not_use_and_that_a_trainer_reads_one_schema(tmp_path):
    first, second, out = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "clean.jsonl"
    first.write_text(numbered(5) + ROW % ("nothing", "") + "{broken\n", encoding="utf-8")
    second.write_text('{"prompt": "What is new?", "completion": "Nothing at all."}\n', encoding="utf-8")
    for language, parts in (("en", ("2 records cannot be used", "pangu-sft, prompt-completion")), ("zh", ("2 条记录不可用",))):
        said = run("dedup", first, second, "-o", out, "--no-near", "--lang", language, code=0).output
        assert all(part in said for part in parts), said
    assert len(out.read_text(encoding="utf-8").splitlines()) == 6
    assert "cannot be used" not in run("dedup", second, "-o", out, "--no-near", "--lang", "en", code=0).output


def test_stats_print_the_numbers_and_a_picture(tmp_path):
    source = tmp_path / "train.jsonl"
    source.write_text(numbered(30), encoding="utf-8")
    numbers = json.loads(run("stats", source, "--format", "json", code=0).output)
    assert numbers["rows"] == numbers["distinct_rows"] == 30
    assert sum(count for _, _, count in numbers["histogram"]) == 30
    assert not numbers["tokens"]["counted"]
    for language in ("en", "zh"):
        assert "█" in run("stats", source, "--lang", language, code=0).output


def test_a_tokenizer_counts_where_one_is_given(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    from tokenizers import models, pre_tokenizers

    made = tokenizers.Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(tmp_path / "tokenizer.json"))
    source = tmp_path / "train.jsonl"
    source.write_text(ROW % ("a b c", "d e") * 2, encoding="utf-8")
    numbers = json.loads(run("stats", source, "--model", tmp_path, "--format", "json", code=0).output)
    assert numbers["tokens"]["counted"]
    assert numbers["tokens"]["answer"] == 4


def test_the_estimate_grows_with_the_text_and_counts_chinese_by_character():
    assert estimated("x" * 440) == 110
    assert estimated("涨潮" * 50) == 70


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=12).filter(str.strip)


@st.composite
def examples(draw):
    turns = [("system", draw(TEXT))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        turns += [("user", draw(TEXT)), ("assistant", draw(TEXT))]
    return Example(turns, tuple(draw(st.lists(TEXT, max_size=2))))


@settings(max_examples=200)
@given(examples(), st.sampled_from(SCHEMAS))
def test_conversion_is_without_loss_or_an_error(example, schema):
    try:
        record = write(example, schema)
    except Lossy:
        return
    assert reader(schema)(json.loads(json.dumps(record))) == example


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["user", "assistant", "system", "gpt", "human"])
)
KEYS = st.sampled_from(
    ["context", "target", "targets", "system", "text", "messages", "role", "content", "conversations", "from", "value", "prompt",
     "completion", "chosen", "rejected", "instruction", "input", "output", "history", "tool_calls", "x"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=10
)


@settings(max_examples=400, deadline=None)
@given(ANYTHING, st.sampled_from(SCHEMAS), st.data())
def test_a_record_in_which_nothing_is_wrong_can_be_used_by_every_check(value, schema, data):
    if schema.shape == "flat" and not isinstance(value, list):
        value = {
            **{key: data.draw(ANYTHING) for key in (*schema.keys, *schema.optional)},
            **(value if isinstance(value, dict) else {}),
        }
    elif schema.shape == "chat":
        value = {next(iter(schema.keys)): data.draw(st.lists(st.dictionaries(KEYS, ANYTHING, min_size=2, max_size=4), max_size=3))}
    good = not list(flaws(schema, value))
    if fits(schema)(value):
        assert good
    if good:
        example = reader(schema)(value)
        assert len(keys_of(example)) == 6
        examine(example)


@pytest.mark.parametrize("name", ["train.jsonl", "train.json", "train.csv", "train.tsv", "train.parquet"])
def test_every_format_that_is_written_reads_back_the_same(tmp_path, name):
    source = tmp_path / "source.jsonl"
    source.write_text(ROW % ('a, \\"b\\"', "c\\nd") + numbered(5), encoding="utf-8")
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    run("convert", source, "--to", "pangu-sft", "-o", tmp_path / name, code=0)
    records, problems = read_back(tmp_path / name)
    assert problems == []
    assert [record[3] for record in records] == [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]


def test_a_conversion_that_would_lose_something_writes_nothing_and_names_the_line(tmp_path):
    source, out = tmp_path / "chat.jsonl", tmp_path / "out.jsonl"
    turn = '{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}'
    source.write_text(f'{{"messages": [{turn}]}}\n{{"messages": [{turn}, {turn}]}}\n', encoding="utf-8")
    result = run("convert", source, "--to", "pangu-sft", "-o", out, code=2)
    assert f"{source}:2" in result.output
    assert list(tmp_path.iterdir()) == [source]


def test_plain_text_becomes_questions_by_the_documented_rules(tmp_path):
    source, out = tmp_path / "texts.jsonl", tmp_path / "out.jsonl"
    text = "涨潮在下午。" + "退潮在夜里，那时候港口很安静。" * 3
    source.write_text(json.dumps({"text": text}, ensure_ascii=False) + "\n", encoding="utf-8")
    for rule, part in (("continue-sentence", "涨潮在下午。"), ("expand-sentence", "退潮在夜里，那时候港口很安静。")):
        run("convert", source, "--to", "pangu-sft", "--rule", rule, "-o", out, code=0)
        (row,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert part in row["context"]
        assert "不少于50字" in row["context"]
        assert row["target"] == text
    assert "title" in run("convert", source, "--to", "pangu-sft", "--rule", "write-from-title", "-o", out, code=2).output


@pytest.mark.parametrize(("spec", "good"), [("auto", 0), ("any", 3)])
def test_records_of_no_known_schema_are_good_only_where_any_json_will_do(tmp_path, spec, good):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"frage": "a"}\n' * 3, encoding="utf-8")
    document = json.loads(run("check", path, "--no-near", "--format-spec", spec, "--format", "json").output)
    assert (document["train"]["records"], document["train"]["good"]) == (3, good)
    assert [f["slug"] for f in document["findings"] if f["severity"] == "error"] == ([] if good else ["unknown-schema"])


def test_the_schemas_are_all_named_in_the_help():
    text = run("check", "--help", code=0).output
    assert all(name in "".join(text.split()) for name in BY_NAME)
