"""Which test holds which known attack on second factors and passkeys."""

TOTP = "features/test_totp.py"
OWN, SIGN_IN = "features/test_passkeys.py", "features/test_passkeys_sign_in.py"
WEBAUTHN = "primitives/test_webauthn.py"

HELD: dict[str, tuple[str, ...]] = {
    "MFA-01": (f"{TOTP}::test_a_code_works_once_and_so_does_no_older_one",),
    "MFA-02": (f"{TOTP}::test_of_two_hundred_parallel_uses_one_gets_in",),
    "MFA-03": (f"{TOTP}::test_an_attempt_has_five_tries_and_a_new_attempt_does_not_give_the_authenticator_more",),
    "MFA-05": (
        f"{TOTP}::test_a_pending_sign_in_can_do_nothing_else",
        "scenarios/test_stolen.py::test_an_attempt_opens_nothing_by_itself",
    ),
    "MFA-06": (
        "security/test_one_door.py::test_sessions_are_made_at_one_place",
        "django/test_hosting.py::test_who_has_a_second_factor_is_nobody_to_authenticate",
    ),
    "MFA-07": ("security/test_attacks.py::test_no_field_is_taken_that_an_action_does_not_have",),
    "MFA-09": (
        "core/test_steps.py::test_done_is_never_reached_without_what_the_policy_asks",
        "security/test_ways_around.py::test_a_sign_up_and_a_sign_in_are_never_one_attempt",
    ),
    "MFA-10": (
        f"{TOTP}::test_a_pending_sign_in_can_do_nothing_else",
        "security/test_ways_around.py::test_the_proof_of_ones_own_mailbox_does_not_enrol_a_factor_for_somebody_else",
        "security/test_ways_around.py::test_an_attempt_that_is_refused_binds_nothing",
    ),
    "MFA-12": (
        f"{TOTP}::test_a_code_of_one_user_is_wrong_for_another",
        "features/test_recovery_codes.py::test_a_code_of_one_user_is_wrong_for_another",
    ),
    "MFA-14": ("primitives/test_rfc6238.py::test_weak_keys_are_refused",),
    "MFA-15": (
        f"{TOTP}::test_only_exactly_six_ascii_digits",
        "primitives/test_rfc6238.py::test_hostile_input_matches_nothing",
    ),
    "MFA-17": (
        "features/test_step_up.py::test_another_users_proof_is_refused",
        f"{SIGN_IN}::test_a_step_up_takes_no_passkey_of_another_user",
    ),
    "MFA-18": (f"{TOTP}::test_removal_needs_a_fresh_proof",),
    "MFA-21": (
        "features/test_recovery_codes.py::test_of_forty_parallel_uses_one_gets_in",
        "features/test_recovery_codes.py::test_a_new_set_ends_the_old_one",
    ),
    "MFA-22": ("features/test_sms_code.py::test_a_number_that_changes_between_code_and_proof_ends_the_code",),
    "MFA-24": ("core/test_settings.py::test_a_value_that_can_not_be_used_is_named",),
    "WEBAUTHN-01": (
        f"{OWN}::test_a_lie_registers_nothing",
        f"{OWN}::test_what_is_no_credential_is_refused",
    ),
    "WEBAUTHN-02": (
        f"{SIGN_IN}::test_a_challenge_is_good_once_for_five_minutes_in_its_browser",
        f"{SIGN_IN}::test_of_forty_parallel_uses_one_gets_in",
        f"{OWN}::test_of_forty_parallel_registrations_one_is_kept",
    ),
    "WEBAUTHN-03": (
        f"{SIGN_IN}::test_a_lie_lets_nobody_in",
        f"{WEBAUTHN}::test_another_key_uses_nothing",
        f"{WEBAUTHN}::test_what_is_no_credential_is_refused",
    ),
    "WEBAUTHN-04": (f"{WEBAUTHN}::test_no_response_that_must_be_refused_is_taken",),
    "WEBAUTHN-06": (
        f"{WEBAUTHN}::test_lies_about_what_was_made_are_refused",
        f"{SIGN_IN}::test_as_a_second_factor_it_need_not_verify_the_user",
    ),
    "WEBAUTHN-07": (f"{OWN}::test_a_credential_is_registered_once",),
    "WEBAUTHN-08": ("primitives/test_cose.py::test_weak_costly_and_malformed_keys_are_refused",),
    "WEBAUTHN-11": (
        f"{SIGN_IN}::test_a_copy_of_a_device_is_refused_and_told",
        f"{SIGN_IN}::test_a_copy_of_a_synced_passkey_is_noted_and_let_in",
    ),
    "WEBAUTHN-14": (f"{WEBAUTHN}::test_the_vectors_of_the_specification_pass",),
    "WEBAUTHN-15": (
        f"{OWN}::test_rename_and_remove",
        f"{OWN}::test_a_user_has_twenty_at_most",
    ),
    "WEBAUTHN-16": (f"{SIGN_IN}::test_ten_thousand_beginnings_store_nothing",),
}
