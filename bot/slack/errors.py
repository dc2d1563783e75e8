"""Errors of Slack and of the network, mapped in one place."""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

LONGEST_ASKED: Final = 300.0  # seconds; Slack asks for less, and a wrong header must not block a channel
MESSAGE_LIMIT: Final = 60.0  # seconds until the next try in a workspace over its message limit
TRANSPORT: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError, SlackClientError)


class Remedy(StrEnum):
    """What to do about an error."""

    RETRY = "retry"  # Slack or the network has a problem: the same call works later
    WAIT = "wait"  # the workspace is over a limit: the same call works much later
    UNTHREAD = "unthread"  # the thread refuses replies: post in the channel itself
    ANEW = "anew"  # the object of the call no longer exists: make it again
    PLAIN = "plain"  # Slack refuses this content: send plain text
    REFUSED = "refused"  # this place refuses it permanently: reach the person another way
    OVER = "over"  # nothing left to do
    FATAL = "fatal"  # the token doesn't work, so no call does
    UNKNOWN = "unknown"  # not in this table: reach the person another way, and try again a few times


_CODES: Final = {
    Remedy.RETRY: """
        ratelimited rate_limited internal_error fatal_error service_unavailable request_timeout team_added_to_org
        fetch_members_failed update_failed file_update_failed hash_conflict external_channel_migrating unknown_error
        duplicate_external_id draft_has_conflict streaming_state_conflict list_record_comment_fetch_failed""",
    Remedy.WAIT: "message_limit_exceeded",
    Remedy.UNTHREAD: """
        thread_not_found cannot_reply_to_message restricted_action_non_threadable_channel
        restricted_action_thread_locked cant_broadcast_message no_dual_broadcast_content_update""",
    Remedy.ANEW: "message_not_found cant_update_message edit_window_closed is_inactive",
    Remedy.PLAIN: """
        invalid_blocks invalid_blocks_format invalid_attachments msg_blocks_too_long msg_too_long only_one_table_allowed
        attachment_payload_limit_exceeded too_many_attachments too_many_contact_cards block_mismatch view_too_large
        invalid_view invalid_message invalid_arguments no_text markdown_text_conflict""",
    Remedy.OVER: "not_found execution_not_in_running_state function_execution_not_found",
    Remedy.FATAL: """
        invalid_auth not_authed account_inactive token_revoked token_expired
        bad_client_secret invalid_client_id invalid_refresh_token""",
    Remedy.REFUSED: """
        access_denied accesslimited app_access_restricted ekm_access_denied enterprise_is_restricted is_bot missing_scope
        no_permission not_allowed_token_type org_login_required team_access_not_granted team_not_found
        two_factor_setup_required forbidden_team insecure_request

        as_user_not_supported deprecated_endpoint invalid_arg_name invalid_array_arg invalid_charset invalid_form_data
        invalid_json json_not_object invalid_post_type method_deprecated missing_args missing_argument missing_charset
        missing_file_data missing_post_type unknown_method invalid_metadata_format invalid_metadata_schema
        metadata_must_be_sent_from_app metadata_too_large send_on_behalf_not_allowed not_implemented
        parameter_validation_failed missing_profile_id
        draft_already_deleted draft_already_sent draft_not_found duplicate_channel_not_found duplicate_message_not_found

        cant_delete_message compliance_exports_prevent_deletion
        channel_not_found channel_is_limited_access channels_limit_exceeded invalid_channel is_archived
        messages_tab_disabled method_not_supported_for_channel_type not_in_channel posting_to_channel_denied
        restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel user_not_in_channel
        slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
        slack_connect_lists_sharing_blocked

        alt_txt_too_large blocked_file_type canvas_disabled_file_team canvas_disabled_user_team canvas_globally_disabled
        file_deleted file_is_deleted file_not_found file_share_limit_reached file_type_not_allowed
        file_upload_size_restricted file_uploads_disabled file_uploads_except_images_disabled max_file_sharing_exceeded
        not_visible snippet_too_large storage_limit_reached template_not_visible unable_to_share_files
        unknown_snippet_type unknown_subtype

        bot_not_found bots_not_found cannot_dm_bot invalid_user_combination not_enough_users too_many_users user_disabled
        user_not_found user_not_visible users_list_not_supplied users_not_found invalid_team plan_upgrade_required
        invalid_cursor invalid_limit invalid_metadata_filter_keys invalid_ts_latest invalid_ts_oldest

        exchanged_trigger_id expired_trigger_id invalid_trigger_id trigger_expired trigger_exchanged not_enabled

        bad_redirect_uri cannot_install_an_org_installed_app invalid_code
        invalid_code_verifier invalid_grant_type no_scopes oauth_authorization_url_mismatch
        pkce_not_allowed preview_feature_not_available user_email_unverified""",
}

