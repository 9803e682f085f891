"""`advisor data convert`: questions and answers out of plain text, by rules and by a model, and mixing."""

import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from advisor.cli import main
from advisor.cli.data_convert import RULES
from advisor.data import from_text
from advisor.data.asking.endpoint import Endpoint, Pace, Refused
from advisor.data.asking.pairs import judged
from advisor.data.asking.replies import Replies
from advisor.data.asking.support import unsupported
from advisor.data.passages import Passage, of_lines, of_record, sentences
from advisor.data.tokens import estimated
from advisor.errors import AdvisorError

PORTS = ("Tarbert", "Mallaig", "Oban", "Ullapool", "Lerwick", "Kirkwall", "Stornoway", "Wick")


def passage(number, port):
    return (
        f"The lighthouse of {port} was built in {1800 + number} by the Stevenson family. "
        f"Its lamp burns {number + 3} litres of oil a night. "
        f"The keeper climbs {90 + number} steps to reach it. In winter the boats of {port} wait for its light before they enter."
    )


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def texts(tmp_path):
    return write_lines(tmp_path / "texts.jsonl", [{"text": passage(n, port)} for n, port in enumerate(PORTS)])


def run(*arguments, code=0, env=None):
    result = CliRunner().invoke(main, ["data", "convert", *map(str, arguments), "--lang", "en"], env=env)
    assert result.exit_code == code, result.output
    return result


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_command_names_the_rules_that_there_are():
    assert from_text.RULES == RULES


def test_several_tasks_are_made_of_one_passage_and_each_answer_comes_from_it(texts, tmp_path):
    run(texts, "--to", "pangu-sft", "--rule", "all", "-o", tmp_path / "out.jsonl")
    rows = rows_of(tmp_path / "out.jsonl")
    sources = [row["text"] for row in rows_of(texts)]
    per_passage = Counter(next(n for n, source in enumerate(sources) if row["target"] in source) for row in rows)
    # A passage of one paragraph without a title: continue, expand and fill in a sentence.
    assert per_passage == Counter(dict.fromkeys(range(len(PORTS)), 3))
    filled = [row for row in rows if from_text.GAP in row["context"]]
    assert len(filled) == len(PORTS)
    assert all(row["target"] not in row["context"] for row in filled)


def test_the_same_seed_gives_the_same_tasks_and_another_one_others(texts, tmp_path):
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(texts, "--to", "pangu-sft", "--rule", "all", "--tasks", 1, "--seed", seed, "-o", tmp_path / f"{name}.jsonl")
        made.append((tmp_path / f"{name}.jsonl").read_bytes())
    assert made[0] == made[1] != made[2]
    assert len(rows_of(tmp_path / "a.jsonl")) == len(PORTS)


def test_a_passage_gives_the_same_tasks_whatever_stands_around_it():
    one = Passage("a", 1, passage(1, "Oban"))
    alone, later = (list(from_text.tasks_of(p, RULES, most=2, seed=3, language="en")) for p in (one, Passage("b", 9, one.text)))
    assert alone == later


def test_a_passage_that_stands_there_twice_is_used_once(tmp_path):
    source = write_lines(tmp_path / "t.jsonl", [{"text": passage(1, "Oban")}, {"text": passage(1, "Oban").upper()}])
    run(source, "--to", "pangu-sft", "--rule", "continue-sentence", "-o", tmp_path / "out.jsonl")
    assert len(rows_of(tmp_path / "out.jsonl")) == 1


def test_a_title_keywords_and_a_summary_are_asked_for_together(tmp_path):
    source = write_lines(
        tmp_path / "t.jsonl",
        [{"text": passage(1, "Oban"), "title": "Oban light", "keywords": ["sea", "lamp"], "summary": "A lamp."}],
    )
    run(source, "--to", "alpaca", "--rule", "write-from-title", "-o", tmp_path / "out.jsonl")
    (row,) = rows_of(tmp_path / "out.jsonl")
    assert all(part in row["instruction"] for part in ("Title: Oban light", "Keywords: sea, lamp", "Summary: A lamp.", "at least"))
    assert row["output"] == passage(1, "Oban")


