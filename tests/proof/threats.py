"""Which test proves which threat: rows 13 to 39 of the threat table, identity and place, then buttons and approvals.

Each row: its number, the threat and what must come of it in a line, and the tests that show it as `path::name`, below tests/.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Threat(NamedTuple):
    """One row; `tests` may name a parametrized test without its parameters."""

    number: int
    line: str
    tests: tuple[str, ...]


_ID = "proof/test_identity.py::"
_BUTTON = "proof/test_buttons.py::"
_MOMENT = "proof/test_moments.py::"
_ORDER = "proof/test_interleavings.py::"
_APPROVAL = "scenarios/test_approvals.py::"
_LATER = "scenarios/test_approvals_later.py::"
_BOOK = "slack/test_directory.py::"

THREATS: Final = (
    Threat(
        13,
        "Names are decoration: somebody who bears another's name, in Slack or in a payload, stays who their id says.",
        (_ID + "test_a_name_gives_no_right_and_takes_none", _ID + "test_the_name_in_a_command_is_nobody"),
    ),
    Threat(
        14,
        "Equal ids under another workspace or organization are other people and other channels.",
        (
            _ID + "test_the_same_ids_in_another_workspace_are_other_people_and_places",
            _ID + "test_enterprise_workspace_and_person_are_all_in_what_is_approved",
            "scenarios/test_rules.py::test_another_workspace_is_refused_and_registered",
        ),
    ),
    Threat(
        15,
        "Guests, single-channel guests, partners and strangers are denied, and so is who has a flag that cannot be read.",
        (
            _ID + "test_who_is_no_full_member_at_the_press_decides_nothing",
            _ID + "test_outsiders_of_every_sort_press_in_vain_on_the_card_that_they_see",
            _BOOK + "test_each_flag_counts",
            _BOOK + "test_a_person_of_an_unexpected_shape_is_unknown",
            _BOOK + "test_the_external_person_whose_payload_claims_the_home_workspace_stays_external",
            "scenarios/test_rules.py::test_a_guest_is_denied",
            "scenarios/test_rules.py::test_somebody_of_another_organization_is_denied",
        ),
    ),
    Threat(
        16,
        "A channel that gets another id brings no rules along and finds none: frozen until an administrator confirms.",
        (
            _ID + "test_a_channel_whose_id_changed_keeps_neither_its_old_rules_nor_rules_under_the_new_id",
            _BOOK + "test_a_channel_whose_id_changed_refuses_until_somebody_confirms",
        ),
    ),
    Threat(
        17,
        "Renaming a channel changes no rule; a channel that becomes shared is frozen, and its sharing is read at every decision.",
        (
            _ID + "test_a_channel_that_is_renamed_to_a_privileged_name_has_the_rules_of_its_id",
            _ID + "test_what_its_conversation_has_become_counts_before_the_call",
            _BUTTON + "test_a_press_on_a_channel_that_froze_meanwhile_runs_nothing",
            _BOOK + "test_a_channel_that_became_shared_is_frozen_even_over_a_restart",
            "scenarios/test_grants.py::test_a_frozen_channel_counts_again_when_an_administrator_confirms",
        ),
    ),
    Threat(
        18,
        "A DM, a group DM and the app's own DM are places that a rule has to name.",
        (
            _ID + "test_a_direct_message_that_no_rule_names_is_no_place_to_ask",
            _ID + "test_a_group_dm_that_no_rule_names_is_no_place_to_ask",
            _BOOK + "test_conversations_of_every_kind",
            "scenarios/test_rules.py::test_a_direct_message_is_denied_unless_it_is_listed",
        ),
    ),
    Threat(
        19,
        "Bots, workflows and Slackbot neither command nor press, but where a rule names their own id.",
        (
            _ID + "test_outsiders_of_every_sort_press_in_vain_on_the_card_that_they_see",
            _APPROVAL + "test_a_bot_cannot_ask_for_an_approval",
            "scenarios/test_rules.py::test_a_bot_is_denied",
            "core/policy/test_decide.py::test_slackbot_is_a_bot_whatever_its_flag_says",
            "slack/test_app.py::test_a_workflow_step_acts_as_its_app_and_a_named_person_is_a_claim",
        ),
    ),
    Threat(
        20,
        "An account that was deactivated presses in vain, and what it asked or approved is not sent.",
        (
            _ID + "test_the_approver_who_is_deactivated_between_card_and_press_is_nobody_at_the_next_press_too",
            _BUTTON + "test_whatever_changes_between_the_vote_and_the_call_is_seen_before_the_call",
            _LATER + "test_a_deactivated_requester_runs_nothing",
            "scenarios/test_rules.py::test_somebody_who_was_deactivated_is_denied",
        ),
    ),
    Threat(
        21,
        "A user group that was edited counts as it is at the press and at the call.",
        (
            _ID + "test_who_is_put_into_the_group_may_decide_and_who_is_taken_out_may_not",
            _LATER + "test_a_lead_who_left_the_group_cannot_decide_any_more",
            _LATER + "test_what_was_approved_by_somebody_who_left_is_not_run_after_the_restart",
            _BUTTON + "test_whatever_changes_between_the_vote_and_the_call_is_seen_before_the_call",
        ),
    ),
    Threat(
        22,
        "What Slack does not say, says late or said too long ago is a no; the age of what was believed is in the audit log.",
        (
            _ID + "test_what_slack_does_not_say_at_the_press_is_a_no",
            _ID + "test_at_asking_an_unreadable_group_is_a_gap_that_is_named",
            _ID + "test_how_old_the_facts_were_is_in_the_audit_log",
            _BOOK + "test_what_cannot_be_read_is_unknown",
            _BOOK + "test_an_answer_is_kept_for_a_minute_and_its_age_is_told",
            "core/policy/test_decide.py::test_a_membership_that_is_too_old_is_no_membership",
        ),
    ),
    Threat(
        23,
        "Who acts and by what right come from one envelope; parts of two make nothing.",
        (
            _ID + "test_a_person_of_one_envelope_and_the_right_of_another_make_nothing",
            _ID + "test_a_modal_that_lee_opened_is_not_sent_by_somebody_else",
            _BUTTON + "test_a_form_is_sent_by_who_opened_it_or_not_at_all",
        ),
    ),
    Threat(
        24,
        "A button's value is an opaque id: one changed byte, or words in its place, are nothing.",
        (
            _BUTTON + "test_a_button_with_any_byte_changed_is_unknown",
            _BUTTON + "test_a_value_that_holds_words_instead_of_an_id_decides_nothing",
        ),
    ),
    Threat(
        25,
        "A button of another request, another card, another version, or under another name does nothing but its own.",
        (
            _BUTTON + "test_a_button_counts_on_its_own_message_of_its_own_request_alone",
            _BUTTON + "test_a_button_means_what_it_was_made_for_whatever_the_payload_calls_it",
            _BUTTON + "test_a_button_of_another_version_is_answered_and_does_nothing",
            _BUTTON + "test_the_button_of_a_card_that_was_renewed_decides_nothing",
        ),
    ),
    Threat(
        26,
        "A hundred clicks at once are one effect, and the others hear who was first.",
        (
            _BUTTON + "test_a_hundred_clicks_at_once_are_one_decision_and_one_call",
            _BUTTON + "test_a_hundred_people_at_once_count_as_many_as_are_needed",
            "store/test_approvals.py::test_of_a_hundred_votes_at_once_one_decides",
        ),
    ),
    Threat(
        27,
        "Approve, deny, expire and cancel in any order and at once are as if one came after the other.",
        (
            _ORDER + "test_every_order_of_six_steps_of_three_people_is_as_the_model_says",
            _ORDER + "test_every_order_with_everything_that_can_happen_is_as_the_model_says",
            _ORDER + "test_two_acts_at_once_come_out_as_one_after_the_other",
            _ORDER + "test_a_death_between_any_two_durable_things_changes_nothing_but_whether_a_call_is_known",
            "proof/test_random_histories.py::test_random_histories_are_as_the_model_says",
        ),
    ),
    Threat(
        28,
        "A press on a copy, from another channel or from another workspace decides nothing.",
        (
            _BUTTON + "test_a_press_from_a_copy_another_channel_or_another_workspace_decides_nothing",
            _APPROVAL + "test_a_copy_of_the_card_and_another_channel_decide_nothing",
            "scenarios/test_outsiders.py::test_a_press_from_another_workspace_is_refused_and_told_nothing",
        ),
    ),
    Threat(
        29,
        "Nobody approves, denies or claims their own request; trying it is registered.",
        (
            _APPROVAL + "test_the_requester_never_decides_their_own_request",
            "core/test_approval.py::TestVoting::test_the_requester_never_decides",
        ),
    ),
    Threat(
        30,
        "A second account of the requester is the requester, and two accounts of one approver are one.",
        (
            _ORDER + "test_odd_people_and_groups_are_as_the_model_says",
            "scenarios/test_grants.py::test_two_accounts_of_one_person_count_once",
            "scenarios/test_grants.py::test_an_alias_noted_after_the_card_was_shown_counts_too",
            "core/test_approval.py::TestWhoMayDecide::test_a_second_account_of_the_requester_is_the_requester",
        ),
    ),
    Threat(
        31,
        "Who alone could approve what they ask, or asks through a machine, is refused at once and told the gap.",
        (
            _APPROVAL + "test_what_nobody_can_approve_is_refused_at_once",
            _APPROVAL + "test_a_bot_cannot_ask_for_an_approval",
            _ORDER + "test_odd_people_and_groups_are_as_the_model_says",
            "core/test_approval.py::TestRequesting::test_a_group_of_one_cannot_approve_itself",
        ),
    ),
    Threat(
        32,
        "One person in two groups counts once.",
        (
            _APPROVAL + "test_two_distinct_people_are_needed_and_one_counts_once",
            "store/test_approvals.py::test_one_person_counts_once_whatever_id_they_use",
        ),
    ),
    Threat(
        33,
        "A changed field between approval and call stops the call.",
        (
            _BUTTON + "test_what_runs_is_what_was_approved_to_the_last_field",
            _BUTTON + "test_a_digest_or_a_version_that_does_not_fit_sends_nothing",
            _BUTTON + "test_an_approved_expiry_cannot_be_stretched",
        ),
    ),
    Threat(
        34,
        "A target that was deleted, made anew or moved on since the card is shown again and asked again.",
        (
            _BUTTON + "test_a_target_that_was_made_anew_under_its_name_is_not_the_one_that_was_approved",
            _LATER + "test_a_target_that_was_made_anew_is_another_one",
            _LATER + "test_a_target_that_is_gone_voids_it",
            _LATER + "test_a_changed_target_is_shown_and_asked_again",
        ),
    ),
    Threat(
        35,
        "Rules that were tightened, or an approver who was lost, after the press count before the call.",
        (
            _BUTTON + "test_whatever_changes_between_the_vote_and_the_call_is_seen_before_the_call",
            _LATER + "test_rules_that_forbid_it_after_the_vote_stop_it_before_the_call",
            _LATER + "test_a_vote_of_somebody_who_left_counts_no_more",
        ),
    ),
    Threat(
        36,
        "At its very instant it is expired, for a press, a denial, a cancel, the timers, a restart and the call.",
        (
            _MOMENT + "test_a_press_a_millisecond_before_the_end_counts_and_one_at_it_does_not",
            _MOMENT + "test_time_ends_it_at_its_very_instant",
            _MOMENT + "test_what_was_approved_is_sent_in_its_time_and_not_after",
            _MOMENT + "test_deny_and_cancel_know_the_same_instant",
        ),
    ),
    Threat(
        37,
        "An approval is used once: not for a second dispatch, not after restarts, not for the same request again.",
        (
            _BUTTON + "test_an_approval_is_used_once_however_often_it_is_dispatched",
            _BUTTON + "test_the_same_request_again_needs_its_own_approval",
            "store/test_approvals.py::test_an_approval_is_used_once_and_only_for_its_request",
        ),
    ),
    Threat(
        38,
        "What a card cannot show whole or visibly cannot be approved; what it shows is what runs, with its digest.",
        (
            _BUTTON + "test_what_no_card_can_show_whole_is_not_put_to_anybody",
            _BUTTON + "test_the_card_of_an_approval_shows_every_parameter_as_it_will_run",
            _APPROVAL + "test_a_text_that_hides_signs_cannot_be_approved",
            "core/test_approval.py::TestRequesting::test_what_a_card_cannot_show_in_full_cannot_be_approved",
        ),
    ),
    Threat(
        39,
        "Break-glass needs no approver and its own right, is loud and marked, and is reviewed by somebody else.",
        (
            "scenarios/test_breakglass.py::test_it_is_loud_marked_and_the_skipped_approvers_are_told",
            "scenarios/test_breakglass.py::test_only_who_has_the_right_may_and_only_so_long",
            "scenarios/test_breakglass.py::test_the_review_is_closed_by_a_different_person_with_the_right",
        ),
    ),
    Threat(
        80,
        "A peer without a signature holds a limited number of connections, seconds, bytes and log lines; the bot keeps serving.",
        (
            "scenarios/test_attacks.py::test_strangers_hold_little_of_the_public_port_and_commands_run",
            "slack/test_http_strangers.py::test_a_header_that_drips_is_closed_all_the_same",
            "slack/test_http_strangers.py::test_a_header_that_does_not_end_is_not_kept",
            "slack/test_http_strangers.py::test_a_body_without_a_length_is_refused_before_its_chunks_are_read",
            "slack/test_http_strangers.py::test_who_sends_many_requests_at_once_is_closed",
            "slack/test_http_strangers.py::test_strangers_cannot_fill_the_log_or_write_into_it",
            "slack/test_http_strangers.py::test_file_descriptors_are_kept_for_the_program_itself",
        ),
    ),
    Threat(
        81,
        "Names of targets, backends, grants and channels are shown only to people who may be told, and missing and hidden "
        "names get the same answer.",
        (
            "scenarios/test_two_worlds.py::test_what_is_hidden_from_a_guest_changes_no_answer",
            "scenarios/test_outsiders.py::test_the_home_tab_names_only_backends_that_a_rule_opens",
            "scenarios/test_outsiders.py::test_an_id_of_another_target_is_answered_as_one_that_does_not_exist",
            "scenarios/test_outsiders.py::test_grants_of_other_channels_are_told_to_administrators_alone",
            "scenarios/test_outsiders.py::test_where_you_may_names_only_channels_that_you_are_in",
            "scenarios/test_outsiders.py::test_what_others_did_with_other_targets_is_told_to_members_alone",
            "scenarios/test_outsiders.py::test_a_hidden_backend_is_answered_as_one_that_does_not_exist",
            "scenarios/test_outsiders.py::test_a_verb_of_a_hidden_backend_is_answered_as_one_of_a_backend_that_does_not_exist",
            "scenarios/test_outsiders.py::test_the_menu_of_a_form_without_a_channel_offers_what_a_rule_names",
            "scenarios/test_outsiders.py::test_a_forged_form_tells_no_more_than_the_typed_command",
            "scenarios/test_help.py::test_help_for_a_control_plane_on_which_nothing_is_allowed_says_so",
        ),
    ),
    Threat(
        82,
        "One busy channel does not keep the messages of others waiting; private answers and questions go first.",
        (
            "scenarios/test_attacks.py::test_one_busy_channel_keeps_no_other_waiting",
            "slack/test_refusals.py::test_a_question_goes_before_the_cards_of_its_channel",
        ),
    ),
    Threat(
        83,
        "A change that Slack gave up on is not run silently, so a retyped command runs once.",
        ("scenarios/test_too_late.py::test_a_command_that_the_store_takes_too_late_runs_once_when_it_is_retyped",),
    ),
    Threat(
        84,
        "One list of secrets, configured and fetched, masks everything that leaves the process, and a typed secret comes back "
        "nowhere.",
        (
            "scenarios/test_typed_secrets.py::test_a_typed_secret_comes_back_nowhere",
            "scenarios/test_typed_secrets.py::test_a_run_with_a_secret_is_never_run_again_with_its_mask",
            "scenarios/test_secrets.py::test_a_configured_secret_in_a_reason_reaches_neither_a_card_nor_the_store",
            "scenarios/test_secrets.py::test_a_credential_that_was_fetched_is_masked_like_a_configured_one",
        ),
    ),
    Threat(
        85,
        "A store file that is deleted, replaced, overwritten or rolled back is noticed, and nothing runs without an entry.",
        (
            "store/sqlite/test_file_guard.py::test_nothing_is_recorded_in_a_file_that_is_not_the_open_one",
            "store/sqlite/test_file_guard.py::test_an_older_copy_is_refused_at_the_start",
            "store/sqlite/test_file_guard.py::test_an_older_copy_over_the_open_file_is_noticed",
            "store/sqlite/test_file_guard.py::test_an_overwritten_wal_is_noticed",
            "scenarios/test_store_lost.py::test_a_lost_database_stops_every_request_and_is_told",
        ),
    ),
    Threat(
        86,
        "Edited, quoted, forwarded, struck-out, late and doubled messages run nothing that their author did not ask for once.",
        (
            "scenarios/test_one_message_one_request.py::test_an_edited_message_never_runs_again",
            "scenarios/test_one_message_one_request.py::test_a_quoted_command_does_not_run",
            "scenarios/test_one_message_one_request.py::test_a_change_that_slack_delivers_late_is_confirmed_first",
        ),
    ),
    Threat(
        87,
        "Two parameter names that a backend may confuse are refused, and a rule on one binds every spelling of it.",
        (
            "core/command/test_catalog.py::test_names_that_a_backend_may_confuse_and_text_that_nobody_sees_are_refused",
            "scenarios/test_one_message_one_request.py::test_a_parameter_that_is_given_twice_is_refused_and_recorded_whole",
        ),
    ),
    Threat(
        88,
        "Signed nonsense is refused and never breaks the server.",
        (
            "scenarios/test_attacks.py::test_signed_nonsense_is_refused_and_commands_run",
            "slack/test_http.py::test_signed_nonsense_in_any_field_is_never_an_error_of_the_server",
        ),
    ),
    Threat(
        89,
        "A call whose answer is lost is never credited with what another request made.",
        (
            "scenarios/test_lost_starts.py::test_the_run_of_an_identical_start_is_not_taken_for_the_lost_one",
            "scenarios/test_lost_starts.py::test_one_run_is_not_taken_for_two_lost_starts",
            "store/test_request_targets.py::test_what_a_call_made_belongs_to_one_request",
        ),
    ),
    Threat(
        90,
        "A channel that a person or a workflow names needs proof of membership, and no answer leaves the place it belongs to.",
        (
            "scenarios/test_outsiders.py::test_who_is_not_in_the_chosen_channel_neither_acts_nor_reads_there",
            "scenarios/test_outsiders.py::test_a_workflow_acts_only_in_channels_that_the_bot_is_in",
            "slack/test_refusals.py::test_a_private_answer_for_a_person_outside_the_channel_stays_in_it",
        ),
    ),
    Threat(
        91,
        "After an outage of Slack messages come soon and in order, and a single one is not late for minutes.",
        (
            "scenarios/test_attacks.py::test_an_outage_of_slack_delays_cards_and_nothing_else",
            "slack/test_refusals.py::test_after_an_outage_everything_comes_soon_and_in_order",
        ),
    ),
    Threat(
        92,
        "What is for operators alone has no way through the public port, and the documented service runs with few rights.",
        (
            "slack/test_http.py::test_health_and_readiness_are_told_and_metrics_are_not_on_the_public_port",
            "test_docs.py::test_the_service_unit_is_hardened",
        ),
    ),
    Threat(
        93,
        "Text with characters that nobody can see, in a parameter or the name of a file, reaches no control plane.",
        (
            "scenarios/test_acc_files.py::test_an_attached_file_whose_name_has_an_invisible_character_is_not_sent",
            "core/command/test_catalog.py::test_names_that_a_backend_may_confuse_and_text_that_nobody_sees_are_refused",
        ),
    ),
)
