"""Attacks on the way back in of who lost a second factor, and the tests that hold them beside those of the floor."""

ONE_WAY = "features/test_recovery_one_way.py"
ASSISTED = "features/test_assisted_recovery.py"
STEPS = "core/test_steps_of_recovery.py"

ALSO: dict[str, tuple[str, ...]] = {
    "MFA-09": (f"{STEPS}::test_to_say_that_it_is_lost_lets_nobody_in",),
    "MFA-10": (f"{STEPS}::test_another_one_is_enrolled_after_two_ways_and_never_after_one",),
    "MFA-18": (
        f"{ONE_WAY}::test_the_mailbox_alone_never_gets_through",
        f"{ONE_WAY}::test_the_password_alone_gets_nowhere",
        f"{ONE_WAY}::test_a_recovery_code_alone_enrols_nothing_here",
        "features/test_recovery.py::test_nothing_is_bound_and_nothing_removed_until_the_sign_in_is_done",
    ),
    "MFA-21": (f"{ONE_WAY}::test_codes_that_are_lost_too_are_good_no_more",),
    "RESET-05": (
        f"{ONE_WAY}::test_an_attempt_moves_in_its_own_browser_only",
        f"{ONE_WAY}::test_a_code_of_a_recovery_is_good_for_nothing_else",
    ),
    "RESET-07": (
        f"{ASSISTED}::test_of_forty_at_once_one_uses_it",
        f"{ASSISTED}::test_another_link_opens_nothing",
        "features/test_recovery.py::test_a_link_of_another_purpose_or_user_stops_nothing",
    ),
    "RESET-14": (
        f"{ASSISTED}::test_it_lasts_a_day_and_a_new_one_ends_it",
        "features/test_recovery.py::test_not_a_second_sooner_and_not_a_week_later",
    ),
    "RESET-19": (f"{ASSISTED}::test_the_link_by_itself_lets_nobody_in",),
}
