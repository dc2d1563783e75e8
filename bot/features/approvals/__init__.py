"""Approvals: each shows everything that a decision needs, is decided once and used once."""

from bot.features.approvals.cards import home_cards, link_to, newest_of
from bot.features.approvals.dispatch import announce, pick_up, recover, remind
from bot.features.approvals.exception_request import ASK_FORM, ASK_TAG, ask_buttons, open_ask, wanted
from bot.features.approvals.expiry import expire
from bot.features.approvals.request import led_to_card, request, theirs_to_decide, was_asked, who_asked
from bot.features.approvals.vote import DENY_FORM, decide, denied, too_late

__all__ = [
    "ASK_FORM", "ASK_TAG", "DENY_FORM", "announce", "ask_buttons", "decide", "denied", "expire", "home_cards", "led_to_card",
    "link_to", "newest_of", "open_ask", "pick_up", "recover", "remind", "request", "theirs_to_decide", "too_late", "wanted",
    "was_asked", "who_asked",
]  # fmt: skip
