"""What the columns, events, scopes and keys mean, in the words of the reference pages. generate.py puts them into tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Words = Mapping[str, str]

COLUMNS: Final[Words] = {
    "seq": "1, 2, 3 without a gap: the order in which rows were committed",
    "v": "version of the canonical form that `hash` covers; 1 today",
    "at": "when it happened: RFC 3339, UTC, microseconds",
    "request_id": "the same for all rows of one request; cards show it",
    "event": "what happened, see below",
    "team_id": "the workspace",
    "channel_id": "where it was asked, or where a decision was pressed",
    "user_id": "who asked, or who pressed",
    "source": "command, mention, dm, button, modal, home, shortcut, step, terminal or timer",
    "verb": "what was asked for",
    "backend": "the control plane by its configured name",
    "target_kind": "agent, run, schedule, ...: the kind of target",
    "target_id": "the vendor's exact id",
    "target_name": "the target as a person writes it",
    "params": "all parameters with their defaults, as canonical JSON text; known secrets and what looks like one are masked",
    "reason": "what stood behind `--`",
    "risk": "read, change or danger",
    "rule": "the rule that decided, such as `C0CRAWL allow 2`",
    "policy_version": "12 hex digits over everything that decides in policy.toml",
    "digest": (
        "SHA-256 over requester, verb, exact target, parameters, place and policy version: what is approved is what runs; "
        "of a rules file, over its bytes"
    ),
    "approval_id": "the approval or pre-flight that it belongs to",
    "incident": "the incident under which it was done",
    "backend_ref": "the vendor's id of what came of it, such as a run",
    "code": "a stable word for why it did not work, or the state in which a run ended",
    "detail": "one sentence for people",
    "duration_ms": "how long the call took, in milliseconds",
    "prev_hash": "`hash` of the row before; 64 zeros in the first row",
    "hash": "SHA-256 over `prev_hash` and the canonical JSON of all other columns",
}

EVENTS: Final[Words] = {
    "requested": "somebody asked; written before Slack is acked",
    "misread": "the words fit no command",
    "denied": "the rules said no; nothing was sent",
    "approval_requested": "the rules demand the consent of others, who were asked",
    "claimed": "somebody said that they look at a request",
    "approved": "one person agreed",
    "rejected": "one person refused, which ends the request",
    "expired": "nobody decided in time",
    "sent": "written before the call to the control plane: no row, no call",
    "done": "the control plane did it, or accepted it",
    "failed": "it is known not to have happened; `code` says why",
    "unknown": "the answer was lost: it may or may not have happened, and it was not sent again",
    "reconciled": "the control plane was asked what became of an unknown call, and told",
    "abandoned": "nobody could tell, a person cancelled (code `cancelled`), a dangerous command came from a terminal "
    "without `--yes` (`not_confirmed`), or there is nothing left to switch on after a pause "
    "(`gone`; `no_such_backend` when its control plane is no longer configured); or the request was set aside and "
    "offered as a button: `in_sentence` (a mention within a sentence), `edited` (an edited message), `by_app` (posted by "
    "another app in a person's name), `late` (a late order to the bot itself), `too_late` (Slack had stopped waiting)",
    "ended": "a run that was started here came to its end; `code` is its state",
    "granted": "a permission for a limited time was given",
    "revoked": "it was taken back",
    "breakglass": "somebody acts without approval, which is said loudly",
    "reviewed": "another person looked at what was done under break-glass",
    "policy_loaded": "rules came into force; or a file that was refused is again the one whose rules stayed in force",
    "policy_refused": "a changed rules file cannot be used; the last good one stays",
    "paused": "a schedule is off until the time in `detail`; with a code, what became of an earlier pause: `replaced` by this "
    "one, or `no_end`, off until somebody switches it on; or `unknown`, it may be off and is switched on then in any case",
    "resumed": "it was switched on again, by its time or by somebody (code `by_hand`)",
    "exported": "the audit log was written to a file",
    "head_published": "`SEQ:HASH` of the last row was posted to the security channel",
}

SLACK_EVENTS: Final[Words] = {
    "app_home_opened": "the Home tab is drawn when somebody opens it",
    "app_mention": "`@signalbox ...`, in threads too, where Slack has no slash commands",
    "channel_id_changed": "a shared channel gets another id; its rules stop until an administrator says `policy confirm` there",
    "channel_shared": "outsiders can read along from now on; its rules stop until an administrator says `policy confirm` there",
    "channel_unshared": "the channel is the workspace's own again; rules that stopped only because it was shared count again",
    "function_executed": "the workflow step *Run an operation*",
    "message.im": "commands in a direct message, where a rule names it",
}

SLACK: Final[Words] = {
    "mode": "how Slack's events arrive: over a websocket that the bot opens, or to `/slack/events`",
    "team": "the id of the workspace (T...); requests from any other are refused and registered",
    "bot_token": "the bot token (`xoxb-...`); with token rotation, leave it out",
    "client_id": "token rotation: the app's client id",
    "client_secret": "token rotation: the app's client secret",
    "refresh_token": "token rotation: the refresh token (`xoxe-...`) that the installation gave; later ones are in the store",
    "app_token": "socket mode: the app-level token (`xapp-...`) with the scope `connections:write`",
    "signing_secret": "http mode: the signing secret; a list of two while it is rotated",
    "api_url": "Slack's Web API; another one for GovSlack or a local workspace",
    "response_hosts": "HOST or HOST:PORT that a `response_url` may point to; nothing is sent anywhere else",
    "listen": "HOST:PORT of `/healthz`, `/readyz` and, in http mode, `/slack/events`",
    "metrics_listen": 'HOST:PORT of `/metrics`; keep it inside. `""` switches it off',
    "command": "the slash command; the manifest names the same one",
    "security_channel": "where break-glass, refused rules and the audit log's head are posted",
    "incident_channel": "where break-glass is posted as well",
    "connections": "websockets in socket mode; with two, one that breaks is not noticed",
}

STORE: Final[Words] = {"url": "`sqlite:///relative.db` (to this file) or `sqlite:////absolute.db`"}
POLICY: Final[Words] = {"file": "the rules, relative to this file; read again when it changes"}
NETWORK: Final[Words] = {
    "proxy": "the proxy for Slack and all control planes; `env` takes HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY from "
    "the environment, empty means none",
    "ca_file": "a PEM file with authorities that are trusted in addition to the system's, for everything",
}
BACKEND: Final[Words] = {
    "name": "the name that people type: small letters, digits, `_` and `-`, at most 32",
    "kind": "the type of control plane",
    "allow_http": "accept plain http to any address; `signalbox check` warns about it",
    "base_url": "the address; https, or http to a loopback address",
    "ca_file": "a PEM file with authorities that are trusted in addition to the system's",
    "client_cert": "a PEM file with the bot's own certificate, for servers that ask for one",
    "client_key": "its private key, PEM",
    "proxy": "overrides `[network] proxy`; NO_PROXY doesn't apply to an address written here",
}
TIME: Final[Words] = {"zone": "an IANA name: the clocks that `until=Mon 07:00` means"}