REMEDIES: Final[Mapping[str, Remedy]] = {code: remedy for remedy, codes in _CODES.items() for code in codes.split()}
# Codes with another meaning for one method.
EXCEPTIONS: Final[Mapping[tuple[str, str], Remedy]] = {
    ("files.completeUploadExternal", "file_not_found"): Remedy.ANEW,
    ("files.completeUploadExternal", "invalid_blocks"): Remedy.REFUSED,
    ("conversations.replies", "thread_not_found"): Remedy.REFUSED,
    ("views.open", "duplicate_external_id"): Remedy.REFUSED,
}

_NO_APPS: Final = "The channel's settings don't let me post there."
_INSTALL: Final = "An administrator needs to update the app from manifest.yml and install it again."
_FILES_OFF: Final = "The workspace's settings don't allow this file."
# What a person can do about it.
ADVICE: Final[Mapping[str, str]] = {
    "not_in_channel": "Invite me there with `/invite`.",
    "channel_not_found": "Invite me there with `/invite`.",
    "is_archived": "The channel is archived.",
    "restricted_action": _NO_APPS,
    "restricted_action_read_only_channel": _NO_APPS,
    "restricted_action_thread_only_channel": "The channel only takes replies in threads.",
    "restricted_action_non_threadable_channel": "The channel doesn't take replies in threads.",
    "posting_to_channel_denied": _NO_APPS,
    "messages_tab_disabled": "An administrator needs to turn on the app's Messages tab.",
    "not_enabled": "An administrator needs to turn on the app's Home tab.",
    "missing_scope": _INSTALL,
    "no_permission": _INSTALL,
    "team_access_not_granted": "An administrator needs to add the app to this workspace.",
    "message_limit_exceeded": "The workspace has sent more messages than its plan allows.",
    "file_uploads_disabled": _FILES_OFF,
    "file_uploads_except_images_disabled": _FILES_OFF,
    "file_type_not_allowed": _FILES_OFF,
    "file_upload_size_restricted": _FILES_OFF,
    "storage_limit_reached": "The workspace has no room for more files.",
}


class SlackTrouble(NamedTuple):
    """An error of Slack. `after` is the wait in seconds that Slack asks for, or None."""

    code: str
    remedy: Remedy
    after: float | None = None

    @property
    def refused(self) -> bool:
        """Whether Slack refused the call for certain, so that a retry can't do it twice."""
        return self.after is not None or self.remedy is not Remedy.RETRY

    @property
    def advice(self) -> str:
        """What a person can do about it; empty when unknown."""
        return ADVICE.get(self.code, "")


def read(error: BaseException) -> SlackTrouble:
    """The meaning of an exception of slack_sdk or of the transport."""
    if not isinstance(error, SlackApiError):
        return SlackTrouble(type(error).__name__, Remedy.RETRY)
    response = error.response
    status = getattr(response, "status_code", 200)
    data = getattr(response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    if status == 429:
        return SlackTrouble("ratelimited", Remedy.RETRY, _seconds(getattr(response, "headers", {})))
    if status >= 500:
        return SlackTrouble(f"http_{status}", Remedy.RETRY)
    method = str(getattr(response, "api_url", "")).rpartition("/")[2]
    remedy = EXCEPTIONS.get((method, code)) or REMEDIES.get(code, Remedy.UNKNOWN)
    return SlackTrouble(code or f"http_{status}", remedy, MESSAGE_LIMIT if remedy is Remedy.WAIT else None)


def _seconds(headers: object) -> float | None:
    if not hasattr(headers, "items"):
        return None
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            try:
                return min(max(float(value), 0.0), LONGEST_ASKED)
            except ValueError:
                return None
    return None
