"""Which test holds which known attack on what one holds after a sign-in: sessions, tokens and keys."""

JWT = "primitives/test_jwt.py::test_hostile_tokens"
VECTORS = "primitives/test_wycheproof.py::test"
KEYS = "features/test_api_keys.py"

HELD: dict[str, tuple[str, ...]] = {
    "SESSION-01": (
        "scenarios/test_sign_in.py::test_a_session_secret_of_ones_own_making_is_never_adopted",
        "http/test_cookies.py::test_two_of_one_name_are_refused",
        "http/test_cookies.py::test_https_has_host_cookies",
    ),
    "SESSION-04": ("primitives/test_signing.py::test_every_key_of_the_ring_verifies_and_no_other",),
    "SESSION-05": (
        "test_flask.py::test_a_page_that_asks_who_it_is_says_so_to_caches",
        "django/test_hosting.py::test_what_reads_the_identity_varies_by_it",
        "scenarios/test_sessions.py::test_no_cache_gives_anybody_what_is_somebody_elses",
    ),
    "SESSION-06": ("scenarios/test_sign_in.py::test_a_changed_password_ends_the_other_sessions",),
    "SESSION-07": ("features/test_sessions.py::test_list_and_end_one",),
    "SESSION-08": ("features/test_sessions.py::test_anonymous_requests_write_no_rows",),
    "SESSION-09": (
        "features/test_sessions.py::test_what_a_host_changes_behind_our_back_ends_sessions",
        "security/test_ways_around.py::test_a_session_that_the_host_ended_stays_ended_when_the_hash_is_made_anew",
        "django/test_users.py::test_with_a_user_goes_what_we_know_of_them",
        "features/test_forward_auth_host_cookies.py::test_what_ends_the_session_ends_it_at_all_hosts",
        f"{KEYS}::test_it_is_worth_nothing_while_a_host_has_closed_the_account",
        "features/test_refresh_tokens.py::test_a_closed_account_refreshes_nothing",
        "server/test_two_nodes.py::test_an_account_that_is_disabled_is_out_everywhere",
    ),
    "SESSION-10": ("features/test_sessions.py::test_a_cut_or_changed_secret_is_nobodys",),
    "SESSION-11": (
        "features/test_access_tokens.py::test_it_ends_with_its_time_and_with_its_session",
        "scenarios/test_other_hosts.py::test_a_session_that_is_ended_elsewhere_is_over_there_within_a_second",
        "server/test_two_nodes.py::test_a_session_that_one_node_ends_is_over_at_the_other",
    ),
    "SESSION-12": ("features/test_sessions.py::test_idle_and_absolute_limits",),
    "SESSION-15": ("scenarios/test_forms.py::test_a_stale_cookie_is_taken_away_where_one_signs_in",),
    "SESSION-16": (
        "faults/test_valkey_down.py::test_valkey_is_killed_and_comes_back",
        "server/test_two_nodes.py::test_an_emptied_valkey_signs_nobody_in_or_out",
    ),
    "SESSION-18": (
        "features/test_sign_out.py::test_the_session_ends_on_the_server",
        "scenarios/test_hostile_input.py::test_other_methods_are_told_which",
        "features/test_forward_auth_host_cookies.py::test_scripts_of_another_application_sign_nobody_out_everywhere",
    ),
    "REFRESH-01": (
        "features/test_refresh_tokens.py::test_two_hundred_parallel_uses_have_one_child",
        "faults/test_refresh_killed.py::test_two_hundred_parallel_uses_have_one_child",
    ),
    "REFRESH-03": (
        "features/test_refresh_tokens.py::test_a_grandparent_is_reuse_even_within_the_grace",
        "features/test_refresh_tokens.py::test_reuse_ends_the_family_and_tells",
    ),
    "REFRESH-04": (
        "security/test_attacks.py::test_a_secret_is_good_for_its_own_purpose_only",
        "server/test_every_action.py::test_other_methods_and_other_spellings",
    ),
    "REFRESH-08": ("scenarios/test_tokens.py::test_revoking_answers_the_same_for_all_tokens",),
    "REFRESH-09": (
        "security/test_threat_model.py::test_a_refresh_token_proves_nothing_afresh",
        "features/test_levels.py::test_tokens_say_the_level_of_now_and_refresh_never_raises_it",
    ),
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
    "JWT-07": (JWT, "primitives/test_jwt.py::test_a_key_without_a_place_in_the_set_verifies_nothing"),
    "JWT-08": (JWT,),
    "JWT-09": (JWT,),
    "JWT-11": ("primitives/test_jwt.py::test_audiences_that_do_not",),
    "JWT-12": (
        "primitives/test_jwt.py::test_claims_that_must_be_there",
        "primitives/test_jwt.py::test_a_token_holds_from_its_beginning_to_its_end",
        JWT,
    ),
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
    "KEYS-01": (f"{KEYS}::test_nobody_makes_or_sees_or_ends_anothers",),
    "KEYS-03": (
        "features/test_roles.py::test_a_key_may_do_what_its_owner_may_and_its_scopes_say",
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
}
