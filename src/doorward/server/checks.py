"""What `doorward doctor` looks at, one small function each; none of them changes anything."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import redis
from cryptography import x509

from doorward import presets
from doorward.breaches import open_filter, open_search
from doorward.core.doorward import records_of
from doorward.core.finish import finish
from doorward.core.ports import Unavailable
from doorward.core.refusals import Misconfigured
from doorward.core.resealing import InUse, in_use
from doorward.cpu import MIB, HashPool
from doorward.delivery import MailDown, SmtpMail, open_sms
from doorward.features.passkeys.stored import domains_in
from doorward.features.password_hashes import peppers_in
from doorward.primitives import phones
from doorward.primitives.hashing import OWASP
from doorward.primitives.strength import zxcvbn_module
from doorward.server import passkey_checks, tls
from doorward.server.config import check_exposure
from doorward.server.doctor import Case, Check, Finding, note, ok, problem, told
from doorward.server.tasks import MOST_SKEW, skew
from doorward.stores import open_store
from doorward.stores.migrations import drift, pending

PATIENCE = 5  # seconds for a server to answer
CERTIFICATE_NOTICE = timedelta(days=14)


def secret(case: Case) -> Iterator[Finding]:
    if "secret" in case.broken:
        return
    number = len(case.settings.secret)
    yield ok("secret", "strong" if number == 1 else f"strong; {number} of them, the first one writes")
    file = case.sources.file
    found = {name.lower() for name in case.sources.config}
    holds_secrets = found & {"secret", "pepper", "smtp_url", "sms_url", "database_url"}
    if file is not None and holds_secrets and os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield problem(
            "secret", f"{file} holds secrets and other users of this machine can read it", f"chmod 600 {file}"
        )


def origin(case: Case) -> Iterator[Finding]:
    if "origin" in case.broken:
        return
    settings, port = case.settings, case.listen.port
    if settings.origin.is_secure:
        yield ok("origin", f"{settings.origin}, https")
    else:
        yield note(
            "origin", f"{settings.origin}: for trying it on this machine", "set an https ORIGIN before others come"
        )
    behind_proxy = bool(settings.trusted_proxies)
    if not behind_proxy and settings.origin.port != port and (case.has_tls or not settings.origin.is_secure):
        yield problem(
            "origin",
            f"people go to port {settings.origin.port} and the server listens on {port}",
            "give ORIGIN and LISTEN the same port, or set TRUSTED_PROXIES if a proxy stands between",
        )


def exposure(case: Case) -> Iterator[Finding]:
    if "origin" in case.broken:
        return
    try:
        check_exposure(case.settings, case.listen, tls=case.has_tls)
    except Misconfigured as wrong:
        yield problem("https", f"{case.listen} is open to other machines without https", wrong.cure)
        return
    yield ok("https", f"listens on {case.listen}, " + ("with TLS" if case.has_tls else "plain http"))


def certificate(case: Case) -> Iterator[Finding]:
    if case.cert is None or case.key is None:
        return
    try:
        tls.brought(case.cert, case.key)
        found = tls.certificate_in(case.cert)
    except (Misconfigured, ValueError, OSError) as wrong:
        cure = "name a PEM file with the whole chain, and its unencrypted key"
        yield problem("certificate", wrong.cure if isinstance(wrong, Misconfigured) else str(wrong), cure)
        return
    yield from _about(case, found)


def _about(case: Case, found: x509.Certificate) -> Iterator[Finding]:
    left = found.not_valid_after_utc - datetime.now(UTC)
    host = case.settings.origin.host
    if not tls.covers(found, case.settings.origin):
        names = ", ".join(sorted(tls.names_of(found))) or "nobody"
        yield problem("certificate", f"is for {names}, not for {host}", f"get a certificate for {host}")
    elif left < timedelta():
        yield problem("certificate", f"expired {-left.days} days ago", "renew it and restart")
    elif left < CERTIFICATE_NOTICE:
        yield note("certificate", f"expires in {left.days} days", "renew it and restart")
    else:
        yield ok("certificate", f"for {host}, {left.days} days left")


def proxy(case: Case) -> Iterator[Finding]:
    trusted, cure = (
        case.settings.trusted_proxies,
        "set TRUSTED_PROXIES to the addresses of the proxy, such as 10.0.0.5/32",
    )
    if any(network.prefixlen == 0 for network in trusted):
        yield problem("proxy", "every client is believed about its own address, so limits by network hold nobody", cure)
    elif case.settings.origin.is_secure and not case.has_tls and not trusted and case.listen.is_loopback:
        yield problem(
            "proxy", "https must come from a proxy, whose address is then everybody's in limits and lists", cure
        )
    elif case.settings.protected_origins and not trusted:
        yield problem("proxy", "PROTECTED_ORIGINS have one, and what it says of the page wanted is not believed", cure)
    elif trusted:
        yield ok("proxy", "believed: " + ", ".join(map(str, trusted)))
    else:
        yield ok("proxy", "none")


def database(case: Case) -> Iterator[Finding]:
    url = case.settings.database_url
    scheme = url.partition(":")[0]
    if url == "memory:":
        yield note("database", "in memory: all is lost at the end", "set DATABASE_URL")
        return
    try:
        if scheme == "sqlite" and not _exists(url):
            yield ok("database", "SQLite, not made yet")
            return
        if pending(url):
            yield problem("database", f"{scheme}: lacks tables or columns of this release", "run `doorward migrate`")
            return
        differences = drift(url, records_of(presets.standard()))
    except (Unavailable, Misconfigured) as wrong:
        yield problem("database", f"can't be reached: {wrong}", "start it, or mend DATABASE_URL")
        return
    if differences:
        yield problem(
            "database", "; ".join(differences), "undo what was changed by hand; `doorward migrate` can't know it"
        )
    else:
        yield ok("database", f"{scheme}, reachable and migrated")
        yield from _clock(url)
        yield from _stored(case)


def _exists(url: str) -> bool:
    return Path(url.removeprefix("sqlite:///")).exists()


def _stored(case: Case) -> Iterator[Finding]:
    """Whether what is stored can be read with the keys that the settings have."""
    features = presets.standard()

    async def needed() -> tuple[dict[str, int], InUse, Mapping[str, int]]:
        async with stores.unit("sync") as store:
            seals = await in_use(store, features, [id for id, _ in case.settings.secret])
            return await peppers_in(store), seals, await domains_in(store)

    stores = open_store(case.settings.database_url, records=records_of(features))
    try:
        peppers, seals, domains = finish(needed())
    finally:
        stores.close()
    yield from _pepper(case, peppers)
    if "origin" not in case.broken:
        yield from passkey_checks.domains(case, domains)
    if "secret" not in case.broken:
        yield from _seals(seals)


def _pepper(case: Case, used: dict[str, int]) -> Iterator[Finding]:
    """A pepper that is lost locks out everybody whose hash needs it."""
    here = [id for id, _ in case.settings.pepper]
    lost = {id: count for id, count in used.items() if id not in here}
    for id, count in lost.items():
        found = f"{count} of the newest passwords need {id!r}, which PEPPER does not have: their owners can't sign in"
        yield problem("pepper", found, "put it back, behind the newest one; if it is lost they must choose new ones")
    if not lost:
        yield ok("pepper", f"{here[0]!r} goes into new hashes, {len(here)} are read" if here else "none")


def _seals(seals: InUse) -> Iterator[Finding]:
    """A key that is lost takes authenticator apps and signing keys with it."""
    if seals.by_others:
        found = f"{seals.by_others} values are sealed by keys that SECRET does not have"
        yield problem("sealed", found, "put them back behind the newest one; what they sealed can't be read without")
    for id, count in list(seals.by.items())[1:]:
        if count:
            yield note("sealed", f"{count} values are sealed by the older key {id!r}", "run `doorward secrets reseal`")
        else:
            yield note("sealed", f"nothing is sealed by the older key {id!r}", "see `doorward secrets list`; it may go")
    if not seals.by_others and len(seals.by) == 1:
        yield ok("sealed", "all of it by the key of SECRET")


def _clock(url: str) -> Iterator[Finding]:
    """Times compared across machines are the database's (rule 29)."""
    if not url.startswith("postgres"):
        yield ok("clock", "the database is a file of this machine")
        return
    seconds = skew(url)
    if abs(seconds) > MOST_SKEW:
        yield problem(
            "clock", f"{seconds:+.1f} s from the database", "run a time service (chrony, systemd-timesyncd) on both"
        )
    else:
        yield ok("clock", f"{abs(seconds) * 1000:.0f} ms from the database")


