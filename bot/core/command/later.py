"""How a text says that something is to be done later, as data.

As `vocabulary`, in lower case and without apostrophes.
"""

import re
from typing import Final

from bot.core.command.vocabulary import NUMBERS

_DAYS: Final = r"(mon|tues|wednes|thurs|fri|satur|sun)day"
_WORDS: Final = "|".join(word for word in NUMBERS if len(word) > 2)
_NUMBER: Final = rf"(\d+([.,]\d+)?|an?|{_WORDS}|half( an?)?|few|(a )?couple( of)?)"
_CYCLE: Final = (
    rf"(sec(ond)?|min(ute)?|h(ou)?r|day|night|morning|noon|afternoon|evening|midnight|week|weekday|workday|weekend|month|quarter"
    rf"|year|{_DAYS}|tag|nacht|morgen|abend|woche|stunde|monat)s?"
)
MONTH: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_RECURRING: Final = (
    rf"\b(every|each|jeden?|jedes) ((\d+(st|nd|rd|th)?|other|few|second|third|fourth|working|business|{_NUMBER}) )?{_CYCLE}\b"
    rf"|\bon (weekdays|workdays|weekends?|{_DAYS}s?)\b|\b(hourly|daily|weekly|monthly|yearly|nightly)$"
)
_TIMES_A_DAY: Final = (
    rf"\b(once|twice|times?|mal) (an?|per|each|every|the|am|pro|in der) {_CYCLE}\b"
    r"|\b(taglich|stundlich|wochentlich|monatlich)\b"
)
# Anywhere in a text without the end that it states: a time that comes later.
_APART: Final = r"(?<![\w/.:-])(?:{})(?![\w/:-])"  # no part of a name
LATER: Final = re.compile(
    _APART.format(
        r"tomorrow|tmrw|tonight|tonite|later|(?<!as )soon|e[od][dw]|eom|morgen|demain|manana"
        r"|(?:at|um|gegen|around|by)(?: \d\S*|$)"
        r"|(?:at |by )?(?:the )?end of (?:the )?(?:day|week|month|year)|in a (?:bit|while)|half past|quarter (?:past|to)"
        r"|20\d\d-\d\d-\d\d|(?:from )?\d{1,2}h|\+ ?\d+ ?[smhd]|in \d+$"
        rf"|at (?:{_WORDS})(?: o ?clock| [ap]m| tonight)?"
    )
    + f"|{_RECURRING}"
)
_DATE: Final = rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{MONTH})|(?:{MONTH}) \d{{1,2}}(?:st|nd|rd|th)?"
_TIME: Final = (
    rf"(?:{_DAYS}s?|mon|tues?|weds?|thurs?|fri)(?: {_CYCLE})?|{_DATE}"
    r"|\d{1,2}[:.]\d\d(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?|noon|midnight"
)
_WHEN: Final = (
    rf"(?:(?:next|this|coming|on|at|from|starting|beginning|effective|before)(?: the| on| next)? )?(?:{_TIME})"
    rf"|(?:next|coming|over|at|during|in|on)(?: the)?(?: next| coming)? {_CYCLE}|this (?:weekend|afternoon|evening|night)"
    r"|(?:over|at|during) (?:the )?holidays?|over the [^\s\0]+|at the end of (?:the )?[^\s\0]+|next (?:[^\s\0]+ )?[^\s\0]+"
    rf"|(?:in )?{_NUMBER} ?{_CYCLE} from now|in {_NUMBER} ?(?:s|m|h|d|w|{_CYCLE})|overnight|at lunch"
    r"|(?:on|from) (?:the )?\d{1,2}(?:st|nd|rd|th)?|(?:from|between) \d.*"
)
AT_ONCE: Final = re.compile(r"(?<!from )\b(now|asap|immediately)\b")
# Of a clause whose targets are `\0`: such a time right after the target, or at its beginning or its end.
LATER_IN_CLAUSE: Final = re.compile(
    rf"(?:^|\0 )(?:{_WHEN})(?= |$)|{_TIMES_A_DAY}"
    rf"|(?<!\S)(?<!of )(?<!last )(?<!since )(?:{_WHEN}|before (?:the |you |we |i |they )?[^\s\0]+)$"
)
