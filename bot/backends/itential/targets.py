"""From what a person wrote to the one thing that is meant.

Names are found in the lists, because a wrong id is answered with the same 500 as everything else. Something that is about
to be created does not exist yet: gateways, groups and certificates that are not found become targets marked NEW, and
every verb but the creating ones refuses those.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP, JOB, PLATFORM, SERVICE
from bot.backends.itential.client import ItnClient
from bot.backends.itential.models import Certificate, Gateway, Group, Service
from bot.backends.itential.settings import ItentialSettings
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadReply, BadRequest, NoSuchTarget
from bot.core.operation import Target
from bot.core.ports.services import Names
from bot.core.text import checked_name

NEW: Final = "new"
# All watched jobs are one group: one list of the newest jobs tells of most of them.
JOBS: Final = "jobs"


class Finder:
    """Finds targets of one platform and remembers them."""

    def __init__(self, settings: ItentialSettings, names: Names, client: ItnClient) -> None:
        self._backend = settings.name
        self._names = names
        self._client = client

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The exact target; see ports.Backend.resolve."""
        if ref.selector is not None:
            raise BadRequest(f"`@{ref.selector}` picks a run of an agent; name the job, like `job/ID`.")
        if kind == GATEWAY:
            return await self._gateway(ref.path)
        if kind == GROUP:
            return await self._group(ref.path)
        if kind == CERT:
            return await self._cert(ref.path)
        if kind == JOB:
            return await self._job(ref.path)
        if kind == PLATFORM or not ref.path:
            return Target(backend=self._backend, kind=PLATFORM, id=PLATFORM, name="", scope=f"{self._backend}:")
        return await self._service(ref.path)

    # --- services ------------------------------------------------------------------------------

    async def _service(self, written: str) -> Target:
        """`NAME`, or `CLUSTER/NAME`; the canonical form has the cluster."""
        path = checked_name(written, "cluster_1/my-tofu-service")
        listed = await self._client.services()
        found = [one for one in listed if path in (one.path, one.id)]
        found = found or [one for one in listed if one.service_metadata.name == path]
        if len(found) > 1:
            paths = tuple(sorted(f"{self._backend}:{one.path}" for one in found))
            raise Ambiguous(f"{self._backend} has {len(found)} services `{path}`.", paths)
        if not found:
            names = sorted({name for one in listed for name in (one.path, one.service_metadata.name)})
            raise self._missing(f"service `{path}`", path, names)
        return await self._remembered(self.service_target(found[0]))

    def service_target(self, service: Service) -> Target:
        """A service as a target; `group` is its cluster."""
        return Target(
            backend=self._backend,
            kind=SERVICE,
            id=service.id,
            name=service.path,
            scope=f"{self._backend}:{service.path}",
            group=service.service_metadata.location,
        )

    # --- jobs ----------------------------------------------------------------------------------

    async def _job(self, written: str) -> Target:
        """A job by its id. Rules see it as its service only if it was started here: a job's own words prove nothing."""
        job_id = checked_name(written, "job/20ae2dd7cf1c43aab817556a")
        known = await self._names.by_id(self._backend, JOB, job_id)
        if known is not None:
            return known
        job = await self._client.job(job_id)
        if job.id != job_id:
            raise BadReply(f"{self._backend} was asked for job {job_id[:80]} and answered with {job.id[:80]}.")
        return self.job_target(job_id, None)

    def job_target(self, id: str, service: Target | None) -> Target:
        """A job, of that service where it is known."""
        return Target(
            backend=self._backend,
            kind=JOB,
            id=id,
            name=f"{JOB}/{id}",
            scope=service.scope if service else None,
            group=JOBS,
            parent=service.id if service else None,
            parent_name=service.name if service else None,
        )

    async def learn_job(self, id: str, service: Target) -> Target:
        """Remember whose run a job is."""
        return await self._remembered(self.job_target(id, service))

    # --- gateways, groups, certificates --------------------------------------------------------

    async def _gateway(self, written: str) -> Target:
        name = checked_name(written, "gateway/cluster_1")
        listed = await self._client.gateways()
        found = [one for one in listed if name == one.id] or [one for one in listed if name == one.cluster_id]
        return await self._picked(GATEWAY, name, [self.gateway_target(one) for one in found])

    def gateway_target(self, gateway: Gateway) -> Target:
        """A gateway as a target; it is known by its cluster id."""
        return self._named(GATEWAY, gateway.id, gateway.cluster_id)

    async def _group(self, written: str) -> Target:
        name = checked_name(written, "group/nightly")
        listed = await self._client.groups()
        found = [one for one in listed if name == one.id] or [one for one in listed if name == one.name]
        return await self._picked(GROUP, name, [self.group_target(one) for one in found])

    def group_target(self, group: Group) -> Target:
        """A service group as a target."""
        return self._named(GROUP, group.id, group.name)

    async def _cert(self, written: str) -> Target:
        name = checked_name(written, "cert/edge")
        listed = await self._client.certificates()
        found = [one for one in listed if name == one.id] or [one for one in listed if name == one.alias]
        if not found:
            for target, _ in await self._names.known(self._backend, CERT):
                # Some versions show no alias: what was added here is remembered under it.
                found = found or [one for one in listed if one.id == target.id and target.name == f"{CERT}/{name}"]
            if found:
                return self._named(CERT, found[0].id, name)
        return await self._picked(CERT, name, [self.cert_target(one) for one in found])

    def cert_target(self, cert: Certificate, alias: str = "") -> Target:
        """A certificate as a target."""
        return self._named(CERT, cert.id, alias or cert.label)

    def _named(self, kind: str, id: str, label: str) -> Target:
        name = f"{kind}/{label}"
        return Target(backend=self._backend, kind=kind, id=id, name=name, scope=f"{self._backend}:{name}")

    async def _picked(self, kind: str, name: str, found: Sequence[Target]) -> Target:
        if len(found) > 1:
            ids = tuple(f"{self._backend}:{kind}/{one.id}" for one in found)
            raise Ambiguous(f"{self._backend} has {len(found)} of the name `{name}`.", ids)
        if not found:
            return self._named(kind, name, name).model_copy(update={"group": NEW})
        return await self._remembered(found[0])

    async def learn(self, target: Target) -> Target:
        """Remember something that was made."""
        return await self._remembered(target)

    def _missing(self, what: str, written: str, names: Sequence[str]) -> NoSuchTarget:
        near = tuple(difflib.get_close_matches(written, names, n=5, cutoff=0.5))
        return NoSuchTarget(f"{self._backend} has no {what}.", nearest=near)

    async def _remembered(self, target: Target) -> Target:
        await self._names.remember([target])
        return target


def existing(target: Target) -> Target:
    """The target if it exists; raises NoSuchTarget for one that could only be created."""
    if target.group == NEW:
        raise NoSuchTarget(f"{target.backend} has no {target.name.replace('/', ' ', 1)}.")
    return target