def mail(case: Case) -> Iterator[Finding]:
    settings = case.settings
    if not settings.smtp_url:
        level = note if settings.origin.is_loopback else problem
        yield level("mail", "letters go to the terminal", "set SMTP_URL and MAIL_FROM")
        return
    try:
        SmtpMail(settings.smtp_url, settings.mail_from, patience=PATIENCE).check()
    except Misconfigured as wrong:
        yield problem("mail", *told(wrong))
    except MailDown as away:
        yield problem("mail", f"the mail server does not take our letters: {away}", "start it, or mend SMTP_URL")
    else:
        yield ok("mail", "the mail server answers, and knows us")


def sms(case: Case) -> Iterator[Finding]:
    """Whether the service takes our messages shows with the first one: to ask would cost one."""
    url, regions = case.settings.sms_url, ", ".join(case.settings.texted_regions)
    if not url:
        return
    try:
        open_sms(url)
    except Misconfigured as wrong:
        yield problem("sms", *told(wrong))
        return
    scheme = url.partition(":")[0]
    if scheme == "console":
        yield note("sms", "text messages go to the terminal", "set SMS_URL to a service")
    elif not phones.is_available():
        yield problem("sms", "no number is understood here", "pip install 'doorward[phone]'")
    else:
        yield ok("sms", f"by {scheme}, to numbers of {regions}")