def test_no_answer_is_shorter_than_its_question_demands():
    for number in range(200):
        text = " ".join(f"Word{n} stands here now." for n in range(number % 20 + 2))
        for task in from_text.tasks_of(
            Passage("a", 1, text), ("continue-sentence", "expand-sentence"), most=None, seed=number, language="en"
        ):
            demanded = int(task.prompt.split("at least ")[1].split()[0])
            assert 20 <= demanded <= len(task.answer.split())


def test_a_heading_is_neither_continued_nor_asked_for():
    text = f"Harbour Notes\n{passage(1, 'Oban')}\nEnd"
    for seed in range(20):
        tasks = from_text.tasks_of(Passage("a", 1, text), RULES, most=None, seed=seed, language="en")
        for task in tasks:
            assert task.answer != "End"
            assert "sentence:\nHarbour Notes" not in task.prompt


def test_text_too_short_for_a_rule_writes_nothing_and_says_why(tmp_path):
    source = write_lines(tmp_path / "t.jsonl", [{"text": "One short line."}])
    assert "too few sentences" in run(source, "--to", "pangu-sft", "--rule", "all", "-o", tmp_path / "out.jsonl", code=2).output
    assert list(tmp_path.iterdir()) == [source]


def test_lines_broken_at_one_width_are_one_paragraph_and_a_long_text_is_divided_at_its_paragraphs(tmp_path):
    wrapped = (
        "The tide rises along the quay in the\nmorning, and the boats that waited for\nit leave one after another.\n\n"
        "The next paragraph is here.\n"
    )
    lines = [(n, line) for n, line in enumerate(wrapped.split("\n"), 1) if line.strip()]
    (whole,) = of_lines("a.txt", lines, 512)
    assert whole.text == (
        "The tide rises along the quay in the morning, and the boats that waited for it leave one after another.\n"
        "The next paragraph is here."
    )
    long = "\n".join(f"Paragraph {n} says a little about the harbour and a little about the boats in it." for n in range(200))
    pieces = list(of_record("a", 1, long, {"title": "t"}, 100))
    assert "\n".join(piece.text for piece in pieces) == long
    assert all(estimated(piece.text) <= 130 and not piece.about for piece in pieces)
    assert len(pieces) > 20


def test_a_sentence_does_not_end_at_a_title_an_initial_or_a_number():
    text = "Dr. Brown and J. Smith paid 3.50 pounds. They left at 5 p.m. on foot. “Good.” Then it rained!"
    assert sentences(text) == [
        "Dr. Brown and J. Smith paid 3.50 pounds.",
        "They left at 5 p.m. on foot.",
        "“Good.”",
        "Then it rained!",
    ]
    assert sentences("潮水上涨。“好。”他说！走了") == ["潮水上涨。", "“好。”", "他说！", "走了"]


# An answer and its passage

PASSAGE = passage(11, "Tarbert")
CHINESE = "塔伯特灯塔建于1811年，由史蒂文森家族设计。灯塔每晚消耗14升灯油，看守人要登上101级台阶。"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("The lighthouse was built in 1811 by the Stevenson family.", PASSAGE),
        ("It burns 14 litres of oil each night.", PASSAGE),
        ("The keeper has to climb 101 steps.", PASSAGE),
        ("灯塔建于1811年。", CHINESE),
        ("看守人需要登上101级台阶。", CHINESE),
        ("It costs 1000 pounds.", "It costs 1,000 pounds."),
        ("It has 2 lamps.", "It has two lamps."),
    ],
)
def test_an_answer_that_follows_from_its_passage_is_taken(answer, text):
    assert unsupported(answer, text) is None


@pytest.mark.parametrize(
    ("answer", "text", "why"),
    [
        ("The lighthouse was built in 1911.", PASSAGE, "number"),
        ("The lighthouse was built by the Robertson family.", PASSAGE, "name"),
        ("Electric bulbs replaced every candle before trains arrived.", PASSAGE, "words"),
        ("灯塔建于1911年。", CHINESE, "number"),
        ("渔民在市场出售鲜鱼和面包。", CHINESE, "words"),
    ],
)
def test_an_answer_that_its_passage_does_not_support_is_not_taken(answer, text, why):
    assert unsupported(answer, text)[0] == why


