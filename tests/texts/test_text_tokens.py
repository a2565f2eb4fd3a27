import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasrun.texts import length_for, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Free entry, in 2 a wkly comp!", ["free", "entry", "in", "2", "a", "wkly", "comp"]),
        ("don't e-mail me@home.org", ["dont", "email", "mehomeorg"]),
        ("정말 좋아요...ㅠㅠㅠ", ["정말", "좋아요ㅠㅠㅠ"]),
        ("ÉTÉ a\u00a0b", ["ÉtÉ", "a\u00a0b"]),
        ("  \t\n ", []),
        ("?!…", ["…"]),
        ("", []),
    ],
)
def test_words_are_in_lower_case_without_punctuation_as_far_as_that_is_ascii(text, words):
    assert tokens(text, "words") == words


def test_characters_are_letters_of_any_script_and_the_space_between_words():
    assert tokens("굿! Ok 👍", "characters") == ["굿", " ", "o", "k", " ", "👍"]


def test_neighbours_come_behind_single_tokens():
    assert tokens("a b c", "words", 3) == ["a", "b", "c", "a b", "b c", "a b c"]
    assert tokens("영화", "characters", 2) == ["영", "화", "영 화"]
    assert tokens("one", "words", 3) == ["one"]


@given(st.text(), st.sampled_from(["words", "characters"]), st.integers(1, 4))
def test_no_token_is_empty_and_there_are_as_many_as_neighbours_fit(text, kind, ngrams):
    single = tokens(text, kind)
    found = tokens(text, kind, ngrams)
    assert all(found)
    assert found[: len(single)] == single
    assert len(found) == sum(max(0, len(single) - width + 1) for width in range(1, ngrams + 1))


def test_the_length_covers_most_texts_and_has_an_end():
    assert length_for(range(1, 101)) == 95
    assert length_for([0, 0, 0]) == 1
    assert length_for([5000] * 9) == 1000
