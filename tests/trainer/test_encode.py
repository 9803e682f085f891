"""What is trained on: decided token by token, for every format, under every trap that tokenizers and templates set."""

import pytest
from advisor_trainer.encode import Encoder, Unmaskable, _mask

from advisor.data.model import Example
from advisor.data.normal import reader
from advisor.data.schemas import BY_NAME

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def templated(tokenizer):
    tokenizer.chat_template = CHATML
    yield tokenizer
    tokenizer.chat_template = None


def trained(tokenizer, encoded):
    """The parts of a row that are trained on, as text."""
    ids, mask = encoded
    parts, before = [], 0
    for token, kept in zip(ids.tolist(), mask.tolist(), strict=True):
        if kept and not before:
            parts.append([])
        if kept:
            parts[-1].append(token)
        before = kept
    return [tokenizer.decode(part) for part in parts]


def encoded(tokenizer, example, *, template=False, last_only=False):
    return Encoder(tokenizer, template=template).encode([example], last_only=last_only)[0]


RECORDS = {
    "pangu-sft": ({"system": "Be brief.", "context": "Two plus two?", "target": "Four."}, ["Four.<|end|>"]),
    "pangu-multi": (
        [{"context": "Two plus two?", "target": "Four."}, {"context": "And one?", "target": "Five."}],
        ["Four.<|end|>", "Five.<|end|>"],
    ),
    "alpaca": ({"instruction": "Add.", "input": "2, 2", "output": "Four."}, ["Four.<|end|>"]),
    "prompt-completion": ({"prompt": "Two plus two?", "completion": " Four."}, [" Four.<|end|>"]),
    "messages": (
        {"messages": [{"role": "user", "content": "Two plus two?"}, {"role": "assistant", "content": "Four."}]}, ["Four.<|end|>"],
    ),
    "sharegpt": (
        {"conversations": [{"from": "human", "value": "Two plus two?"}, {"from": "gpt", "value": "Four."}]}, ["Four.<|end|>"],
    ),
    "pangu-text": ({"text": "All of it."}, ["All of it.<|end|>"]),
}  # fmt: skip


@pytest.mark.parametrize("schema", RECORDS)
def test_answers_and_their_end_are_trained_on_and_nothing_else(tokenizer, schema):
    record, expected = RECORDS[schema]
    example = reader(BY_NAME[schema])(record)
    assert trained(tokenizer, encoded(tokenizer, example)) == expected


@pytest.mark.parametrize("schema", [name for name in RECORDS if name != "pangu-text"])
def test_with_a_template_answers_and_the_token_that_closes_them_are_trained_on(templated, schema):
    record, expected = RECORDS[schema]
    example = reader(BY_NAME[schema])(record)
    row = encoded(templated, example, template=True)
    assert trained(templated, row) == [text.replace("<|end|>", "<|im_end|>") for text in expected]
    assert templated.decode(row[0]) == templated.apply_chat_template(
        [{"role": role, "content": text} for role, text in example.turns], tokenize=False
    )


def test_the_line_end_before_an_answer_is_not_trained_on_though_its_place_is_given_as_the_answers(templated):
    # trim_offsets gives a token of blanks the place where it ends, which is where the answer begins.
    row = encoded(
        templated, Example([("user", "Hi"), ("assistant", " Yes, héllo 你好 "), ("user", "?"), ("assistant", "No")]), template=True
    )
    assert trained(templated, row) == [" Yes, héllo 你好 <|im_end|>", "No<|im_end|>"]


def test_an_answer_that_stands_in_the_question_too_is_found_where_it_is_the_answer(templated):
    row = encoded(templated, Example([("user", "assistant\nuser"), ("assistant", "user")]), template=True)
    ids, mask = row
    assert trained(templated, row) == ["user<|im_end|>"]
    assert templated.decode(ids[: int(mask.argmax())]).endswith("user<|im_end|>\n<|im_start|>assistant\n")
    assert mask[-1] == 0  # the template's line end after the last turn


