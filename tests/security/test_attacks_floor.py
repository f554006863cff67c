"""Which test holds which known attack: each id of our list of attacks, or the feature it waits for."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.security import attacks_on_second_factors

TESTS = Path(__file__).parents[1]

HOSTILE = "scenarios/test_hostile_input.py::test_a_field_that_is_not_as_it_should_be"
JWT = "primitives/test_jwt.py::test_hostile_tokens"
VECTORS = "primitives/test_wycheproof.py::test"
DUMP = "security/test_threat_model_of_servers.py::test_no_secret_stands_in_a_dump"
PASSWORD = "features/test_password.py"
KEYS = "features/test_api_keys.py"
ROLES = "features/test_roles.py"
INVITED = "features/test_invitations_attacked.py"
RESET = "features/test_reset_password.py"

HELD: dict[str, tuple[str, ...]] = {
    **attacks_on_second_factors.HELD,
    "ENUM-01": (
        f"{PASSWORD}::test_unknown_wrong_and_disabled_are_one_answer_and_one_amount_of_work",
        "primitives/test_hashing.py::test_work_for_nobody_takes_as_long_as_a_wrong_password",
    ),
    "ENUM-04": (
        "faults/test_smtp_down.py::test_forgot_waits_for_no_mail_server",
        f"{RESET}::test_known_and_unknown_get_one_answer_and_cost_the_same",
    ),
    "ENUM-05": ("scenarios/test_sign_in.py::test_unknown_and_wrong_are_one_answer",),
    "ENUM-06": (
        "scenarios/test_sign_up.py::test_a_taken_address_gets_the_same_answer_and_its_owner_a_letter",
        "features/test_change_email.py::test_somebody_elses_address_gets_the_same_answer_and_its_owner_a_letter",
    ),
    "ENUM-09": (f"{PASSWORD}::test_a_second_factor_shows_only_after_the_right_password",),
    "ENUM-11": ("scenarios/test_sign_in.py::test_unknown_and_wrong_are_one_answer",),
    "ENUM-12": ("faults/test_smtp_down.py::test_forgot_waits_for_no_mail_server",),
    "BRUTE-01": ("scenarios/test_forty_at_once.py::test_forty_wrong_passwords_are_counted",),
    "BRUTE-04": (
        "scenarios/test_cross_site.py::test_forwarded_headers_of_strangers_change_nothing",
        "http/test_headers.py::test_a_stranger_cannot_say_where_he_is",
    ),
    "BRUTE-06": ("security/test_attacks.py::test_one_account_has_one_count_of_failures_by_whatever_name",),
    "BRUTE-08": ("security/test_attacks.py::test_ones_own_success_gives_a_network_nothing_back",),
    "BRUTE-09": (
        f"{PASSWORD}::test_a_hundred_failures_disable_the_password",
        "security/test_ways_around.py::test_guessing_until_the_second_factor_is_disabled_does_not_make_it_optional",
    ),
    "BRUTE-10": (
        f"{PASSWORD}::test_strangers_close_the_password_to_strangers_only",
        "security/test_ways_around.py::test_who_has_the_password_does_not_keep_the_owner_from_the_second_step",
        "security/test_ways_around.py::test_a_network_that_is_over_its_budget_uses_up_nobody_elses",
    ),
    "BRUTE-11": ("primitives/test_text.py::test_names_that_are_refused",),
    "BRUTE-12": (
        "security/test_attacks.py::test_who_is_disabled_between_two_steps_does_not_come_in",
        "features/test_refresh_tokens.py::test_a_closed_account_refreshes_nothing",
    ),
    "BRUTE-13": ("features/test_verify_email.py::test_a_code_has_five_tries",),
    "BRUTE-14": ("scenarios/test_sign_up.py::test_five_wrong_codes_end_it",),
    "BRUTE-17": ("scenarios/test_hostile_input.py::test_no_path_is_normalised",),
    "BRUTE-18": (HOSTILE, "scenarios/test_hostile_input.py::test_forms_are_as_closed_as_json"),
    "BRUTE-20": (
        "faults/test_valkey_down.py::test_without_valkey_half_of_the_limit_holds",
        "security/test_threat_model_of_servers.py::test_emptied_limits_give_no_more_tries_at_one_account",
    ),
    "BRUTE-22": ("features/test_recovery_codes.py::test_what_is_no_code_costs_a_try_too",),
    "RESET-01": (
        "primitives/test_text.py::test_addresses_that_pass_for_another",
        "features/test_reset_password_of_hosts_users.py::test_a_letter_goes_to_what_is_stored_and_to_nothing_that_looks_like_it",
    ),
    "RESET-02": ("http/test_headers.py::test_links_come_from_the_configuration",),
    "RESET-04": ("security/test_attacks.py::test_what_is_mailed_stands_in_no_answer",),
    "RESET-05": (
        "http/test_pages.py::test_what_is_chosen_on_the_way_needs_a_proved_address",
        f"{RESET}::test_a_code_is_good_where_it_was_asked_for_only",
    ),
    "RESET-07": (
        "features/test_verify_email.py::test_a_code_works_once",
        f"{RESET}::test_either_is_good_once_and_ends_the_other",
    ),
    "RESET-08": ("security/test_attacks.py::test_a_secret_is_good_for_its_own_purpose_only",),
    "RESET-12": ("features/test_change_email.py::test_the_code_of_one_address_proves_no_other",),
    "RESET-09": (
        "features/test_verify_email.py::test_a_token_of_nothing_is_refused",
        f"{RESET}::test_a_token_of_another_kind_or_of_nothing_is_refused",
    ),
    "RESET-11": (
        "security/test_threat_model.py::test_a_sign_in_whose_hash_is_under_way_does_not_survive_a_change",
        "scenarios/test_back_in_by_mail.py::test_of_a_hundred_one_uses_a_link",
    ),
    "RESET-13": ("security/test_attacks.py::test_no_field_is_taken_that_an_action_does_not_have",),
    "RESET-14": (
        "features/test_verify_email.py::test_links_expire_without_a_sweeper",
        f"{RESET}::test_a_letter_lasts_half_an_hour_and_its_code_ten_minutes",
    ),
    "RESET-17": (
        "http/test_pages.py::test_a_link_is_followed_without_being_used_up",
        "server/test_serve.py::test_the_access_log_drops_the_query",
    ),
    "RESET-19": (f"{RESET}::test_a_second_factor_is_asked_for_and_mail_is_none",),
    "RESET-20": (
        f"{RESET}::test_the_code_sets_a_password_and_signs_in",
        f"{RESET}::test_programs_are_signed_out_as_well",
    ),
    "RESET-18": (DUMP, "security/test_threat_model_of_servers.py::test_no_value_of_a_dump_opens_anything"),
    "SESSION-01": (
        "scenarios/test_sign_in.py::test_a_session_secret_of_ones_own_making_is_never_adopted",
        "http/test_cookies.py::test_two_of_one_name_are_refused",
        "http/test_cookies.py::test_https_has_host_cookies",
    ),
    "SESSION-04": ("primitives/test_signing.py::test_every_key_of_the_ring_verifies_and_no_other",),
    "SESSION-05": (
        "test_flask.py::test_a_page_that_asks_who_it_is_says_so_to_caches",
        "django/test_hosting.py::test_what_reads_the_identity_varies_by_it",
    ),
    "SESSION-06": ("scenarios/test_sign_in.py::test_a_changed_password_ends_the_other_sessions",),
    "SESSION-07": ("features/test_sessions.py::test_list_and_end_one",),
    "SESSION-08": ("features/test_sessions.py::test_anonymous_requests_write_no_rows",),
    "SESSION-09": (
        "features/test_sessions.py::test_what_a_host_changes_behind_our_back_ends_sessions",
        "security/test_ways_around.py::test_a_session_that_the_host_ended_stays_ended_when_the_hash_is_made_anew",
        "django/test_users.py::test_with_a_user_goes_what_we_know_of_them",
        "features/test_forward_auth_host_cookies.py::test_what_ends_the_session_ends_it_at_all_hosts",
    ),
    "SESSION-10": ("features/test_sessions.py::test_a_cut_or_changed_secret_is_nobodys",),
    "SESSION-11": (
        "features/test_access_tokens.py::test_it_ends_with_its_time_and_with_its_session",
        "scenarios/test_other_hosts.py::test_a_session_that_is_ended_elsewhere_is_over_there_within_a_second",
    ),
    "SESSION-12": ("features/test_sessions.py::test_idle_and_absolute_limits",),
    "SESSION-15": ("scenarios/test_forms.py::test_a_stale_cookie_is_taken_away_where_one_signs_in",),
    "SESSION-16": ("faults/test_valkey_down.py::test_valkey_is_killed_and_comes_back",),
    "SESSION-18": (
        "features/test_sign_out.py::test_the_session_ends_on_the_server",
        "scenarios/test_hostile_input.py::test_other_methods_are_told_which",
        "features/test_forward_auth_host_cookies.py::test_scripts_of_another_application_sign_nobody_out_everywhere",
    ),
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
    "REFRESH-01": (
        "features/test_refresh_tokens.py::test_two_hundred_parallel_uses_have_one_child",
        "faults/test_refresh_killed.py::test_two_hundred_parallel_uses_have_one_child",
    ),
    "REFRESH-03": ("features/test_refresh_tokens.py::test_a_grandparent_is_reuse_even_within_the_grace",),
    "REFRESH-04": ("security/test_attacks.py::test_a_secret_is_good_for_its_own_purpose_only",),
    "REFRESH-08": ("scenarios/test_tokens.py::test_revoking_answers_the_same_for_all_tokens",),
    "REFRESH-09": ("security/test_threat_model.py::test_a_refresh_token_proves_nothing_afresh",),
    "REFRESH-11": ("features/test_refresh_tokens.py::test_it_ends_with_its_session",),
    "REFRESH-12": ("faults/test_refresh_killed.py::test_a_server_that_is_killed_neither_forks_nor_strands_a_family",),
    "JWT-01": (JWT,),
    "JWT-02": (JWT,),
    "JWT-03": ("primitives/test_keyring.py::test_weak_secrets_are_refused", JWT),
    "JWT-04": ("primitives/test_jwt.py::test_the_token_does_not_choose_the_algorithm",),
    "JWT-05": (JWT, "primitives/test_jwt.py::test_headers_that_are_refused"),
    "JWT-06": (
        JWT,
        "primitives/test_jwt.py::test_headers_that_are_refused",
        "tokens/test_verifier.py::test_no_redirect_is_followed",
        "tokens/test_verifier.py::test_only_https_and_this_machine_are_asked",
    ),
    "JWT-07": (JWT,),
    "JWT-08": (JWT,),
    "JWT-09": (JWT,),
    "JWT-11": ("primitives/test_jwt.py::test_audiences_that_do_not",),
    "JWT-12": ("primitives/test_jwt.py::test_claims_that_must_be_there", JWT),
    "JWT-15": (f"{VECTORS}_encrypted_tokens_are_refused_alike", f"{VECTORS}_nothing_of_ours_decrypts_a_token", JWT),
    "JWT-17": ("scenarios/test_tokens.py::test_a_session_secret_is_no_bearer_token_nor_the_other_way_round", JWT),
    "JWT-19": ("primitives/test_jwt.py::test_payloads_that_two_parsers_would_read_differently",),
    "JWT-22": (
        "features/test_token_keys.py::test_nobody_meets_a_key_unknown_to_a_service_that_caches",
        "features/test_token_keys.py::test_a_revoked_key_ends_its_tokens_at_once_and_no_session",
        "server/test_commands.py::test_a_key_revoked_on_the_command_line_ends_tokens_of_a_running_server",
    ),
    "JWT-24": (f"{VECTORS}_raw_signatures", f"{VECTORS}_keys_as_jwk_verify_the_same", f"{VECTORS}_signed_tokens"),
    "JWT-25": tuple(
        f"tokens/test_verifier.py::{name}"
        for name in (
            "test_a_remembered_token_ends_with_its_time",
            "test_a_clock_that_is_set_back_makes_nothing_good_before_its_time",
            "test_a_remembered_token_ends_with_its_key",
            "test_what_one_configuration_takes_another_one_does_not",
            "test_what_is_remembered_is_bounded_and_holds_no_token",
        )
    ),
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
    "KEYS-01": (f"{KEYS}::test_nobody_makes_or_sees_or_ends_anothers",),
    "KEYS-03": (
        f"{KEYS}::test_nobody_makes_or_sees_or_ends_anothers",
        f"{KEYS}::test_every_account_action_refuses_a_key",
    ),
    "KEYS-05": (
        f"{KEYS}::test_every_account_action_refuses_a_key",
        "scenarios/test_keys_for_programs.py::test_a_key_opens_the_hosts_routes_and_no_account_action",
    ),
    "KEYS-06": ("scenarios/test_keys_for_programs.py::test_a_key_is_read_from_the_header_alone",),
    "KEYS-08": (
        f"{KEYS}::test_it_ends_with_its_time",
        f"{KEYS}::test_last_used_is_written_in_batches",
    ),
    "PROXY-04": (
        "server/test_behind_proxies.py::test_what_a_client_says_of_itself_does_not_arrive",
        "features/test_forward_auth.py::test_what_a_client_says_of_itself_is_not_looked_at",
    ),
    "HASH-02": ("primitives/test_hashing.py::test_nothing_is_cut_off",),
    "HASH-03": ("primitives/test_hashing.py::test_nothing_is_cut_off",),
    "HASH-05": (
        "primitives/test_foreign_hashes.py::test_a_sample_opens_to_its_password_only",
        f"{PASSWORD}::test_an_old_hash_is_made_anew_and_sessions_stay",
    ),
    "HASH-06": (
        "scenarios/test_nothing_leaks.py::test_secrets_are_in_no_log_and_hashes_in_no_answer",
        "features/test_password_hashes.py::test_no_answer_holds_a_hash",
    ),
    "HASH-07": ("django/test_users.py::test_who_has_no_usable_password_does_not_sign_in_by_one",),
    "HASH-08": ("primitives/test_foreign_hashes.py::test_unusable_marks_and_plain_text_never_verify",),
    "HASH-10": ("primitives/test_hashing.py::test_others_can_read_what_we_make",),
    "HASH-11": ("primitives/test_hashing.py::test_either_normal_form_opens_ours",),
    "LOG-01": (
        "scenarios/test_nothing_leaks.py::test_secrets_are_in_no_log_and_hashes_in_no_answer",
        "primitives/test_tokens.py::test_a_secret_prints_as_nothing",
        "server/test_config.py::test_a_secret_is_not_printed",
    ),
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

# Features that are not there yet, and the attacks on them.
WAITING: dict[str, str] = {
    "installations of several tenants": "KEYS-02",
    "webhooks": "SSRF-01 SSRF-03",
    "audit": "LOG-02",
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
    for test in HELD[id]:
        path, _, name = test.partition("::")
        assert (TESTS / path).is_file(), path
        assert name in names_in(path), test


def test_no_attack_waits_that_is_held_already() -> None:
    waiting = [id for ids in WAITING.values() for id in ids.split()]
    assert len(set(waiting)) == len(waiting)
    assert not HELD.keys() & set(waiting)


def test_what_is_there_waits_for_nothing() -> None:
    features = {path.stem for path in (TESTS.parent / "src/doorward/features").glob("*.py")}
    assert not features & WAITING.keys(), "its attacks need tests now"
