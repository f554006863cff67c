"""Letters that look alike, folded together, so that nobody registers a name that reads as another's."""

import unicodedata

# After Unicode TS #39 §4, kept to the scripts in which names are typed every day. Folding to lower case comes first, so
# a letter stands here also when only its capital misleads (В, Н, Т). What must not merge, since both are everyday
# names, is left out: accents (josé, jose), 5 and s, 2 and z.
_ALIKE = {
    "a": "аɑα",
    "b": "вьƅβ",
    "c": "сᴄ",
    "d": "ԁđ",
    "e": "еєҽε",
    "f": "ғƒ",
    "g": "ɡցԍ",
    "h": "һнհħ",
    "j": "јϳȷ",
    "k": "кκқ",
    "l": "i1|!ıіιɩӏǀł",
    "n": "пηոӈ",
    "o": "0οоօσøөѳ",
    "p": "рρϸ",
    "q": "ԛգզ",
    "r": "гᴦ",
    "s": "ѕꜱ",
    "t": "тτŧ",
    "u": "υսμцᴜ",
    "v": "νѵᴠ",
    "x": "хχҳ×",
    "y": "уγүყ",
    "z": "ᴢʐζ",
    "3": "зʒӡ",
    "rn": "mмϻ",
    "vv": "wωшԝա",
    "-": "_‐‒–—−",
}
_FOLD = str.maketrans({char: plain for plain, chars in _ALIKE.items() for char in chars})


def folded(name: str) -> str:
    """NFKC and case folding, again until nothing changes (Unicode §3.13, toNFKC_Casefold without its removals)."""
    before = None
    while name != before:
        before, name = name, unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return name


def skeleton(name: str) -> str:
    """What a name looks like: two names with one skeleton must not belong to two people. Not for display."""
    apart = unicodedata.normalize("NFD", folded(name))
    return unicodedata.normalize("NFC", apart.translate(_FOLD))
