"""A Slack client that sends nothing twice by itself."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient


def once(client: AsyncWebClient) -> AsyncWebClient:
    """The same client without the SDK's own repeats: a post whose answer was lost may be in the channel already."""
    return AsyncWebClient(
        token=client.token,
        base_url=client.base_url,
        session=client.session,
        timeout=client.timeout,
        retry_handlers=[],
    )