ONE = '{"question": "When was the lighthouse of Tarbert built?", "answer": "It was built in 1811."}'


@pytest.mark.parametrize(
    "reply",
    [
        f"[{ONE}]",
        f"Sure!\n```json\n[{ONE}]\n```",
        f'<think>[{{"question": "x"}}]</think>{ONE}',
        f'[{ONE}, {{"question": "What is cut o',
        "Q: When was the lighthouse of Tarbert built?\nA: It was built in 1811.",
        "**Question 1:** When was the lighthouse of Tarbert built?\n**Answer 1:** It was built in 1811.",
    ],
)
def test_the_pairs_of_a_reply_are_found_whatever_stands_around_them(reply):
    assert [(pair.question.strip("* "), pair.answer.strip("* "), pair.reason) for pair in judged(reply, PASSAGE)] == [
        ("When was the lighthouse of Tarbert built?", "It was built in 1811.", "")
    ]


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("What does the passage say of the keeper?", "The keeper climbs 101 steps.", "refers-to-passage"),
        ("Why was it built in 1925?", "The Stevenson family built it.", "number-not-in-passage"),
        ("Who built it?", "", "empty"),
        ("Who built it?", "Who built it?", "empty"),
    ],
)
def test_a_question_that_cannot_stand_alone_is_not_taken(question, answer, reason):
    (pair,) = judged(json.dumps([{"question": question, "answer": answer}]), PASSAGE)
    assert pair.reason == reason


def test_a_reply_without_a_pair_is_kept_with_that_reason():
    assert [pair.reason for pair in judged("I cannot help with that.", PASSAGE)] == ["no-pairs"]


# A model behind an endpoint: a server that speaks the protocol, and misbehaves as servers do


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append((self.path, self.headers.get("Authorization"), body, time.monotonic()))
            number = len(self.server.seen)
        self.server.script(self, number, body["messages"][0]["content"])

    def send(self, status, value, **headers):
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def answer(self, text):
        self.send(200, {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})

    def log_message(self, *_):
        pass


def good(handler, _number, question):
    """Answer with two pairs that hold and one whose number is made up."""
    text = question.rsplit("Passage:\n", 1)[1]
    port, year = text.split("lighthouse of ")[1].split()[0], text.split("built in ")[1][:4]
    pairs = [
        {"question": f"When was the lighthouse of {port} built?", "answer": f"The lighthouse of {port} was built in {year}."},
        {"question": f"Who built the lighthouse of {port}?", "answer": "The Stevenson family built it."},
        {"question": f"What does the lamp of {port} burn?", "answer": "It burns 777 litres of oil."},
    ]
    handler.answer("```json\n" + json.dumps(pairs) + "\n```")


@contextmanager
def serving(script):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # closing waits for them
    server.script, server.seen, server.lock = script, [], threading.Lock()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", server.seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def ask(texts, url, out, *more, code=0, env=None):
    return run(texts, "--to", "messages", "--endpoint", url, "--endpoint-model", "m", "-o", out, *more, code=code, env=env)


def test_pairs_of_an_endpoint_are_checked_and_what_does_not_hold_stands_beside_with_its_reason(texts, tmp_path):
    out = tmp_path / "out.jsonl"
    with serving(good) as (url, seen):
        result = ask(texts, url, out, "--pairs", 3, env={"ADVISOR_ENDPOINT_KEY": "secret"})
    assert {(path, key, body["model"]) for path, key, body, _ in seen} == {("/v1/chat/completions", "Bearer secret", "m")}
    rows = rows_of(out)
    assert [turn["content"] for turn in rows[0]["messages"]] == [
        "When was the lighthouse of Tarbert built?", "The lighthouse of Tarbert was built in 1800."
    ]  # fmt: skip
    assert len(rows) == 2 * len(PORTS)
    rejected = rows_of(tmp_path / "out.jsonl.rejected.jsonl")
    assert [(entry["line"], entry["reason"], entry["missing"]) for entry in rejected] == [
        (n, "number-not-in-passage", ["777"]) for n in range(1, len(PORTS) + 1)
    ]
    assert "16 questions by the model" in result.output
    assert "secret" not in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"texts.jsonl", "out.jsonl", "out.jsonl.rejected.jsonl"}


