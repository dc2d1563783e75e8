"""Submitting and closing modals, and the effect of the app's answer on the stack."""

from __future__ import annotations

from .blocks import walk_elements
from .core import Core
from .courier import Courier
from .errors import ApiError, CannotAct
from .forms import complaints
from .payloads import interaction
from .places import Place, Places
from .receipt import Receipt
from .state import Json, User
from .transport import Answer
from .views import STATEFUL, View


class Modals:
    """One person's modals."""

    def __init__(self, core: Core, courier: Courier, places: Places, user_id: str) -> None:
        self._core = core
        self._courier = courier
        self._places = places
        self._user_id = user_id

    async def submit(self, user: User, place: Place) -> Receipt:
        """Send view_submission, unless the client finds a missing or wrong field."""
        view = self._modal(place)
        if view.body["submit"] is None and not any(b["type"] == "input" for b in view.body["blocks"]):
            raise CannotAct("this modal has no submit button")
        found = complaints(view.body["blocks"], view.values)
        if found:
            return Receipt(errors=found, error="incomplete_form")
        payload = interaction(self._core, "view_submission", user)
        payload |= {
            "trigger_id": self._core.triggers.make(user.id, view.id),
            "view": view.payload(),
            "response_urls": self._response_urls(user, view),
        }
        answer = await self._courier.send("interactive", payload)
        return self._settle(view, answer)

    def _modal(self, place: Place) -> View:
        if place.view is None or place.view.body["type"] != "modal":
            raise CannotAct("only modals can be submitted and closed")
        return place.view

    def _response_urls(self, user: User, view: View) -> list[Json]:
        urls = []
        for block, element in walk_elements(view.body["blocks"]):
            if not element.get("response_url_enabled"):
                continue
            ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
            value = view.values[ids["block_id"]][ids["action_id"]][STATEFUL[element["type"]][0]]
            if value:
                path = self._core.responses.make("app", user.id, value)
                urls.append({**ids, "channel_id": value, "response_url": self._core.base_url + path})
        return urls

    def _settle(self, view: View, answer: Answer) -> Receipt:
        if not answer.acked:
            return Receipt.of(answer)
        body: Json = answer.body if isinstance(answer.body, dict) else {}
        try:
            errors = self._apply(view, body)
        except ApiError as refused:
            detail = tuple(refused.extra.get("response_metadata", {}).get("messages", ()))
            return Receipt.of(answer, error=refused.code, detail=detail)
        return Receipt.of(answer, errors=errors)

    def _apply(self, view: View, body: Json) -> dict[str, str]:
        """Apply response_action, and return the errors that the form shows."""
        action = body.get("response_action")
        views = self._core.views
        if action is None:
            views.close(view)
        elif action == "errors":
            return self._form_errors(view, body.get("errors"))
        elif action == "update":
            views.update(view, body.get("view"))
        elif action == "push":
            views.push(self._user_id, body.get("view"), view.id)
        elif action == "clear":
            views.clear(self._user_id)
        else:
            raise ApiError("invalid_response_action")
        return {}

    def _form_errors(self, view: View, errors: object) -> dict[str, str]:
        inputs = {b["block_id"] for b, _ in walk_elements(view.body["blocks"]) if b["type"] == "input"}
        if not isinstance(errors, dict) or not errors or set(errors) - inputs:
            raise ApiError("invalid_response_errors")
        return {str(k): str(v) for k, v in errors.items()}

    async def close(self, user: User, place: Place, *, clear: bool) -> Receipt:
        """Send view_closed, only for views with notify_on_close."""
        view = self._modal(place)
        if clear:
            self._core.views.clear(user.id)
        else:
            self._core.views.close(view)
        if not view.body["notify_on_close"]:
            return Receipt()
        payload = interaction(self._core, "view_closed", user)
        payload |= {"view": view.payload(), "is_cleared": clear}
        return Receipt.of(await self._courier.send("interactive", payload))
