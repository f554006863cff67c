"""Which test holds which known attack: each id of our list of attacks, or the feature it waits for."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.security import attacks_on_recovery, attacks_on_second_factors, attacks_on_sessions, attacks_on_sign_in

TESTS = Path(__file__).parents[1]

HOSTILE = "scenarios/test_hostile_input.py::test_a_field_that_is_not_as_it_should_be"
JWT = "primitives/test_jwt.py::test_hostile_tokens"
KEYS = "features/test_api_keys.py"
ROLES = "features/test_roles.py"
INVITED = "features/test_invitations_attacked.py"

PARTS = (attacks_on_sign_in.HELD, attacks_on_second_factors.HELD, attacks_on_sessions.HELD)
OTHERS: dict[str, tuple[str, ...]] = {
    "CSRF-02": (
        "features/test_forward_auth_hosts.py::test_a_code_is_good_in_the_browser_that_asked_only",
        "scenarios/test_cross_site.py::test_nobody_is_signed_in_by_another_site",
    ),
    "CSRF-06": ("scenarios/test_cross_site.py::test_a_form_token_ends_with_the_sign_in",),
    "CSRF-08": (
        "scenarios/test_cross_site.py::test_a_form_needs_the_token_of_its_own_browser",
        "http/test_csrf.py::test_what_is_no_token",
    ),
    "CSRF-10": (
        "http/test_csrf.py::test_what_a_browser_says_decides",
        "scenarios/test_cross_site.py::test_a_browsers_null_origin_passes_with_its_form_token_only",
    ),
    "CSRF-11": ("scenarios/test_cross_site.py::test_pages_carry_the_whole_policy",),
    "REDIR-01": (
        "primitives/test_urls.py::test_targets_elsewhere_are_refused",
        "scenarios/test_sign_in.py::test_only_paths_of_ours_are_returned_to",
        "features/test_forward_auth_hosts.py::test_nobody_is_sent_to_another_site",
    ),
    "REDIR-02": ("security/test_attacks.py::test_no_header_says_where_one_is_sent",),
    "REDIR-05": ("scenarios/test_forms.py::test_nobody_is_sent_to_another_site",),
    "DOS-01": (
        "primitives/test_hashing.py::test_oversize_passwords_cost_nothing",
        "scenarios/test_hostile_input.py::test_a_megabyte_is_too_large",
    ),
    "DOS-02": ("test_cpu.py::test_forty_at_once_never_pass_the_limit",),
    "DOS-03": ("primitives/test_text.py::test_an_address_that_grows_too_long_is_refused", HOSTILE),
    "DOS-04": (JWT,),
    "DOS-05": (JWT,),
    "DOS-08": ("scenarios/test_hostile_input.py::test_a_body_that_is_no_json_object",),
    "DOS-09": (
        "http/test_bodies.py::test_all_others_are_refused",
        "http/test_bodies.py::test_no_bytes_break_the_readers",
    ),
    "DOS-11": ("server/test_stalled.py::test_no_client_holds_a_connection_without_using_it",),
    "DOS-12": ("primitives/test_foreign_hashes.py::test_malformed_or_costly_is_refused_at_once",),
    "DOS-16": ("http/test_bodies.py::test_no_bytes_break_the_readers",),
    "DOS-17": (
        "http/test_bodies.py::test_no_query_breaks_the_reader",
        "primitives/test_text.py::test_what_is_no_address_is_refused",
    ),
    "AUTHZ-01": ("security/test_attacks.py::test_no_field_is_taken_that_an_action_does_not_have",),
    "AUTHZ-05": (
        "features/test_sign_up.py::test_closed_sign_up_is_closed",
        "features/test_sign_up.py::test_only_addresses_of_the_allowed_domains_sign_up",
    ),
    "AUTHZ-03": (
        f"{ROLES}::test_who_asks_for_an_invited_address_is_no_administrator",
        f"{INVITED}::test_an_account_is_not_opened_by_an_invitation",
    ),
    "AUTHZ-04": (
        f"{ROLES}::test_whom_there_is_not_gets_nothing",
        "django/test_users.py::test_with_a_user_goes_what_we_know_of_them",
    ),
    "AUTHZ-09": ("security/test_authorization.py::test_no_spelling_of_a_path_opens_what_needs_a_role",),
    "AUTHZ-10": (
        f"{ROLES}::test_nobody_gives_or_takes_a_permission_that_they_lack",
        f"{INVITED}::test_an_invitation_is_worth_what_who_sent_it_may_do_now",
        "django/test_roles.py::test_who_may_give_roles_gives_none_with_more_than_they_have",
    ),
    "AUTHZ-12": (
        "security/test_authorization.py::test_every_list_is_ones_own",
        f"{KEYS}::test_nobody_makes_or_sees_or_ends_anothers",
    ),
    "INJ-04": ("delivery/test_texts.py::test_a_name_is_nothing_but_text",),
    "INJ-05": ("http/test_pages.py::test_hostile_text_is_shown_as_text",),
    "INJ-06": ("delivery/test_smtp.py::test_no_line_break_comes_into_a_header", HOSTILE),
    "INJ-07": ("primitives/test_text.py::test_what_is_no_address_is_refused",),
    "INJ-08": ("server/test_commands.py::test_names_do_not_command_the_terminal",),
    "INJ-09": ("delivery/test_texts.py::test_a_name_is_nothing_but_text",),
    "INJ-12": (HOSTILE, "core/test_action.py::test_types_are_never_bent"),
    "INJ-13": (HOSTILE, "features/test_sign_up.py::test_bad_input_is_named_and_nothing_is_written"),
    "PROXY-01": (
        "test_fastapi.py::test_no_spelling_makes_a_closed_route_public",
        "scenarios/test_cross_site.py::test_a_host_that_is_not_ours_gets_400",
    ),
    "PROXY-02": ("scenarios/test_cross_site.py::test_a_host_that_is_not_ours_gets_400",),
    "PROXY-03": (
        "security/test_attacks.py::test_no_header_says_where_one_is_sent",
        "features/test_forward_auth_hosts.py::test_no_forwarded_header_makes_another_host_of_it",
        "features/test_forward_auth_hosts.py::test_a_host_that_is_not_configured_gets_nothing",
    ),
    "PROXY-06": ("server/test_raw_requests.py::test_nothing_comes_in_behind_an_ambiguous_request",),
    "PROXY-04": (
        "server/test_behind_proxies.py::test_what_a_client_says_of_itself_does_not_arrive",
        "features/test_forward_auth.py::test_what_a_client_says_of_itself_is_not_looked_at",
    ),
    "LOG-01": (
        "scenarios/test_nothing_leaks.py::test_secrets_are_in_no_log_and_hashes_in_no_answer",
        "primitives/test_tokens.py::test_a_secret_prints_as_nothing",
        "server/test_config.py::test_a_secret_is_not_printed",
    ),
    "LOG-02": ("faults/test_audit_killed.py::test_what_happened_and_its_entry_are_both_there_or_neither",),
    "CONFIG-01": ("primitives/test_keyring.py::test_weak_secrets_are_refused",),
    "CONFIG-03": (
        "server/test_serve.py::test_https_by_a_certificate_made_here_with_http_2",
        "server/test_tls.py::test_brought_files_must_belong_together",
    ),
    "CONFIG-04": ("server/test_serve.py::test_it_answers_under_its_prefix_and_nowhere_else",),
    "CONFIG-05": ("http/test_cookies.py::test_https_has_host_cookies",),
    "CONFIG-07": ("shape/test_words.py::test_requirements_are_hashed",),
    "UI-02": ("http/test_pages.py::test_a_page_has_what_every_page_needs_and_nothing_inline",),
    "UI-03": ("http/test_pages.py::test_fields_say_what_they_are_for",),
    "FAULT-04": ("faults/test_valkey_down.py::test_valkey_is_killed_and_comes_back",),
}

HELD = {id: tests for part in (*PARTS, OTHERS) for id, tests in part.items()}

# Features that are not there yet, and the attacks on them.
WAITING: dict[str, str] = {
    "installations of several tenants": "KEYS-02",
    "webhooks": "SSRF-01 SSRF-03",
    "admin": "AUTHZ-06 INJ-01",
    "sign-in by others (OAuth, OpenID Connect)": "CSRF-03 CSRF-04 LINK-01 LINK-02 LINK-03 LINK-04 LINK-05 LINK-07 "
    "LINK-09 LINK-10 LINK-12",
    "sign-in for others (OpenID provider)": "REDIR-04 REFRESH-06 OAUTH-01 OAUTH-02 OAUTH-03 OAUTH-04 OAUTH-05 OAUTH-06 "
    "OAUTH-07 OAUTH-08 OAUTH-12 OAUTH-14 OAUTH-16 OAUTH-18 OAUTH-20",
    "saml": "SAML-02 SAML-03 SAML-04",
    "the harness of faults": "FAULT-01 FAULT-05 FAULT-06 FAULT-07 FAULT-08 FAULT-11 FAULT-14 FAULT-15 "
    "FAULT-16 FAULT-17 FAULT-18",
    "load": "LOAD-01 LOAD-02 LOAD-03 LOAD-05 LOAD-06",
}


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("id", HELD)
def test_an_attack_is_held_by_tests_that_exist(id: str) -> None:
    for test in (*HELD[id], *attacks_on_recovery.ALSO.get(id, ())):
        path, _, name = test.partition("::")
        assert (TESTS / path).is_file(), path
        assert name in names_in(path), test


def test_an_attack_stands_in_one_list() -> None:
    assert len(HELD) == sum(len(part) for part in (*PARTS, OTHERS))


def test_no_attack_waits_that_is_held_already() -> None:
    waiting = [id for ids in WAITING.values() for id in ids.split()]
    assert len(set(waiting)) == len(waiting)
    assert not HELD.keys() & set(waiting)


def test_what_is_there_waits_for_nothing() -> None:
    features = {path.stem for path in (TESTS.parent / "src/doorward/features").glob("*.py")}
    assert not features & WAITING.keys(), "its attacks need tests now"
