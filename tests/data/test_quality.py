"""Checks of text: what must be caught, and its look-alikes that must not be."""

import pytest

from advisor.data.model import Example
from advisor.data.quality import examine
from advisor.data.quality.endings import ending
from advisor.data.quality.instructions import broken_json, broken_length
from advisor.data.quality.mojibake import garbled
from advisor.data.quality.personal import is_iban, is_identity_number, luhn, personal

GOOD_TEXTS = [
    "Café Zürich, naïve résumé, Âge d'or, NÃO SEI, MANHÃ, LIBERTÉ — “là-bas”",
    "Commande n° 12 : déjà expédiée à l’entrepôt. Bestellung 7: für die Prüfung geöffnet.",
    "今天下午两点零五分涨潮，请带好雨具。茶园梯田的灌溉需要三天时间，并且依赖可靠的水泵。",
    "東京は今日も雨です。明日は晴れるでしょう。漢字とかな",
    "한국어 문장도 괜찮습니다. 내일은 비가 옵니다.",
    "Привет, мир! Это обычный русский текст.",
    "Ελληνικά γράμματα και λέξεις είναι εδώ.",
    "« Où êtes-vous ? » — « À l’île d’Yeu », dit-il™ • €5 …",
    "穩定的繁體中文也沒有問題，請放心使用這份資料。",
    "È già così: perché no? Perù, Čapek, Łódź, Øresund, ÅÄÖ åäö",
]


@pytest.mark.parametrize("text", GOOD_TEXTS)
def test_good_text_in_any_language_is_not_called_garbled(text):
    assert garbled(text) is None
    assert garbled(text * 20) is None


@pytest.mark.parametrize("text", GOOD_TEXTS[2:3])
@pytest.mark.parametrize(("written", "read"), [("utf-8", "latin-1"), ("utf-8", "gb18030"), ("gbk", "latin-1")])
def test_text_read_with_the_wrong_encoding_is_called_garbled(text, written, read):
    assert garbled(text.encode(written).decode(read, "ignore")) is not None


@pytest.mark.parametrize("text", ["naïve café", "Übergröße", "“so” – it’s", "€45"])
def test_western_text_read_with_the_wrong_encoding_is_called_garbled(text):
    assert garbled(text.encode().decode("cp1252", "ignore")) is not None


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        ("The tide rises in the morning. It falls in the aft", "open"),
        ("首先要检查水泵，因为护士小组随后需要。经过三周之后，围栏会变得更加", "open"),
        ("Here it is:\n```python\nprint(1)\n", "open"),
        ('{"port": "Tarbert", "tides": [1, 2', "open"),
        ("The tide rises in the morning. It falls in the afternoon.", "ended"),
        ("No.", "other"),
        ("- rope\n- lamp\n- bread", "other"),
        ("See the page. https://example.org/tides/high", "other"),
        ("It was a long day on the quay. We went home.\n\nYours\nMary", "other"),
        ("Read this. The result is x = y + 2", "other"),
    ],
)
def test_how_an_answer_ends(answer, how):
    assert ending(answer)[0] == how


def test_check_digits_decide_what_is_personal():
    assert is_identity_number("11010519491231002X")
    assert not is_identity_number("110105194912310021")
    assert not is_identity_number("11010519491331002X")
    assert luhn("4012888888881881")
    assert not luhn("4012888888881882")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
    assert [kind for _, kind in personal("Call 13812345678 or write to a.b@harbour.org")] == ["email", "phone"]
    assert list(personal("Order 1234567890123456, part 3.14159265358979, a@example.com")) == []


@pytest.mark.parametrize(
    ("prompt", "answer", "broken"),
    [
        ("Answer in at most 5 words.", "one two three four five six seven", True),
        ("Answer in at most 5 words.", "one two three", False),
        ("Write at least 20 words.", "too short", True),
        ("写一条不超过10个字的标题", "北岸观潮注意事项", False),
        ("写一段不少于100字的介绍", "太短", True),
        ("The budget is under 500 euros.", "x" * 900, False),
        ("写一篇800字左右的文章", "短", False),
    ],
)
def test_a_length_that_a_prompt_sets_is_held_or_broken(prompt, answer, broken):
    assert (broken_length(prompt, answer) is not None) == broken


def test_json_is_asked_for_and_broken_only_where_it_is():
    assert broken_json("Return valid JSON with the port.", '{"port": "Tarbert",}')
    assert broken_json("以JSON格式输出港口。", '```json\n{"港口": 塔伯特}\n```')
    assert not broken_json("Return valid JSON with the port.", '```json\n{"port": "Tarbert"}\n```')
    assert not broken_json("What is JSON?", "{ a format }")


def flags(prompt, answer):
    return {check for check, *_ in examine(Example([("user", prompt), ("assistant", answer)]))[2]}


@pytest.mark.parametrize(
    ("prompt", "answer", "check"),
    [
        ("Name the port.", "<div class='x'>Tarbert</div>", "markup-residue"),
        ("今天下午几点涨潮，请说明原因。", "The tide is highest at five past two.", "answer-language"),
        ("Sum 2 and 3.", "I'm sorry, but I can't help with that.", "refusal"),
        ("Sum 2 and 3.", "TODO", "placeholder-answer"),
        ("Say yes.", "yes\u0007", "garbled-characters"),
    ],
)
def test_a_flawed_answer_is_flagged(prompt, answer, check):
    assert check in flags(prompt, answer)


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Is 4 even? Answer yes or no.", "Yes."),
        ("Write a Python function that adds 3.", "```python\ndef f(x):\n    return x + 3\n```"),
        ("Compare.", "a < b and c > d, i.e. AT&T is not R&D"),
        ("把“几点涨潮”翻译成英文", "When is high tide today, please?"),
        ("Draft an email.", "Dear [Name],\n\nThe tide is high at noon.\n\nBest,\nMary"),
        ("Use emoji.", "🎉 Yes!"),
    ],
)
def test_a_sound_answer_is_not_flagged(prompt, answer):
    assert flags(prompt, answer) == set()