def test_without_a_key_none_is_sent(texts, tmp_path):
    with serving(good) as (url, seen):
        ask(texts, url, tmp_path / "out.jsonl", env={"ADVISOR_ENDPOINT_KEY": ""})
    assert {key for _, key, _, _ in seen} == {None}


def busy(handler, number, question):
    if number == 1:
        handler.send(429, {"error": {"message": "slow down"}}, Retry_After="0")
    elif number == 2:
        handler.send(503, b"<html>busy</html>", Retry_After="0")
    elif number == 3:
        handler.send(200, b'{"choices": []}')
    elif number == 4:
        # The connection breaks in the middle of the answer.
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        handler.wfile.write(b'{"choices": [')
    else:
        good(handler, number, question)


def test_an_endpoint_that_is_busy_or_breaks_off_is_asked_again(texts, tmp_path, monkeypatch):
    monkeypatch.setattr("advisor.data.asking.endpoint.LONGEST_WAIT", 0.01)
    with serving(busy) as (url, seen):
        ask(texts, url, tmp_path / "out.jsonl", "--parallel", 1)
    assert len(seen) == len(PORTS) + 4
    assert len(rows_of(tmp_path / "out.jsonl")) == 2 * len(PORTS)


def test_work_that_is_broken_off_goes_on_where_it_was_and_leaves_nothing_half_written(texts, tmp_path):
    out = tmp_path / "out.jsonl"

    def breaks_down(handler, number, question):
        good(handler, number, question) if number <= 5 else handler.send(401, {"error": {"message": "key expired"}})

    with serving(breaks_down) as (url, _):
        result = ask(texts, url, out, "--parallel", 1, code=2)
        assert "key expired" in result.output
        assert "5 replies are kept" in result.output
        assert {path.name for path in tmp_path.iterdir()} == {"texts.jsonl", "out.jsonl.replies.jsonl"}
    kept = tmp_path / "out.jsonl.replies.jsonl"
    kept.write_bytes(kept.read_bytes()[:-20])  # the machine went down while the fifth was written
    port = int(url.rsplit(":", 1)[1].split("/")[0])
    with serving(good) as (other, seen):
        # The same address, as the same command has it: replies of another model would not count.
        text = kept.read_text(encoding="utf-8")
        assert len(text.splitlines()) == 5
        result = run_with(texts, other, out, model_url=url)
    assert len(seen) == len(PORTS) - 4
    assert len(rows_of(out)) == 2 * len(PORTS)
    assert result.kept == 4
    assert port
    assert not kept.exists()


def run_with(texts, url, out, *, model_url):
    """Ask at `url` under the name of the endpoint at `model_url`, whose port is gone."""
    from advisor.data.convert import Plan, convert

    class Moved(Endpoint):
        @property
        def name(self):
            return f"{model_url}/chat/completions m"

    return convert([texts], Plan("messages", out, model=Moved(url, "m")))


def test_a_passage_that_the_model_refuses_is_named_and_the_others_go_on(texts, tmp_path):
    def refuses(handler, number, question):
        if "Oban" in question:
            handler.send(400, {"error": {"message": "maximum context length exceeded"}})
        else:
            good(handler, number, question)

    with serving(refuses) as (url, _):
        ask(texts, url, tmp_path / "out.jsonl")
    reasons = [
        (e["line"], e["reason"], e["answer"]) for e in rows_of(tmp_path / "out.jsonl.rejected.jsonl") if e["reason"] == "refused"
    ]
    assert reasons == [(3, "refused", "status 400: maximum context length exceeded")]
    assert len(rows_of(tmp_path / "out.jsonl")) == 2 * (len(PORTS) - 1)


def test_a_redirection_is_not_followed_for_it_would_carry_the_key_away(texts, tmp_path):
    def leads_away(handler, _number, _question):
        handler.send(302, b"", Location="http://127.0.0.1:1/else")

    with serving(leads_away) as (url, _):
        assert "leads on to http://127.0.0.1:1/else" in ask(texts, url, tmp_path / "out.jsonl", code=2).output


