"""Operations that others have to agree to: asked with everything that a decision needs, decided once, used once."""

from bot.pipeline.approvals.asking import request, was_asked
from bot.pipeline.approvals.deciding import DENY_FORM, decide, denied, too_late
from bot.pipeline.approvals.ending import expire
from bot.pipeline.approvals.terms import KIND
from bot.pipeline.approvals.waking import recover, remind

__all__ = ["DENY_FORM", "KIND", "decide", "denied", "expire", "recover", "remind", "request", "too_late", "was_asked"]