def valkey(case: Case) -> Iterator[Finding]:
    url = case.settings.redis_url
    if not url:
        where = "in the database" if case.settings.database_url.startswith("postgres") else "by each process for itself"
        yield ok("valkey", f"none: short-term limits are counted {where}")
        return
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE) as server:
            server.ping()
    except (redis.RedisError, OSError, ValueError) as wrong:
        yield problem("valkey", f"can't be reached: {wrong}", "start it, or mend REDIS_URL")
    else:
        yield ok("valkey", "answers")


def breached(case: Case) -> Iterator[Finding]:
    try:
        own = open_filter(case.settings.breached_filter)
    except Misconfigured as wrong:
        yield problem("breached", *told(wrong))
        return
    ships = "the list of common passwords that ships"
    if own is None:
        yield ok("breached", ships)
    else:
        yield ok("breached", f"{ships}, and {case.settings.breached_filter} ({own.kind}, {own.bits // 8 >> 20} MiB)")
    service = open_search(case.settings.breached_url)
    if service is not None and finish(service.sync.knows("password")) is None:
        yield note(
            "breached", f"{case.settings.breached_url} does not answer", "mend BREACHED_URL; till then it is passed by"
        )


def strength(case: Case) -> Iterator[Finding]:
    if zxcvbn_module is None:
        yield note("strength", "passwords get no score: zxcvbn is missing", "pip install 'doorward[strength]'")
    else:
        yield ok("strength", "zxcvbn scores passwords as they are typed")


def threads(case: Case) -> Iterator[Finding]:
    """Places for hashing against the memory they may declare: too few places to wait, and sign-ins are sent away."""
    is_set = case.sources.value("hash_memory_mib") is not None
    pool = HashPool(memory_limit=case.settings.hash_memory_mib * MIB if is_set else None)
    waiting = pool.memory_limit // OWASP.memory_bytes
    found = f"{pool.places} at once, {waiting} running and waiting in {pool.memory_limit // MIB} MiB"
    if waiting < 2 * pool.places:
        yield problem("hash places", found, f"set HASH_MEMORY_MIB to {pool.places * 8 * 20} or more")
    else:
        yield ok("hash places", found)


def hash_cost(case: Case) -> Iterator[Finding]:
    """The least of five: what else runs on the machine does not count."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        OWASP.hash("correct horse", salt=b"0123456789abcdef")
        times.append(time.perf_counter() - began)
    milliseconds = min(times) * 1000
    found = f"{milliseconds:.0f} ms for one argon2id of {OWASP.memory_kib // 1024} MiB on this machine"
    if milliseconds > 250:
        yield note("hash cost", found, "sign-in is slow here: give the machine more CPU")
    else:
        yield ok("hash cost", found)


# vpmuludq on 256-bit registers (VEX prefix, L=1) and pmuludq on 128-bit ones: the heart of argon2's mixing.
_AVX2 = re.compile(
    rb"\xc5[\x05\x0d\x15\x1d%\x2d\x35=EMU\x5dem\x75\x7d\x85\x8d\x95\x9d\xa5\xad\xb5\xbd\xc5\xcd\xd5\xdd\xe5\xed\xf5\xfd]\xf4"
)


def argon2_build(case: Case) -> Iterator[Finding]:
    """Wheels are built for every processor of a kind. Measured at 19 MiB: AVX2 takes half of the portable time."""
    library = _argon2_library()
    if library is None or not _processor_has("avx2"):
        yield ok("argon2", "the portable build is as good as any on this processor")
    elif len(_AVX2.findall(library.read_bytes())) > 8:
        yield ok("argon2", "built for this processor (AVX2)")
    else:
        cure = "CFLAGS=-mavx2 pip install --force-reinstall --no-deps --no-binary :all: argon2-cffi-bindings"
        yield note("argon2", "portable build; with AVX2, which this processor has, a hash takes half the time", cure)


def _argon2_library() -> Path | None:
    package = find_spec("_argon2_cffi_bindings")
    if package is None or package.origin is None:
        return None
    return next(Path(package.origin).parent.glob("_ffi*.so"), None)


def _processor_has(flag: str) -> bool:
    try:
        return re.search(rf"^flags\s*:.*\b{flag}\b", Path("/proc/cpuinfo").read_text(), re.MULTILINE) is not None
    except OSError:
        return False


CHECKS: tuple[Check, ...] = (
    *(secret, origin, exposure, certificate, proxy, database, passkey_checks.settings, mail, sms, valkey),
    *(breached, strength, threads, hash_cost, argon2_build),
)
