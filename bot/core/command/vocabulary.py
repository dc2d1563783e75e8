"""The words of sentences as data: other names of verbs, what questions ask for, and words that name nothing.

All of it is written in lower case and without apostrophes (`dont`, `whats`), as `wording` compares it.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final


def _rows(table: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for line in table.strip().splitlines():
        verbs, _, says = line.partition(": ")
        yield tuple(verbs.split(", ")), says


_REMOVE: Final = "(?<!dont )(?<!not )(?<!never )(remove|delete|drop|take|clear|erase|kick)"
_FAVOURITE: Final = "(favourite|favorite|bookmark|fav)s?"
# Verbs: what people call them, in words or phrases with other words in place of `...`. The first verb that the target supports
# counts.
_MEANINGS: Final = rf"""
start: begin, launch, trigger, execute, fire, kick, go, invoke, activate, initiate, spin, commence, submit, queue
start: starten, starte, demarrer, lancer, lance, iniciar, inicia, arrancar, ejecutar
start: kick ... off, spin ... up, fire ... up, set ... off, get ... started, bring ... up, have ... run, let ... run
start, schedule on, resume: get ... going, get ... running
start, resume: start
start, restart: start ... over again, run ... over again, do ... over again
start, agent approve: apply, deploy
restart, start: restart
restart: reboot, bounce, cycle, reset, recycle, reload, neustart, neustarten, redemarrer, relancer, reiniciar, reinicia
restart, start: neu ... starten, neu starten, neu gestartet, starte ... neu
restart, retry, start: stop ... start, off and on, bring ... back up, start over, from scratch, from the beginning
retry, start, restart: same ... again
retry, start: retry, redo, repeat, reprocess, reattempt
retry, start, restart: again, try ... again, nochmal, give ... another, have another, another try, one more time, once more
stop, status: abort, cancel, terminate, end, interrupt, quit
stop, pause, status: stop, halt, shut, shutdown, shut ... down, take ... down, bring ... down, break ... off
stop, pause, status: stoppen, stoppe, beenden, arreter, arrete, detener, parar, para
pause, schedule off: pausieren, pausiere, anhalten
pause, schedule off: pause, suspend, hold, snooze, put ... on hold, put ... to sleep, hold ... off
schedule off, pause: take ... off schedule, (keep|leave|hold) ... (paused|off)
schedule off, pause, stop: off, unschedule, deactivate, ausschalten, abschalten, turn of, turn ... off, switch ... off
schedule on, resume: (the|a|my|our|its|this|that|any)( \S+)? pause ... (end|ended|lifted|over)
schedule on, resume: pause (of|on) ... (ended|lifted|over)
resume, schedule on: resume, unpause, reactivate, unsuspend, wake
schedule on, resume: (end|stop|cancel|remove|clear|lift|delete|undo)( the| my| our| this)? pause, stop pausing, off pause
resume, schedule on, retry: continue, proceed, carry on, go on, pick ... up
schedule on, resume: on, back on, put ... back on, einschalten, turn ... on, switch ... on
logs: log, output, error, errors, tail, logfile, stdout, stderr, trace, traceback, stacktrace, messages
status: look at, look into, look ... at
logs, history: compare
status: show, state, stand, zustand, estado, statut, etat, check, how, running, doing, progress, view, describe, details, info
history, status: happened
schedules: zeitplan, zeitplane
history, jobs: runs, past, executions, duration, durations, trend, history
schedules, schedule off, schedule on: ^schedule \S+$
schedules: schedule, timetable, calendar, cron, planned, scheduled
data, logs: download, fetch
data, history: results, result, records, dataset, csv, export
delete: remove, erase, get rid of
delete, destroy: drop
destroy: undeploy
schedule off, pause: inactivate
destroy: teardown, tear ... down
input clear: wipe
retire: decommission, sunset
reinstate: unretire, restore, revive, undelete
reinstate, resume, schedule on, start: bring ... back
set, schedule set, gateway set, group set, cert set: change, update, edit, modify, rename
mark: flag
find: search, where, look, locate, lookup
targets: list, agents, agenten, tasks
unwatch: unsubscribe, unfollow, mute, stop watching, stop telling, stop notifying, stop following, dont tell, dont notify
unwatch: dont watch, dont follow, silence
unwatch: stop notifications, stop alerts, stop messages, no notifications, no more alerts
watch: subscribe, follow, notify, monitor, notify me, alert me, alert us, let me know, let us know, ping me, message me
watch: inform me when, inform me if, inform us when, give me ... when, give us ... when
watch: (tell|notify|inform) (me|us) as soon as
watch: tell me when, tell me if, tell me once, tell us when, tell us if, keep an eye on, heads up when
star: favourite, favorite, bookmark
unstar: unfavourite, unfavorite, unbookmark
unstar: {_REMOVE} ... (from|off|out of)( my| our| the)? {_FAVOURITE}, get ... (off|out of)( my| our| the)? {_FAVOURITE}
unstar: {_REMOVE}( the| my| our)? (star (from|off|of)|{_FAVOURITE}), {_REMOVE} ... as( a| my| our)? {_FAVOURITE}
unstar: {_REMOVE} ... (from|off|out of) (my|our|the) (star|home)s?(?= (tab|page|screen|list|please|thanks|now|it|i|we|and)\b|$)
unstar: (no longer|dont want) ... {_FAVOURITE}, not (a|my|our) {_FAVOURITE}, dont (star|{_FAVOURITE})
agent approve, approvals: approve, release, sign off, green light
agent disapprove: disapprove, unapprove, withdraw ... approval, revoke ... approval, take back ... approval
pauses, status, schedule off: paused
approvals: withdraw, deny, reject, decline
timeline: recap, summary, catch me up
whoami: who, permissions, rights
policy: rules, freeze, freezes
health, status: ping, alive
certs: certificates
gateways: gateway, gw
status: inform
doctor: diagnose
breakglass: emergency
"""
SYNONYMS: Final = MappingProxyType(
    {word: verbs for verbs, words in _rows(_MEANINGS) for word in words.split(", ") if " " not in word}
)
PHRASES: Final = tuple(
    (phrase, verbs) for verbs, words in _rows(_MEANINGS) for phrase in words.split(", ") if " " in phrase
)
# Verbs: what a question asks for. The first that matches counts.
_SHOW: Final = "(show|list|see|all|any|the|me|us|latest|recent|what|which|are|were|todays|yesterdays)"
_QUESTIONS: Final = rf"""
policy, approvals: ^who (approves|(can|may) approve) (?!this|that|it)\S+$
approvals: ^who (approves|(can|may) approve)\b|\bmy requests\b|\bwait(s|ing)? (for|on) (me|approval|my)\b|\bto approve$
approvals: \b(open|pending) (requests?|approvals?)\b|\brequests?\b.*\b(open|pending)\b|\b(my|our|an|for|needs?) approval\b
approvals: \b(my|our|the|this|that) requests?\b
schedule off, pause: ^(?!(why|is)\b|.*\b(did|has|was)( \S+)? not\b).*\b((do|does|should|wo)nt|not|never|no longer) (be )?run\b
audit: ^(who|when) (was|did|has|have|had)?\b.*(?<!succe)(?<!\bfe)ed\b
audit: ^who (ran|did)\b|^whos? .*\blast$|^(has|did) (any|some)(body|one)\b
timeline: \bwhat (?:has )?happened( (in|on) (this|the|our) channel)?( so far| today| here| yesterday)*$
timeline: \bwhat (changed|was done)\b
pauses: \b(what|which)\b.*\b(is|are|schedules?) paused\b
watches: ^(who|what|which|whats) .*\bwatch(es|ing)?\b
targets: \b(what|which|how many) (agents|targets)\b|\b(all|all the|show me|show me the) (agents|targets)$
timeline: ^(what|which|did)( (any)?(thing|runs?|jobs?))* (failed|fail|broke|crashed|went wrong)( today| tonight| this \w+)?$
timeline: ^({_SHOW} )*(failed (runs?|jobs?)|failures)( (of|from))?( today| tonight| yesterday| this \w+| here)*$
services, targets: \b(what|which) services\b
find: \b(named|called)\b
history, status: ^how (long|often|many|much time)\b|^how (did|has|have|was|were)\b.*\b(do|go|doing|going|perform|week)\b
status, timeline: ^(is )?(whats?|(any|some)thing)( is| has)? (fails|failed|failing|broke|broken|wrong|red)\b(?! with)
logs, status: (?<!\S)(?<!as )(fail(s|ed|ing|ure)?|fehlgeschlagen|wrong|errors?|broke(n)?|crash(ed)?|red)(?!\S)
health, status: \b(ok|okay|healthy|fine|alright)\b
schedules, status: ^when\b.*\b(next|again)\b|\bnext (run|time)\b|^when (does|will|is)\b
history, status: ^when\b(?! you)|\bhow (long|often)\b|\blast runs\b
status: ^(the )?(last|latest|newest) run\b|^(did|has|is|was)\b.*\b(finish(ed)?|done|started|running|on|off|work(ed)?)\b
logs: \b(say|says|said|print|printed)\b
history, status: ^what (did|has|have)\b.*\b(do|done|run)\b
help: \bwhat can i (do|run|start|stop|use)\b|^how (do|can) i\b|^how does\b.*\bwork|^help\b
status: \b(going on|in progress)\b|\b(is|are|its|seems|looks|got) (stuck|hanging|hung|frozen)\b
health, status: \b(up|down|alive|reachable|connected|online|offline)$
"""
QUESTIONS: Final = tuple((re.compile(pattern), verbs) for verbs, pattern in _rows(_QUESTIONS))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _whole(*tables: tuple[str, str, str]) -> tuple[tuple[frozenset[str], frozenset[str], str], ...]:
    return tuple((_words(needed), _words(needed + " " + others), means) for needed, others, means in tables)


_IT: Final = "it this that its the our my run job is has did does do was will would can could you please so and"
# Whole texts in the thread of a card: one of these words, no other ones than these and those, what it asks of its run.
ASKED_OF_IT: Final = _whole(
    (
        "wrong fail failed fails broke broken happened happen",
        f"what why with here go went gone far today {_IT}",
        "logs status",
    ),
    ("how", f"go going went far {_IT}", "status history"),
    ("long", f"how take takes took taken been running {_IT}", "history status"),
    (
        "tell notify ping message inform know",
        f"me us let when once if as soon done over ready through end ends ended finish finishes finished fails {_IT}",
        "watch",
    ),
)
WELCOME: Final = "You're welcome"
# The same of whole texts that want no command, and the answers.
SMALL_TALK: Final = _whole(
    ("no nope nein nevermind forget", "not now yet today mind about thanks thank you ok then better it that please",
     "OK. Nothing new is done, and nothing that runs is stopped"),
    ("not never dont", "no nope now yet today mind about forget thanks thank you ok then better do it that please",
     "OK. Nothing new is done, and nothing that runs is stopped"),
    ("thanks thank thx danke merci gracias cheers", "you u so very much a lot all team ok great perfect nice for your the help",
     WELCOME),
    ("yes yep sure ahead proceed confirm do", "go ok okay it that please then now",
     "Nothing was done. To go ahead, press the button of the command that you mean, or type the command"),
)  # fmt: skip


# First words of questions: about a state, and about anything.
ASKING: Final = _words("is are was were did does has have isnt hasnt didnt")
WONDERING: Final = ASKING | _words(
    "why what whats when how hows who whos which where can could any help should shall dont never not"
)
REQUESTING: Final = re.compile(
    r"\b(can|could|would|will) (?:\w+ )?(you|u|we|(some|any)(one|body))\b|\b(please|pls|plz|that you|any chance|mind"
    r"|bitte|kannst|konntest|konnten|peux|pouvez|pourriez|puedes|podrias|favor|stp|svp)\b"
)
NEGATING: Final = re.compile(
    r"\b(dont|do not|never|(must|should|shall|may) not|not (to|run|start|stop)|shouldnt|mustnt|no need to|nicht|kein(en?)?"
    r"|(nobody|no one) (must|should|shall|may))\b"
)
# A text with one of these may be against what its verb says.
NEGATED: Final = re.compile(
    rf"{NEGATING.pattern}|\b(not|no|never|nor|without|((do|does|did|should|would|could|must|ca|wo|is|are|was|were)nt))\b"
)
# Anywhere in a text: it asks for nothing, or not in every case.
CONDITIONS: Final = re.compile(
    r"\b((?<!even )if|unless|in case|(?<!me )(?<!us )(?<!know )when(ever)?|after|as soon as"
    r"|once (it|the|they|that|we|everything|all))\b"
    r"(?! (you|u|possible)\b)|\b(depending|assuming|provided|wenn|falls|sobald|si|quand|cuando)\b"
    r"|\bshould (it|this|that|they|anything|something)\b|^(do|does) (we|you|i|they|the)\b|\b(i|we) (will|can|could|might|may)\b"
)
# Anywhere in a text: it asks for a reason or an advice, and for no change.
EXPLAINING: Final = re.compile(r"\b(why|warum|whether|how to|explain)\b")
WISHING: Final = _words("want need like please pls plz get let lets must should would")
PERMISSION: Final = re.compile(
    r"^(?:who (?!(?:can|may) approve(?: \w+)?\W*$)(?:can|may|(?:is|are) allowed to|has permission to)"
    r"|why can'?t i|why can i not|(?:should|shall) (?:i|we)|may we"
    r"|(?:can|may|could) i(?! (?:please )?(?:have|get|see|ask)\b)|(?:why )?(?:am i|are we) (?:not )?allowed to"
    r"|what (?:would|will) happen if (?:i|we)"
    r"|is it (?:ok(?:ay)?|safe|possible|fine|allowed) to)\s+(?P<what>.*)",
    re.IGNORECASE | re.DOTALL,
)
# What comes after it is what a person wants to be allowed to do, or to know how to do.
ACCESS: Final = re.compile(
    r"\b(?:(?:give|grant|get|allow) (?:me|us)|need|want|require|get|have(?: no)?|lack|request|would like)"
    r"(?: the| an?| some| more)? (?:access|permissions?|rights?) (?:to|for|on|of)\s+(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
HOW_TO: Final = re.compile(
    r"^(?:how (?:do|can|could|would|should|must) (?:i|we|you)|how to)\s+(?P<what>.+)", re.IGNORECASE | re.DOTALL
)
_WHO: Final = r"(?P<who><@[^>]+>|@[\w.-]+)"
GRANTING: Final = re.compile(
    rf"(?:\b(?:give|grant|allow|let|permit|authori[sz]e|enable)\s+{_WHO}(?:\s+(?:an?|the|access|rights?|permissions?|to|for)\b)*"
    rf"|{_WHO.replace('who', 'person')}\s+(?:needs?|should|must|has|wants?)(?:\s+to)?(?:\s+be)?"
    r"\s+(?:able|allowed|permitted)\s+to)\s+(?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
# Whole texts that name no target, and the reads that they mean.
NO_TARGET: Final = (
    (
        re.compile(
            r"^(?:(?:please|can you|could you) )*(?:revoke|end|cancel|remove|withdraw|delete|drop|undo|take(?: away| back)?)"
            r" (?:\S+['\u2019]s|my|the|this|that|his|her|their) (?:grants?|access|permissions?|rights?)"
            r"(?: (?:on|to|for|of) \S+)?(?: away| back)?(?= *$| please)"
        ),
        ("grants",),
    ),
    (
        re.compile(
            r"^(?:please )?(?:end|stop|close|finish|cancel|revoke|leave|turn off)(?: the| my| our)? break-? ?glass\b"
        ),
        ("grants", "approvals"),
    ),
    (
        re.compile(r"\b(?:take(?: back)?|revoke|undo|withdraw|cancel|retract|remove) my (?:approval|vote|decision)\b"),
        ("approvals",),
    ),
    (re.compile(r"^(?:is|are|was) (?:there )?(?:any|some)thing (?:\w+ )?broken\b"), ("status", "health")),
)
WHY_NOT: Final = re.compile(
    r"^why (?:can['\u2019]?t|cannot|can|may) (?P<who><@[^>]+>|@?[^\W\d_]+)(?: not)? (?P<what>.+)",
    re.IGNORECASE | re.DOTALL,
)
BY_NAME: Final = re.compile(r"\b(?:give|grant|allow|let|permit)\s+(?P<who>[^\W\d_]{2,})(?=\s)", re.IGNORECASE)
PRONOUNS: Final = _words("i we you he she it they him her them us me")
OF_A_PAIR: Final = MappingProxyType(  # `stop the schedule` is `schedule off`
    dict.fromkeys(("stop", "pause", "disable", "suspend", "hold"), ("off", "disable"))
    | dict.fromkeys(("resume", "enable", "unpause", "reactivate", "activate"), ("on",))
    | dict.fromkeys(("delete", "remove", "drop", "erase", "clean", "empty"), ("delete", "clear"))
    | dict.fromkeys(("change", "make", "update", "edit", "modify"), ("set",))
    | dict.fromkeys(("add", "replace", "create", "new"), ("put", "add", "create", "set"))
)
# The second words of built-in verbs that take words, by what people call them.
SECOND_WORDS: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("incident", "open"): _words("open declare start create raise new report begin"),
        ("incident", "close"): _words("close end resolve resolved finish over done"),
    }
)
# Commands for words that people write after `incident`, which it doesn't take.
_REPORTS: Final = "report summary log timeline history"
OF_AN_INCIDENT: Final = MappingProxyType(
    dict.fromkeys(_words(_REPORTS), ("timeline", "incident close"))
    | dict.fromkeys(_words("note notes comment add update show list"), ("timeline", "incident"))
)
# The end of a text that asks for one: `the incident report`, `incident INC-4 report`, `incident report for INC-4`.
REPORT_OF_AN_INCIDENT: Final = re.compile(
    rf"(?<!\S)incident (?:\S*\d\S* )?({_REPORTS.replace(' ', '|')})(?: (?:for|of|about|on) \S*\d\S*)?(?: to(?: \S+)?)?"
    r"(?: please)?$"
)
# Parameters by what sentences call them, besides their names.
CALLED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "diff": _words("compare comparison difference"),
        "clean": _words("cleanly gracefully"),
        "grep": _words("containing contains matching mentioning"),
    }
)
_NUMBERS: Final = "zero a,an,one two three four five six seven eight nine ten eleven twelve"
NUMBERS: Final = {word: at for at, words in enumerate(_NUMBERS.split(" ")) for word in words.split(",") if word} | {
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "hundred": 100,
}
# Other words, most of times and numbers, for the correction of misspelled ones.
TIMES: Final = _words(
    "last latest past since until till til half quarter hour minute second day week lines runs next because monday tuesday "
    "hours minutes wednesday thursday friday saturday sunday night tonight yesterday morning evening tomorrow asks "
    "noon midnight lunch rest weekend month year couple further notice mins secs hrs"
)
# Ordinary words that look like those of commands: none is a misspelling.
ORDINARY: Final = _words("ill send lend spend sent bend will well sell bill hell tell stay play")
# Words that change nothing of what an order says.
GLUE: Final = _words(
    "too well instead meanwhile manually hand fresh properly simply finally certainly definitely only again anyway kindly "
    "effective folder secure playbook workflow script completed successful success succeeded took takes min mins hr hrs sec secs "
    "oclock am pm p m eod cob afternoon days weeks months uhr hora horas heures stunden minuten o le el la los bis zum zur "
    "um fur jusqua hasta freitag dezember"
)
# Around a verb that is used as a noun: `the restart failed`, `the kill switch`.
DOING: Final = _words("do make need perform give want like request")  # `please do a restart of X` is an order
NOUNS: Final = (_words("the a last this my every"), _words("of fails is was has did does switch button"))
GREETINGS: Final = _words(
    "hello hi hey dear thanks thank ok so and bot signalbox guten morgen good morning sorry kindly team"
)
STATES: Final = _words("is are was were be has have isnt arent wasnt werent not")  # of what is told beside an order
ALL: Final = _words("all every everything each")
ALONE: Final = _words("status health targets")  # built-in verbs that need no target
POLITE: Final = _words(
    "please pls plz can could would will want need like hello hi hey dear thanks thank now today asap just let lets go "
    "bitte danke merci por favor gracias advance"
)
_COURTESY: Final = "|".join(sorted(POLITE - {"now"}))
COURTESIES: Final = re.compile(rf"^(?:(?:{_COURTESY}) )+|(?: (?:{_COURTESY}))+$")  # before and after the other words
_SOMEONE: Final = {f"{some}{one}" for some in ("some", "any") for one in ("one", "body")}
GRAMMAR: Final = (
    _words(
        "a an the this that it its is are was be you u i we me my us our to do does did for of on in at with and from by into "
        "what why whats up hows whos there here when how cant all any exist everything anything ist sind der die das von "
        "noch mal bitte then not has have had been about as if or but which every each still already right moment currently yet "
        "maybe perhaps quickly quick actually really also something far back"
    )
    | _SOMEONE
)
THINGS: Final = _words(
    "agent job run task service svc gw file channel get give make control plane planes system systems crawler bot signalbox "
    "signal box"
)
FILLERS: Final = POLITE | GRAMMAR | THINGS
# Words before a target that a sentence mentions, in addition to fillers: `see acc:shop/prices`.
REFERRING: Final = FILLERS | _words("see like unlike than before until since because via per re cf affects after")
# Words that may stand before the verb of an order, in addition to names.
ORDERING: Final = (
    POLITE
    | GREETINGS
    | THINGS
    | _SOMEONE
    | _words(
        "a an the this that it you u i id we me us my our to do for on in at with of from by into be if get have bring back is "
        "ahead also then quickly quick directly immediately urgent urgently possible great nice "
        "kind mind chance any assist needed request requests ask wish require appreciate must set make put try re noch mal "
        "jetzt sofort gleich schnell wieder muss werden zeitplan "
        "mir du den dem das die der auf neu von kannst konntest stp svp peux tu pouvez pourriez vous puedes podrias as de je "
        "voudrais veuillez quisiera"
    )
) - {"plane", "planes"}
# Words that may stand before the verb of the clause that orders something, and those after a verb that tells of something.
BEFORE_A_VERB: Final = (
    ORDERING
    | POLITE
    | GREETINGS
    | _words(
        "yes yep yeah sure course excuse problem perfect very evening dear colleagues as discussed go ahead then now first "
        "second next so try might should has needs ffs fucking damn shit argh maybe perhaps also just but"
    )
)
TOLD_OF: Final = NOUNS[1] | _words(
    "failed done finished worked works crashed ended ok helps helped takes took lasts starts ends begins"
)
