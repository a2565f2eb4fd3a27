"""From a text to words or characters, exactly as Keras's TextVectorization finds them: held by tests against it.

What it takes for upper case, punctuation and space is ASCII alone; letters of all scripts are letters.
"""

from __future__ import annotations

PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
STANDARDIZE = "lower_and_strip_punctuation"  # Keras's names
SPLIT = {"words": "whitespace", "characters": "character"}


def tokens(text: str, kind: str, ngrams: int = 1) -> list[str]:
    """Return a text's tokens: those of one word or character first, then those of two neighbours, and so on.

    Args:
        text: any.
        kind: "words" or "characters".
        ngrams: the most neighbours that make a token, >= 1.
    """
    plain = text.encode().lower().translate(None, PUNCTUATION)  # of bytes, both know ASCII alone
    if kind == "words":
        plain = b"\n".join(plain.split())
        single = plain.decode().split("\n") if plain else []
    else:
        single = [*plain.decode()]
    found = single
    for width in range(2, ngrams + 1):
        found = found + [" ".join(single[i : i + width]) for i in range(len(single) - width + 1)]
    return found