def test_an_endpoint_that_does_not_answer_in_time_is_given_up(texts, tmp_path):
    def sleeps(handler, _number, _question):
        time.sleep(1.0)
        handler.answer("late")

    with serving(sleeps) as (url, _):
        result = ask(texts, url, tmp_path / "out.jsonl", "--timeout", 0.2, "--retries", 0, code=2)
    assert "no answer in time" in result.output
    assert not (tmp_path / "out.jsonl").exists()


def test_no_more_requests_a_minute_are_sent_than_allowed(texts, tmp_path):
    with serving(good) as (url, seen):
        ask(texts, url, tmp_path / "out.jsonl", "--rate", 1200, "--parallel", 8)
    times = sorted(at for *_, at in seen)
    assert times[-1] - times[0] >= 0.8 * 0.05 * (len(PORTS) - 1)


def test_a_schema_that_holds_no_answer_is_refused_before_a_model_is_asked(texts, tmp_path):
    with serving(good) as (url, seen):
        result = run(texts, "--to", "dpo", "--endpoint", url, "--endpoint-model", "m", "-o", tmp_path / "o.jsonl", code=2)
    assert "worse answer" in result.output
    assert seen == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--endpoint", "http://127.0.0.1:9/v1"], "--endpoint-model belong together"),
        (["--endpoint", "file:///etc/passwd", "--endpoint-model", "m"], "no address of an endpoint"),
        (["--endpoint", "http://me:key@127.0.0.1/v1", "--endpoint-model", "m"], "environment variable"),
        (["--tasks", "2"], "give --rule too"),
        (["--mix", "task.jsonl"], "expected FILE=RATIO"),
        (["--mix", "task.jsonl=-1"], "expected FILE=RATIO"),
    ],
)
def test_options_that_do_not_fit_are_one_clear_error(texts, tmp_path, arguments, says):
    assert says in " ".join(run(texts, "--to", "messages", "-o", tmp_path / "o.jsonl", *arguments, code=2).output.split())


def test_the_pace_holds_for_all_threads_together():
    pace, times = Pace(0.02), []

    def work():
        for _ in range(3):
            pace.wait()
            times.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(times) - began >= 11 * 0.02


def test_a_refused_question_is_not_asked_again(tmp_path):
    class Model:
        name = "m"
        asked = 0

        def ask(self, _question):
            self.asked += 1
            raise Refused("too long")

    model = Model()
    for _ in range(2):
        with Replies(tmp_path / "r") as replies:
            assert replies.of(model, "q") == ("", "too long")
    assert model.asked == 1