def test_a_token_across_the_border_of_an_answer_is_the_prompts():
    # Characters 4 to 9 are the answer; the second token reaches from 3 to 6.
    assert _mask([3, 6, 8, 9, 12], [(4, 9)]).tolist() == [0, 0, 1, 1, 0]


def test_bytes_of_one_character_share_its_fate():
    # The character from 4 to 5 is two tokens, both given as ending at 5; it stands before the answer.
    assert _mask([4, 5, 5, 7], [(5, 7)]).tolist() == [0, 0, 0, 1]
    assert _mask([4, 5, 5, 7], [(4, 7)]).tolist() == [0, 1, 1, 1]


def test_of_a_conversation_only_the_last_answer_is_trained_on_where_that_is_asked_for(templated):
    example = Example([("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two")])
    assert trained(templated, encoded(templated, example, template=True, last_only=True)) == ["two<|im_end|>"]
    assert trained(templated, encoded(templated, example, last_only=True)) == ["two<|end|>"]


def test_a_template_that_strips_answers_is_followed(tokenizer):
    tokenizer.chat_template = CHATML.replace("message['content']", "message['content'] | trim")
    row = encoded(tokenizer, Example([("user", "a"), ("assistant", "  yes  ")]), template=True)
    tokenizer.chat_template = None
    assert trained(tokenizer, row) == ["yes<|im_end|>"]


THINKING = """{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.role == 'assistant' -%}
{%- set content = message.content -%}{%- set thought = '' -%}
{%- if '</think>' in content -%}
{%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') -%}
{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}
{%- endif -%}
{%- if loop.last -%}{{ '<think>\\n' + thought + '\\n</think>\\n\\n' + content }}{%- else -%}{{ content }}{%- endif -%}
{%- else -%}{{ message.content }}{%- endif -%}<|im_end|>
{% endfor %}"""


def test_a_template_that_takes_thoughts_apart_as_thinking_models_do_is_followed(tokenizer):
    tokenizer.chat_template = THINKING
    turns = [
        ("user", "a"),
        ("assistant", "<think>\nhm\n</think>\n\none"),
        ("user", "b"),
        ("assistant", "<think>\nso\n</think>\n\ntwo"),
    ]
    row = encoded(tokenizer, Example(turns), template=True)
    plain = encoded(tokenizer, Example([("user", "a"), ("assistant", "one")]), template=True)
    tokenizer.chat_template = None
    # The thought of an earlier turn is dropped by the template, and so by us.
    assert trained(tokenizer, row) == ["one<|im_end|>", "<think>\nso\n</think>\n\ntwo<|im_end|>"]
    assert trained(tokenizer, plain) == ["one<|im_end|>"]


def test_a_template_that_rewrites_answers_is_refused(tokenizer):
    tokenizer.chat_template = CHATML.replace("message['content']", "message['content'] | upper")
    with pytest.raises(Unmaskable, match="rewrites an answer"):
        encoded(tokenizer, Example([("user", "a"), ("assistant", "yes")]), template=True)
    tokenizer.chat_template = None


def test_a_template_that_closes_answers_with_nothing_gets_an_end(tokenizer):
    tokenizer.chat_template = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}{% endfor %}"
    row = encoded(tokenizer, Example([("user", "a"), ("assistant", "yes")]), template=True)
    tokenizer.chat_template = None
    assert trained(tokenizer, row) == ["yes<|end|>"]


def test_the_prompt_is_tokenised_as_it_will_be_when_asked(templated):
    example = Example([("user", "Two plus two?"), ("assistant", "Four.")])
    ids, mask = encoded(templated, example, template=True)
    first = int(mask.argmax())
    asked = templated.apply_chat_template(
        [{"role": "user", "content": "Two plus two?"}], add_generation_prompt=True, tokenize=False
    )
    assert ids[:first].tolist() == templated(asked, add_special_tokens=False)["input_ids"]
