"""The pause after a backend refused its credential: accounts get locked after a few wrong passwords."""

from datetime import datetime, timedelta
from typing import Final

from bot.core.errors import CredentialRefused
from bot.core.text import sentences, utc_text

FIRST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=1)


class SignInPause:
    """Whether a backend's credential may be sent. Doubles with each refusal, up to an hour, and ends earlier when the secret
    changes or a person asks for a new try (`lift`). `lasts` False: never, for a program that asks once."""

    def __init__(self, *, lasts: bool = True) -> None:
        self._lasts = lasts
        self._secret = ""
        self._reason = ""
        self._hint = ""
        self._until: datetime | None = None
        self._refusals = 0
        self._accepted = False

    def __repr__(self) -> str:
        return f"SignInPause(until={self._until})"

    def active(self, now: datetime) -> bool:
        """Whether the credential isn't sent now."""
        return self._until is not None and now < self._until

    def check(self, name: str, now: datetime, secret: str = "") -> None:
        """Raises CredentialRefused during the pause, unless the secret has changed since the refusal."""
        if self.active(now) and secret == self._secret:
            raise self._problem(name)

    @property
    def proven(self) -> bool:
        """Whether the backend took the credential when it was sent last."""
        return self._accepted

    def accepted(self) -> None:
        """The backend took the credential."""
        self._until, self._refusals, self._accepted = None, 0, True

    def refused(
        self, name: str, problem: CredentialRefused, now: datetime, secret: str = "", *, session: bool = False
    ) -> CredentialRefused:
        """The problem to raise after a refusal. `session`: of a sign-in, which is always about the credential.

        Any other single refusal after an accepted call begins no pause: it may be about that call only.
        """
        if not self._lasts or (self._accepted and not session):
            self._accepted = False
            return problem
        if not self.active(now):  # of calls that were sent at once, one begins the pause
            self._refusals += 1
            self._until = now + min(LONGEST, FIRST * 2 ** min(self._refusals - 1, 10))
        self._secret, self._reason, self._hint = secret, problem.summary, problem.hint
        return self._problem(name)

    def lift(self) -> None:
        """The next call sends the credential again."""
        self._until = None

    def _problem(self, name: str) -> CredentialRefused:
        return CredentialRefused(
            sentences(
                self._reason,
                f"Signalbox doesn't send this credential again until {utc_text(self._until)}, because accounts get locked",
            ),
            sentences(self._hint, f"To try it now, type `health {name}`"),
        )
