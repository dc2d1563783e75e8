"""Clients of Slack's Web API over one session."""

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient


def web_client(token: str | None, api_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client that uses its session's proxy rules: the SDK would take a proxy from the environment and ignore NO_PROXY."""
    client = AsyncWebClient(token=token, base_url=api_url, session=session, timeout=20)
    client.proxy = None
    return client


def once(client: AsyncWebClient) -> AsyncWebClient:
    """The same client without the SDK's retries: a post whose answer was lost may be in the channel already."""
    made = AsyncWebClient(
        token=client.token, base_url=client.base_url, session=client.session, timeout=client.timeout, retry_handlers=[]
    )
    made.proxy = client.proxy
    return made