@pytest.mark.skipif(
    not (find_spec("transformers") and find_spec("torch")), reason="transformers is not installed: no local model here"
)
@pytest.mark.filterwarnings("ignore")
def test_a_model_in_a_folder_is_asked_and_its_replies_are_judged_like_any(texts, tmp_path):
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(0)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE({char: n for n, char in enumerate([*alphabet, "</s>"])}, []))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>").save_pretrained(tmp_path / "model")
    config = LlamaConfig(
        vocab_size=len(alphabet) + 1, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=1100, eos_token_id=len(alphabet),
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    two = write_lines(
        tmp_path / "two.jsonl", [{"text": passage(1, "Oban")}, {"text": " ".join(passage(n, "Wick") for n in range(5))}]
    )
    result = run(two, "--to", "messages", "--local-model", tmp_path / "model", "-o", tmp_path / "o.jsonl", code=2)
    # An untrained model writes no pair; the second passage is longer than it takes. Both are said, and nothing is written.
    assert "no question of 2 passages was taken" in result.output
    reasons = [entry["reason"] for entry in rows_of(tmp_path / "o.jsonl.rejected.jsonl")]
    assert reasons == ["no-pairs", "refused"]
    assert not (tmp_path / "o.jsonl").exists()


def test_a_folder_without_a_model_is_an_error_that_says_what_belongs_there(texts, tmp_path):
    (tmp_path / "empty").mkdir()
    assert (
        "config.json"
        in run(texts, "--to", "messages", "--local-model", tmp_path / "empty", "-o", tmp_path / "o.jsonl", code=2).output
    )


# Mixing


@pytest.fixture
def task(tmp_path):
    return write_lines(tmp_path / "task.jsonl", [{"prompt": f"q{n}", "completion": f"a{n}"} for n in range(40)])


def test_rows_of_a_task_are_mixed_in_by_ratio_and_shuffled_by_the_seed(texts, task, tmp_path):
    made = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.jsonl"
        run(texts, "--to", "pangu-sft", "--rule", "continue-sentence", "--mix", f"{task}=2", "--seed", seed, "-o", out)
        made.append(rows_of(out))
    assert made[0] == made[1] != made[2]
    mixed = [row["context"] for row in made[0] if row["context"].startswith("q")]
    assert len(mixed) == len(set(mixed)) == 2 * len(PORTS)
    assert len(made[0]) == 3 * len(PORTS)
    order = [row["context"].startswith("q") for row in made[0]]
    assert order != sorted(order)


def test_a_task_with_too_few_rows_is_taken_whole_and_the_ratio_reached_is_said(texts, task, tmp_path):
    result = run(texts, "--to", "pangu-sft", "--rule", "continue-sentence", "--mix", f"{task}=100", "-o", tmp_path / "o.jsonl")
    assert "all 40 rows mixed in, 5 to one; the ratio asks for 800" in " ".join(result.output.split())
    assert len(rows_of(tmp_path / "o.jsonl")) == len(PORTS) + 40


def test_a_row_that_cannot_be_mixed_in_without_loss_writes_nothing(texts, tmp_path):
    chat = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 2
    other = write_lines(tmp_path / "chat.jsonl", [{"messages": chat}])
    result = run(texts, "--to", "pangu-sft", "--rule", "all", "--mix", f"{other}=1", "-o", tmp_path / "o.jsonl", code=2)
    assert f"{other}:1" in result.output
    assert {path.name for path in tmp_path.iterdir()} == {"texts.jsonl", "chat.jsonl"}


# What the neutral form has no place for


@pytest.mark.parametrize(
    ("turn", "what"),
    [
        ({"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}, "`tool_calls` of a turn"),
        ({"role": "assistant", "content": "b", "weight": 0}, "`weight` of a turn"),
        ({"role": "assistant", "content": [{"type": "text", "text": "b"}, {"type": "image", "image": "i"}]}, "type `image`"),
    ],
)
def test_what_single_turns_hold_beside_their_text_is_not_lost_in_silence(tmp_path, turn, what):
    source = write_lines(tmp_path / "chat.jsonl", [{"messages": [{"role": "user", "content": "a"}, turn]}])
    result = run(source, "--to", "sharegpt", "-o", tmp_path / "o.jsonl", code=2)
    assert what in result.output
    assert f"{source}:1" in result.output
    run(source, "--to", "sharegpt", "--drop-extra", "-o", tmp_path / "o.jsonl")
    run(source, "--to", "messages", "-o", tmp_path / "same.jsonl")
    assert rows_of(tmp_path / "same.jsonl") == rows_of(source)


def test_a_record_that_has_the_schema_already_stays_as_it_is(tmp_path):
    rows = [{"instruction": "Name it.", "input": "14:05", "output": "Tide.", "id": 7}]
    source = write_lines(tmp_path / "a.jsonl", rows)
    run(source, "--to", "alpaca", "-o", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == rows


def test_all_turns_of_a_completion_are_kept(tmp_path):
    said = [{"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]
    source = write_lines(tmp_path / "a.jsonl", [{"prompt": [{"role": "user", "content": "a"}], "completion": said}])
    run(source, "--to", "messages", "-o", tmp_path / "b.jsonl")
    assert [turn["content"] for turn in rows_of(tmp_path / "b.jsonl")[0]["messages"]] == ["a", "b", "c", "d"]


def test_an_endpoint_keeps_its_name_and_takes_an_address_with_or_without_the_path():
    assert Endpoint("http://h/v1", "m").url == Endpoint("http://h/v1/chat/completions", "m").url == "http://h/v1/chat/completions"
    with pytest.raises(AdvisorError, match="no address"):
        Endpoint("h/v1", "m")
