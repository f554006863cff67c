"""Which test holds which known attack on accounts, passwords and letters: guessing, telling apart, taking over."""

HOSTILE = "scenarios/test_hostile_input.py::test_a_field_that_is_not_as_it_should_be"
DUMP = "security/test_threat_model_of_servers.py::test_no_secret_stands_in_a_dump"
PASSWORD = "features/test_password.py"
RESET = "features/test_reset_password.py"
APART = "scenarios/test_telling_apart.py"

HELD: dict[str, tuple[str, ...]] = {
    "ENUM-01": (
        f"{PASSWORD}::test_unknown_wrong_and_disabled_are_one_answer_and_one_amount_of_work",
        "primitives/test_hashing.py::test_work_for_nobody_takes_as_long_as_a_wrong_password",
    ),
    "ENUM-04": (
        "faults/test_smtp_down.py::test_forgot_waits_for_no_mail_server",
        f"{RESET}::test_known_and_unknown_get_one_answer_and_cost_the_same",
    ),
    "ENUM-05": (f"{APART}::test_a_program_can_not_tell_accounts_apart", f"{APART}::test_nor_can_who_looks_at_pages"),
    "ENUM-06": (
        "scenarios/test_sign_up.py::test_a_taken_address_gets_the_same_answer_and_its_owner_a_letter",
        "features/test_change_email.py::test_somebody_elses_address_gets_the_same_answer_and_its_owner_a_letter",
    ),
    "ENUM-09": (f"{PASSWORD}::test_a_second_factor_shows_only_after_the_right_password",),
    "ENUM-11": (f"{APART}::test_a_program_can_not_tell_accounts_apart", f"{APART}::test_nor_can_who_asks_for_a_letter"),
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
        "scenarios/test_back_in_by_mail.py::test_a_letter_is_used_once_in_a_hundred_requests",
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
}
