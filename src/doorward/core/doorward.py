"""One installation, put together: settings, features and ports; and the one way an action is run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from doorward.core.accounts import account_of
from doorward.core.action import Action, Demand, Needs
from doorward.core.attempt import Attempt
from doorward.core.call import Call, Client, Issuer, World
from doorward.core.demands import FactorDemand, FactorGrace
from doorward.core.devices import TrustedDevice
from doorward.core.events import Event
from doorward.core.facts import facts_of
from doorward.core.feature import Feature, Page, Sweep
from doorward.core.links import MailedLink
from doorward.core.ports import BreachSearch, Busy, Clock, Hash, Limits, Post, Randomness, RoleBook, Store
from doorward.core.possession import SpentProof
from doorward.core.records import CORE_RECORDS, OutboxMessage, Record, User
from doorward.core.recovering import MailedPassword, RecoveryWait
from doorward.core.refusals import Misconfigured, Refused
from doorward.core.rights import permissions_of, roles_of
from doorward.core.session import Caller, HostPass, Identity, Recent, Session, counting
from doorward.core.settings import Settings
from doorward.core.steps import (
    EMAIL,
    LEVELS,
    SMS,
    Done,
    Enroll,
    Gate,
    Method,
    Proof,
    Prove,
    Step,
    has_second_factor,
    meets,
    next_step,
    reaches_two,
    resists_phishing,
)
from doorward.core.usernames import FormerUsername
from doorward.primitives.bloom import Bloom
from doorward.primitives.keyring import Keyring

T = TypeVar("T")


async def _cookie_session(call: Call, user: User, session: Session) -> Mapping[str, Any]:
    return {}  # the adapter sets the cookie; the body carries no secret


class Doorward:
    """The core of one installation. Adapters carry requests to it; it does no I/O but through its ports."""

    def __init__(
        self,
        *,
        settings: Settings,
        features: Sequence[Feature],
        limits: Limits,
        clock: Clock,
        random: Randomness,
        post: Post,
        breached: Bloom | None = None,
        search: BreachSearch | None = None,
        gates: Sequence[Gate] = (),
        roles: RoleBook | None = None,
        prefix: str = "/auth",
        remember: bool = False,
        texts: bool = False,
    ) -> None:
        """`roles`: a host's own, in the place of a feature's. `remember`: identities may be used again for half a
        second; not where a host can change users itself. `texts`: text messages are sent, also without SMS_URL."""
        for feature in features:
            feature.check(settings, clock())
        self.features = {type(feature): feature for feature in features}
        if len(self.features) != len(features):
            raise Misconfigured("features.E2", "a feature is given twice; give each one once")
        self.actions = _unique("action", ((a.name, a) for f in features for a in f.actions))
        self.pages: dict[str, Page] = _unique("page", ((p.path, p) for f in features for p in f.pages))
        self.records = records_of(features)
        expiring = (Attempt, Session, HostPass, MailedLink, OutboxMessage, FormerUsername, SpentProof, RecoveryWait)
        self.sweeps = tuple(Sweep(kind, "expires_at") for kind in expiring)
        self.sweeps += tuple(sweep for feature in features for sweep in feature.sweeps)
        self.chores = tuple(chore for feature in features for chore in feature.chores)
        texts = settings.policy.sms_codes and (texts or bool(settings.sms_url))
        methods, offered = _methods(features, settings, texts=texts)
        brought = {kind: issuer for feature in features for kind, issuer in feature.issuers.items()}
        issuers: dict[str, Issuer] = {"session": _cookie_session, **brought}
        self.world = World(
            settings=settings,
            policy=settings.policy,
            prefix=prefix,
            keyring=Keyring(settings.secret),
            features=self.features,
            records=self.records,
            methods=methods,
            offered=offered,
            listeners=tuple(listener for feature in features for listener in feature.listeners),
            issuers=issuers,
            bearers=tuple(reader for feature in features for reader in feature.bearers),
            possession=next((check for f in features for check in f.possession), None),
            gates=list(gates),
            roles=roles or next((feature.roles for feature in features if feature.roles is not None), None),
            limits=limits,
            clock=clock,
            random=random,
            post=post,
            texts=texts,
            breached=breached,
            search=search,
            recent=Recent() if remember else None,
        )

    def call(self, store: Store, hash: Hash, client: Client | None = None) -> Call:
        """A call for one request, at one moment."""
        return Call(self.world, store, hash, self.world.clock(), client or Client())

    def on(self, event: type[Event]) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
        """`@auth.on(SignedIn)`: call the function with each such event, in the transaction that caused it."""

        def register(listener: Callable[[Any], T]) -> Callable[[Any], T]:
            self.world.host_listeners.append((event, listener))
            return listener

        return register

    async def perform(self, call: Call, action: Action[..., T], arguments: Mapping[str, Any]) -> T:
        """Run an action: who may, first; then the story. Raises `Refused`."""
        if action.proving and call.store.in_transaction:
            raise Misconfigured(
                "core.E1",
                f"{action.name} counts tries and can't run inside a transaction that something else opened "
                "(ATOMIC_REQUESTS?); call it outside of transaction blocks",
            )
        if call.key is not None and not action.keys:
            raise Refused("not_permitted", "An API key can't do this.")
        if call.client.host and not action.hosts:
            raise Refused("not_permitted", "This can't be done at another host.")
        await require(call, action.demand)
        try:
            return await action.run(call, **arguments)
        except Busy as busy:
            raise Refused("busy", retry_after=busy.retry_after) from None
        finally:
            if action.method != "GET" and self.world.recent is not None:
                self.world.recent.clear()


def records_of(features: Iterable[Feature]) -> tuple[type[Record], ...]:
    """Every record class of the core and of these features, once."""
    beside = (HostPass, MailedLink, FormerUsername, SpentProof, TrustedDevice, FactorDemand, FactorGrace)
    ours = (*CORE_RECORDS, Attempt, Session, *beside, RecoveryWait, MailedPassword)
    return tuple(dict.fromkeys((*ours, *(r for f in features for r in f.records))))


async def require(call: Call, needs: Needs | Demand) -> None:
    """Refuse unless what is demanded holds now: of actions and pages, and behind the hosts' `login_required` and
    `needs(…)`. What one may not do at all is said before what one would have to prove first."""
    demand = needs if isinstance(needs, Demand) else Demand(needs)
    if demand.needs is Needs.NOTHING:
        return
    caller = call.caller or call.signed_in
    await _require_rights(call, caller, demand)
    if demand.needs is Needs.SIGNED_IN and not (demand.aal or demand.phishing_resistant):
        return
    identity = call.signed_in  # an API key proves nothing: AAL 0, and never fresh
    counts = counting(identity.session, call.policy, call.now)
    if demand.phishing_resistant and not resists_phishing(counts, call.world.methods):
        raise await _short_of(call, identity, counts, demand, "phr")
    if identity.aal < demand.aal:
        raise await _short_of(call, identity, counts, demand, "aal2")
    if demand.needs is not Needs.SIGNED_IN:
        await _require_fresh(call, identity, demand)


async def _require_rights(call: Call, caller: Caller, demand: Demand) -> None:
    """Roles and permissions are those of the user, now. Who is held to scopes (rule 28) has no role, and of the user's
    permissions those that are scopes as well."""
    may = demand.scope == "" or caller.has_scope(demand.scope)
    if may and demand.role:
        may = caller.scopes is None and demand.role in await roles_of(call, caller.user)
    if may and demand.permission:
        may = caller.has_scope(demand.permission) and demand.permission in await permissions_of(call, caller.user)
    if not may:
        raise Refused("not_permitted")


async def _short_of(call: Call, identity: Identity, counts: tuple[Proof, ...], demand: Demand, acr: str) -> Refused:
    """Below what is asked for: what to prove, or to set up where there is nothing."""
    account = await account_of(call, identity.user)
    facts = await facts_of(call, identity.user, account, counts, at_least=LEVELS[acr], is_in=True)
    step = next_step(facts, call.world.gates)
    if isinstance(step, Enroll):
        return Refused("second_factor_required", methods=step.methods, acr=acr)
    return _not_fresh(call, demand, step, acr=acr)


def _not_fresh(call: Call, demand: Demand, step: Step, *, acr: str) -> Refused:
    """RFC 9470: how old a proof may be, what it must be worth, and the ways to it."""
    within = demand.fresh_within or call.policy.fresh_within
    methods = step.methods if isinstance(step, Prove | Enroll) else ()
    return Refused("fresh_proof_required", methods=methods, max_age=int(within.total_seconds()), acr=acr)


async def _require_fresh(call: Call, identity: Identity, demand: Demand) -> None:
    account = await account_of(call, identity.user)
    within = demand.fresh_within or call.policy.fresh_within
    facts = await facts_of(call, identity.user, account, identity.proofs, fresh_within=within, is_in=True)
    if demand.needs is Needs.FRESH_WITH_SECOND and not has_second_factor(facts):
        return
    acr = "phr" if demand.phishing_resistant else "aal2" if reaches_two(facts) else "aal1"
    if demand.phishing_resistant:
        facts = replace(facts, second_factor=LEVELS["phr"])
    if not facts.enrolled:  # nothing to prove with again: being signed in lately is all there is
        facts = replace(facts, fresh_within=None)
        if identity.session.created_at < call.now - within:
            raise _not_fresh(call, demand, Prove(()), acr=acr)
    step = next_step(facts, call.world.gates)
    if not isinstance(step, Done):
        raise _not_fresh(call, demand, step, acr=acr)


def _methods(
    features: Sequence[Feature], settings: Settings, *, texts: bool
) -> tuple[dict[str, Method], frozenset[str]]:
    """Those whose proofs count, and the names of those that one may sign in by. Sign-up and reset prove an address
    where nobody signs in by mail, too."""
    brought: dict[str, Method] = _unique("method", ((m.name, m) for f in features for m in f.methods))
    closed = {EMAIL.name: not settings.policy.sign_in_by_mail, SMS.name: not texts}
    offered = frozenset(name for name in brought if not closed.get(name))
    demanded = settings.policy.second_factor
    if demanded and not any(method.enrolls and meets(method, demanded) for method in brought.values()):
        cure = "add a feature that brings one, such as Totp() or, where it must resist phishing, Passkeys()"
        raise Misconfigured("policy.E1", f"POLICY demands a second factor that nobody could enrol; {cure}")
    return {**brought, EMAIL.name: EMAIL}, offered


def _unique(what: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, value in pairs:
        if found.get(name, value) is not value:  # several features may sign in by one method
            raise Misconfigured("features.E3", f"two features bring the {what} {name!r}; leave one out")
        found[name] = value
    return found
