"""From any text to plain tokens: what is spelled out, masked, split or mistyped becomes the word that it stands for."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

from field_api.domain.detector.lexicon import Lexicon, deletions

_SPELLED = re.compile(r"(?<![a-z0-9@])(?:[a-z0-9@][ ._*,/|+~-]{1,3}){2,}[a-z0-9@](?![a-z0-9@])")
_APART = re.compile(r"[^a-z0-9@]+")
_SPLIT = re.compile(r"[a-z]+(?:[-._*~]+[a-z]+)+")
_TOKEN = re.compile(r"\d+(?:[.,:']\d+)*|[a-z]+|[^ a-z0-9]")
_EDGES = ".,;:!?\"'()#*-_/~="
_SHORTEST = 4
MAX_SPACED_DIGITS = 6
MAX_PARTS = 4


def tokens_of(text: str, lexicon: Lexicon) -> list[tuple[str, bool]]:
    """Words, figures and signs in order, each with whether it follows the one before without a blank."""
    line = _SPELLED.sub(lambda run: _unspaced(run.group(), lexicon), plain(text, lexicon))
    line = " ".join(_unmasked(chunk, lexicon) for chunk in line.split(" "))
    found: list[tuple[str, bool]] = []
    end = -1
    for match in _TOKEN.finditer(line):
        found.append((_token(match.group(), lexicon), match.start() == end))
        end = match.end()
    return [(lexicon.short.get(token, token), close) for token, close in _joined(found, lexicon)]


def plain(text: str, lexicon: Lexicon) -> str:
    """Lower case a-z, figures and the kept signs; everything else is a blank. Compatibility forms are taken apart."""
    return "".join(_plain(character, lexicon) for character in unicodedata.normalize("NFKD", text))


def _plain(character: str, lexicon: Lexicon) -> str:
    point = ord(character)
    if point > 127 and any(first <= point <= last for first, last in lexicon.dropped):
        return ""
    character = lexicon.letters.get(character, character)
    known = character in lexicon.kept or "a" <= character <= "z" or "0" <= character <= "9"
    return character if known or len(character) > 1 else " "


def _unspaced(run: str, lexicon: Lexicon) -> str:
    """Single letters become the listed words in them, three to six single figures one number with a mark."""
    joined = _APART.sub("", run)
    if joined.isdigit():
        if len(joined) > MAX_SPACED_DIGITS or "/" in run or "," in run:
            return run
        return f"={joined}="
    read = "".join(lexicon.leet.get(character, character) for character in joined)
    found = [read] if read in lexicon.spelled else _inside(read, lexicon)
    return f" {' '.join(found)} " if found else run


def _inside(joined: str, lexicon: Lexicon) -> list[str]:
    """Listed words in a row of letters, the longest first at each place."""
    longest = max(map(len, lexicon.spelled))
    found: list[str] = []
    place = 0
    while place < len(joined):
        sizes = range(min(longest, len(joined) - place), _SHORTEST - 1, -1)
        word = next((joined[place : place + n] for n in sizes if joined[place : place + n] in lexicon.spelled), "")
        found += [word] if word else []
        place += len(word) or 1
    return found


def _unmasked(chunk: str, lexicon: Lexicon) -> str:
    """A word with figures or signs for letters ("d3bt"), one star in it, or dots between its parts."""
    bare = chunk.strip(_EDGES)
    if not _SHORTEST - 1 <= len(bare) <= lexicon.longest_word or bare.isalpha():
        return chunk
    if _SPLIT.fullmatch(bare) and (joined := re.sub("[^a-z]", "", bare)) in lexicon.spelled:
        return joined
    if not re.search("[a-z]", bare):
        return chunk
    word = next((word for word in _readings(bare, lexicon) if word in lexicon.spelled), None)
    return word or chunk


def _readings(bare: str, lexicon: Lexicon) -> list[str]:
    letters = [lexicon.leet.get(character, character) for character in bare]
    read = "".join(letters)
    if bare.count("*") == 1:
        return [read.replace("*", letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
    ones = [place for place, character in enumerate(bare) if character in "1!"][:2]
    return [
        "".join(chosen.get(place, letter) for place, letter in enumerate(letters))
        for choice in product("il", repeat=len(ones))
        for chosen in [dict(zip(ones, choice, strict=True))]
    ]


def _token(token: str, lexicon: Lexicon) -> str:
    if not token.isalpha():
        return token
    return "_" if len(token) > lexicon.longest_word else corrected(token, lexicon)


def corrected(word: str, lexicon: Lexicon) -> str:
    """The listed word that this one misspells by one edit (six letters and more) or one swap (five), else itself."""
    if word in lexicon.left_alone or len(word) < 5:
        return word
    single = re.sub(r"([a-z])\1+", r"\1", word)
    if single != word and single in lexicon.spelled and len(single) >= _SHORTEST:
        return single
    if len(word) == 5 and word in lexicon.swaps:
        return lexicon.swaps[word]
    near = {listed for shorter in deletions(word) for listed in lexicon.typos.get(shorter, ())}
    return next((listed for listed in sorted(near) if listed[0] == word[0] and _one_edit(word, listed)), word)


def _one_edit(one: str, other: str) -> bool:
    """One letter more, less or other, or two neighbours swapped."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[2:] == b[2:] and a[:2] == b[1::-1])
    return a[1:] == b or a == b[1:]


def _joined(found: list[tuple[str, bool]], lexicon: Lexicon) -> list[tuple[str, bool]]:
    """Two to four neighbours that make a listed word of five letters or more become that word."""
    line: list[tuple[str, bool]] = []
    for token, close in found:
        line.append((token, close))
        for parts in range(2, MAX_PARTS + 1):
            texts = [text for text, _ in line[-parts:]]
            both = "".join(texts)
            if len(texts) < parts or not both.isalpha() or len(both) < 5 or both not in lexicon.spelled:
                continue
            if " ".join(texts) not in lexicon.not_joined:
                line[-parts:] = [(both, line[-parts][1])]
                break
    return line
