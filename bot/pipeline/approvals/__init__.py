"""Operations that others have to agree to: asked with everything that a decision needs, decided once, used once."""

from bot.pipeline.approvals.asking import request, was_asked
from bot.pipeline.approvals.deciding import DENY_FORM, decide, denied, too_late
from bot.pipeline.approvals.ending import expire
from bot.pipeline.approvals.look import unfit
from bot.pipeline.approvals.shown import home_cards
from bot.pipeline.approvals.terms import KIND
from bot.pipeline.approvals.waking import pick_up, recover, remind
from bot.pipeline.approvals.wanted import ASK_FORM, ASK_TAG, ask_buttons, open_ask, wanted

__all__ = [
    "ASK_FORM",
    "ASK_TAG",
    "DENY_FORM",
    "KIND",
    "ask_buttons",
    "decide",
    "denied",
    "expire",
    "home_cards",
    "open_ask",
    "pick_up",
    "recover",
    "remind",
    "request",
    "too_late",
    "unfit",
    "wanted",
    "was_asked",
]
