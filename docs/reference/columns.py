"""What the columns, events, scopes and keys mean, for the reference pages. generate.py puts them into tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, str]

COLUMNS: Final[Words] = {
    "seq": "1, 2, 3 without a gap: the order in which entries were committed",
    "v": "the version of the canonical form that `hash` covers; currently 1",
    "at": "when it happened: RFC 3339, UTC, microseconds",
    "request_id": "the same for all entries of one request; cards show it",
    "event": "what happened, see below",
    "team_id": "the workspace",
    "channel_id": "where the request was made, or where a button was pressed",
    "user_id": "who made the request, or who pressed the button; from the terminal, the person that `--user` named",
    "source": "command, mention, dm, button, modal, home, shortcut, step, terminal or timer",
    "verb": "what was asked for",
    "backend": "the configured name of the control plane",
    "target_kind": "the kind of target: agent, run, schedule, ...",
    "target_id": "the vendor's exact id",
    "target_name": "the target as a person types it",
    "params": "all parameters with their defaults, as canonical JSON text; known and likely secrets are masked",
    "reason": "the text after `--`",
    "risk": "read, change or danger",
    "rule": "the rule that decided, such as `C0CRAWL allow 2`; or the grant, or the watch that ended, by its id",
    "policy_version": "12 hex digits of a hash over everything in policy.toml that affects a decision",
    "digest": (
        "SHA-256 over requester, verb, exact target, parameters, place and policy version: what was approved is what runs; "
        "for a rules file, SHA-256 over its bytes"
    ),
    "approval_id": "the approval or pre-flight that the entry belongs to",
    "incident": "the incident that was open in the channel or thread of the request, such as `INC-42`; otherwise the break-glass "
    "grant that allowed it. What follows by itself, such as the end of a pause, a grant or a watch, keeps the incident of the "
    "request that began it, also after that incident was closed. So do the end and the review of a grant that a "
    "person makes where no incident is open",
    "backend_ref": "the vendor's id of the result, such as a run",
    "code": "a stable word for the reason of a refusal or failure, or the state in which a run ended",
    "detail": "one sentence for people; `sent` and `ended` of a run or another part begin with what it is `of`",
    "duration_ms": "how long the call took, in milliseconds",
    "prev_hash": "`hash` of the entry before; 64 zeros in the first entry",
    "hash": "SHA-256 over `prev_hash` and the canonical JSON of all other columns",
}

EVENTS: Final[Words] = {
    "requested": "a request arrived; written before Slack is acked",
    "misread": "the text isn't a valid command",
    "denied": "the rules don't allow it; nothing was sent",
    "approval_requested": "the rules demand approval, and the approvers were asked",
    "claimed": "a person claimed a request",
    "released": "the person who claimed a request gave it back",
    "approved": "one person approved",
    "rejected": "one person denied it, which ends the request",
    "expired": "nobody decided in time",
    "sent": "written before the call to the control plane: no entry, no call",
    "done": "the control plane did it, or accepted it",
    "failed": "it certainly didn't happen; `code` says why",
    "unknown": "the reply was lost: it may or may not have happened",
    "reconciled": "a lookup on the control plane found the outcome of an unknown call",
    "abandoned": "the outcome couldn't be found, a person cancelled (code `cancelled`), a dangerous command came from a terminal "
    "without `--yes` (`not_confirmed`), or there is nothing to switch on after a pause "
    "(`gone`; `no_such_backend` when its control plane is no longer configured), or what was paused by the "
    "control plane's own timer is `still_paused` at its end, or can't be read (`own_timer`), or a restart or a fault "
    "interrupted the end of a pause, which is not tried again: it is `still_paused`, or may have resumed "
    "(`end_unknown`); or the request didn't run and was offered as a button: `in_sentence` (a mention within a sentence), "
    "`edited` (an edited message), `by_app` (posted by another app in a person's name), `late` (a late built-in command), "
    "`too_late` (Slack had stopped waiting)",
    "ended": "a run that was started here ended; `code` is its state, or `lost` when the control plane no longer has it",
    "granted": "a grant was given",
    "revoked": "a grant was revoked",
    "breakglass": "a person used break-glass; the security channel was told",
    "reviewed": "another person reviewed a break-glass",
    "policy_loaded": "rules took effect; or a refused file was changed back to the rules in force",
    "policy_refused": "a changed rules file can't be used; the last good one stays in force",
    "paused": "a schedule is off until the time in `detail`; with a code, the end of an earlier pause: `replaced` by this "
    "one, or `no_end`, off until a person switches it on; or `unknown`: it may be off, and is switched on at that time "
    "anyway",
    "resumed": "a paused schedule is on again, at its time, by a person (code `by_hand`), or by the control plane's "
    "own timer (`own_timer`)",
    "pause_ended": "a pause ended because what was paused was stopped or deleted (code `ended`): nothing is resumed at its time",
    "exported": "the audit log was written to a file",
    "head_published": "`SEQ:HASH` of the last entry was posted to the security channel",
    "restored": "the store is older than it was: PostgreSQL has another system identifier, timeline or table than at the last "
    "start, or a known head is missing",
    "incident_opened": "a channel or thread was bound to an incident, which `incident` names",
    "incident_closed": "that incident was closed, and its report was posted",
}

SLACK_EVENTS: Final[Words] = {
    "app_home_opened": "a person opened the Home tab",
    "app_mention": "`@signalbox ...`, in threads too, where Slack has no slash commands",
    "channel_id_changed": "a shared channel gets a new id; its rules stop until an administrator runs `policy confirm` there",
    "channel_shared": "another organization joined the channel; its rules stop until an administrator runs `policy confirm`",
    "channel_unshared": "the channel is no longer shared; rules that stopped only because it was shared count again",
    "function_executed": "the workflow step *Run an operation*",
    "message.im": "commands in a direct message, where a rule names it",
}

SLACK: Final[Words] = {
    "mode": "how Slack's events arrive: over a websocket that the bot opens, or to `/slack/events`",
    "team": "the id of the workspace (T...); requests from any other workspace are refused and recorded",
    "bot_token": "the bot token (`xoxb-...`); with token rotation, leave it out",
    "client_id": "token rotation: the app's client id",
    "client_secret": "token rotation: the app's client secret",
    "refresh_token": "token rotation: the refresh token (`xoxe-...`) that the installation gave; later ones are in the store",
    "app_token": "socket mode: the app-level token (`xapp-...`) with the scope `connections:write`",
    "signing_secret": "http mode: the signing secret; a list of two while you rotate it",
    "api_url": "the address of Slack's Web API; different for GovSlack and local workspaces",
    "response_hosts": "HOST or HOST:PORT that a `response_url` may point to; nothing is sent anywhere else",
    "listen": "HOST:PORT of `/healthz`, `/readyz` and, in http mode, `/slack/events`",
    "metrics_listen": 'HOST:PORT of `/metrics`; keep it inside your network. `""` switches it off',
    "command": "the slash command, as in the manifest",
    "security_channel": "where break-glass notices, refused rules and the head of the audit log are posted",
    "incident_channel": "where break-glass notices are posted too",
    "connections": "the number of websockets in socket mode, 1 to 10. `auto` opens two, so that the bot keeps working when one "
    "breaks, and at most ten for all replicas",
}

STORE: Final[Words] = {
    "url": "`sqlite:///relative.db` (relative to this file), `sqlite:////absolute.db`, or `postgresql://USER@HOST/DATABASE`",
    "password": "the password of the PostgreSQL user",
    "lease": "PostgreSQL: seconds (3 to 60) after which a leader that doesn't answer is replaced",
    "files": "PostgreSQL: a folder that all replicas share, for files that wait for their upload to Slack; without it they are "
    "in the database",
}
POLICY: Final[Words] = {"file": "the rules file, relative to this file; read again when it changes"}
NETWORK: Final[Words] = {
    "proxy": "the proxy for Slack and all control planes; `env` uses HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY from "
    "the environment; empty means none",
    "ca_file": "a PEM file with authorities that are trusted in addition to the system's, for everything",
}
BACKEND: Final[Words] = {
    "name": "the name that people type: lower-case letters, digits, `_` and `-`, at most 32 characters; not `token` or the like, "
    "after which cards mask the target",
    "kind": "the type of control plane",
    "allow_http": "accept plain http to any address; `signalbox check` warns about it",
    "base_url": "the address; https, or http to a loopback address",
    "console": "the address of a target in the vendor's own console, for the button *Open in ...*; see below",
    "ca_file": "a PEM file with authorities that are trusted in addition to the system's",
    "client_cert": "a PEM file with the bot's own certificate, for servers that ask for one",
    "client_key": "its private key, PEM",
    "proxy": "overrides `[network] proxy`; NO_PROXY doesn't apply to an address written here",
}
TIME: Final[Words] = {"zone": "the time zone of `until=Mon 07:00`, as an IANA name"}
