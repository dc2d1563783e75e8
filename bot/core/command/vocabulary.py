"""The words of sentences: other names of verbs, what questions ask for, and words that name nothing."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Other names of verbs, with the verbs that they may mean: the first one that the target supports counts.
MEANINGS: Final[Mapping[tuple[str, ...], str]] = MappingProxyType(
    {
        ("start",): "begin launch trigger execute fire kick go",
        ("start", "resume"): "start",
        ("restart", "start"): "restart",
        ("restart",): "reboot bounce",
        ("retry", "start"): "retry redo repeat",
        ("retry", "restart", "start"): "again",
        ("stop", "status"): "abort cancel terminate end",
        ("stop", "pause", "status"): "stop halt shut shutdown",
        ("pause", "schedule off"): "pause suspend hold",
        ("schedule off", "pause"): "off silence unschedule",
        ("resume", "schedule on"): "resume unpause reactivate",
        ("resume", "schedule on", "retry"): "continue",
        ("schedule on", "resume"): "on",
        ("logs",): "log output error errors tail logfile",
        ("status",): "show state check how running doing",
        ("history", "status"): "happened",
        ("history",): "runs past",
        ("data", "logs"): "download",
        ("data", "history"): "results",
        ("delete", "schedule delete"): "remove",
        ("delete",): "drop",
        ("find",): "search where look",
        ("targets",): "list",
        ("watch",): "subscribe follow notify alert",
        ("star",): "favourite favorite bookmark",
        ("agent approve", "approvals"): "approve",
        ("agent disapprove",): "disapprove",
        ("pauses", "schedule off"): "paused",
        ("whoami",): "who permissions",
        ("health", "status"): "ping alive",
        ("breakglass",): "emergency",
    }
)
SYNONYMS: Final = MappingProxyType({word: verbs for verbs, words in MEANINGS.items() for word in words.split()})
# What a question asks for, by its words: the first that matches counts.
QUESTIONS: Final = tuple(
    (re.compile(pattern), verbs)
    for pattern, verbs in (
        (r"\b(notify|alert|let|ping) me\b|\btell me (when|if|once|as soon)\b", ("watch",)),
        (r"\bstop watching\b", ("unwatch",)),
        (r"\b(don't|dont|do not|never) (run|start)\b", ("schedule off", "pause")),
        (r"^who (approves|can approve)\b|\bmy requests\b|\bwait(s|ing)? (for|on) (me|approval|my)\b", ("approvals",)),
        (r"^who (started|ran|stopped|paused|changed|approved|did)\b", ("audit",)),
        (r"\bwhat happened( today| here| yesterday)?$", ("timeline",)),
        (r"\b(what|which) (agents|targets|services)\b", ("targets",)),
        (r"\b(named|called)\b", ("find",)),
        (r"(?<!\S)(?<!as )(fail(s|ed|ing|ure)?|wrong|errors?|broke(n)?|crash(ed)?)(?!\S)", ("logs", "status")),
        (r"\b(ok|okay|healthy|fine|alright)\b", ("health", "status")),
        (r"^when\b.*\b(next|again)\b|\bnext run\b", ("schedules", "status")),
        (r"^when\b.*\blast\b|\bhow (long|often)\b|\blast runs\b", ("history", "status")),
        (
            r"^(the )?(last|latest|newest) run\b|^(did|has|is|was)\b.*\b(finish(ed)?|done|started|running|on|off)\b",
            ("status",),
        ),
        (r"^what (did|has|have)\b.*\b(do|done|run)\b", ("history", "status")),
        (r"\bwhat can i do\b|^how (do|can) i\b|^how does\b.*\bwork", ("help",)),
        (r"\b(going on|in progress)\b", ("status",)),
        (r"\b(up|down|alive|reachable)$", ("health", "status")),
    )
)
# First words of questions: about a state, and about anything.
ASKING: Final = frozenset({"is", "are", "was", "were", "did", "does", "has", "have"})
WONDERING: Final = ASKING | frozenset(
    ["why", "what", "what's", "when", "how", "who", "which", "where", "can", "could", "any", "tell", "don't", "never"]
)
PERMISSION: Final = re.compile(
    r"^(?:who (?:can|may)|why can'?t i|why can i not|(?:can|may) i|am i allowed to)\s+", re.IGNORECASE
)
OF_A_PAIR: Final = MappingProxyType(  # `stop the schedule` is `schedule off`
    dict.fromkeys(("stop", "pause", "disable", "suspend"), "off")
    | dict.fromkeys(("resume", "enable", "unpause"), "on")
    | {"remove": "delete"}
)
ALONE: Final = frozenset({"status", "health", "targets"})  # built-in verbs that need no target
POLITE: Final = (
    "please pls plz can could would will want need like hello hi hey dear thanks thank now today asap just let lets go"
)
GRAMMAR: Final = (
    "a an the this that it its is are was be you u i we me my us our to do does did for of on in at with and from by into "
    "what why whats someone up what's how's who's there here when how can't all any exist everything anything "
    "ist sind der die das von noch mal bitte"
)
THINGS: Final = "agent agents job jobs run task service crawler bot signalbox"
FILLERS: Final = frozenset(f"{POLITE} {GRAMMAR} {THINGS}".split())
