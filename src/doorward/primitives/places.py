"""Languages and time zones that exist: what a person may say of where they are."""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

# ISO 639: all codes of two letters, and of three those of the languages in CLDR.
_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no
nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te
tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
agq ann apc arn asa ast bal bas bem bew bez bgc bgn bho blo blt brx bss byn cad cch ccp ceb cgg cho chr cic ckb cop
csw dav dje doi dsb dua dyo ebu ewo fil frr fur gaa gez gsw guz haw hnj hsb jbo jgo jmc kaa kab kaj kam kcg kde kea
ken kgp khq kkj kln kok kpe ksb ksf ksh kxv lag lij lkt lld lmo lrc ltg luo luy mai mas mdf mer mfe mgh mgo mhn mic
mni moh mua mus myv mzn naq nds nmg nnh nqo nso nus nyn osa pap pcm pis prg quc raj rhg rif rof rwk sah saq sat sbp
scn sdh seh ses shi shn shp sid skr sma smj smn sms ssy syr szl teo tig tok tpi trv trw twq tyv tzm vai vec vmw vun
wae wal wbp xnr xog yav yrl yue zgh
"""
LANGUAGES = frozenset(_CODES.split())
# RFC 5646 §2.1: language, script, region, variants. No extensions and nothing private: nobody picks those in a form.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE | re.ASCII,
)
_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def canonical_locale(tag: str) -> str | None:
    """A BCP 47 tag in the case of RFC 5646 §2.1.1 (`de-AT`, `zh-Hant-TW`); None for what is none, or names no language
    that there is."""
    found = _TAG.fullmatch(tag)
    if found is None or found["language"].lower() not in LANGUAGES:
        return None
    parts = (found["language"].lower(), (found["script"] or "").title(), (found["region"] or "").upper())
    return "-".join(filter(None, parts)) + found["variants"].lower()


@cache
def time_zones() -> frozenset[str]:
    """The names in the IANA time zone database of this machine, or of the package tzdata."""
    return frozenset(available_timezones())


@cache
def zones_to_choose() -> dict[str, tuple[str, ...]]:
    """The zones that a place is named after, by their part of the world, both in order."""
    chosen = sorted(name for name in time_zones() if name.partition("/")[0] in _REGIONS)
    return {region: tuple(name for name in chosen if name.startswith(f"{region}/")) for region in _REGIONS}
