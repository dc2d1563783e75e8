"""Turns what a person wrote into the one target that it means.

Names are searched in the lists, because a wrong id gets the same 500 as every other error. An object that is about
to be created does not exist yet: gateways, groups and certificates that are not found become targets marked NEW, and
every verb but the creating ones refuses those.
"""

from collections.abc import Mapping
from typing import Any, Final

from bot import backends
from bot.backends import FinderBase, check_same, nearest, selected, unnamed
from bot.backends.itential.capabilities import CERT, GATEWAY, GROUP, JOB, PLATFORM, SERVICE
from bot.backends.itential.client import CERTS, GATEWAYS, GROUPS, ItnClient, Resource
from bot.backends.itential.models import Certificate, Gateway, Group, Job, Service
from bot.backends.itential.presentation import job_state
from bot.backends.itential.settings import ItentialSettings
from bot.core.command.params import as_typed
from bot.core.command.target_ref import TargetRef
from bot.core.errors import Ambiguous, BadReply, NoSuchTarget
from bot.core.operation import Target, brief_id
from bot.core.text import checked_name

NEW: Final = "new"
# All watched jobs are one group: one list of the newest jobs contains most of them.
JOBS: Final = "jobs"
LISTED: Final = 100  # jobs that one list has at most
RESOURCES: Final[Mapping[str, Resource[Any]]] = {GATEWAY: GATEWAYS, GROUP: GROUPS, CERT: CERTS}
_EXAMPLES: Final = {GATEWAY: "gateway/cluster_1", GROUP: "group/nightly", CERT: "cert/edge"}


def named(service: Target) -> str:
    """The name of a service target, without its cluster."""
    return service.name.removeprefix(f"{service.group}/")


def is_of(job: Job, service: Target) -> bool:
    """Whether a job is a run of this service. GUESS: its variables or its name contain the service's name."""
    variables = job.variables or {}
    if "serviceName" in variables:
        return variables["serviceName"] == named(service) and variables.get("clusterId") in (None, service.group)
    return named(service) in (job.name or "").split()


class Finder(FinderBase[ItentialSettings, ItnClient]):
    """Finds targets of one platform and remembers them."""

    async def find(self, ref: TargetRef, kind: str | None) -> Target:
        """The target of `ref`; see ports.Backend.resolve."""
        if ref.selector is not None and (kind is not None or not ref.path or not self._settings.jobs):
            raise self.not_selected(ref, kind, f"`jobs {self._backend}:` lists the jobs; name one, like `job/ID`.")
        if ref.selector is not None:
            return await self._selected(await self._service(ref.path), ref.selector)
        if kind in RESOURCES:
            return await self._resource(str(kind), ref.path)
        if kind == JOB:
            return await self._job(ref.path)
        if kind == PLATFORM or not ref.path:
            return self.target(PLATFORM, PLATFORM, "")
        return await self._service(ref.path)

    async def _service(self, written: str) -> Target:
        """`NAME`, or `CLUSTER/NAME`; the canonical form has the cluster."""
        path = checked_name(written, "cluster_1/my-tofu-service")
        rows = await self._client.services()
        listed = [one for one in rows if one.id and one.service_metadata.name and one.service_metadata.location]
        odd = unnamed(len(rows) - len(listed), "row of `result`", "_id", "name", "location", "service_metadata")
        found = [one for one in listed if path in (one.path, one.id)]
        found = found or [one for one in listed if one.service_metadata.name == path]
        if len(found) > 1:
            paths = tuple(sorted(f"{self._backend}:{one.path}" for one in found))
            raise Ambiguous(f"{self._backend} has {len(found)} services `{path}`.", paths)
        if not found:
            names = {name for one in listed for name in (one.path, one.service_metadata.name)}
            near = tuple(nearest(path, names))
            raise NoSuchTarget(f"{self._backend} has no service {as_typed(path, 250)}.", odd, near)
        return await self.remembered(self.service_target(found[0]))

    def service_target(self, service: Service) -> Target:
        """A service as a target; `group` is its cluster."""
        return self.target(SERVICE, service.id, service.path, group=service.service_metadata.location)

    async def _selected(self, service: Target, selector: str) -> Target:
        """The newest such job of a service (GUESS: see `is_of`). Rules see it as any other job: see `_job`."""
        mine = [one for one in await self._client.jobs(LISTED) if one.id and is_of(one, service)]
        mine.sort(key=lambda one: one.began.timestamp() if one.began else 0, reverse=True)
        found = selected(mine, selector, lambda job: job_state(job)[1])
        if not found:
            word = "" if selector == "last" else f"{selector} "
            hint = f"`jobs {self._backend}:` lists the jobs."
            raise NoSuchTarget(f"{service.name} has no {word}job among the latest {LISTED}.", hint, (service.text,))
        return await self._job(found[0].id)

    async def _job(self, written: str) -> Target:
        """A job by its id. Rules see it as its service only if it was started here: a job's own data proves nothing."""
        job_id = checked_name(written, "job/20ae2dd7cf1c43aab817556a")
        known = await self._target_cache.by_id(self._backend, JOB, job_id)
        if known is not None:
            return known
        if brief_id(job_id) == job_id:  # as `jobs` shows it
            listed = [job.id for job in await self._client.jobs(LISTED)]
            ids = tuple([f"{JOB}/{one}" for one in listed if brief_id(one).removeprefix("…") == job_id])
            if len(ids) > 1:
                raise Ambiguous(f"{len(ids)} ids of {self._backend} have `{job_id}`.", ids)
            job_id = "".join(ids).removeprefix(f"{JOB}/") or job_id
        job = await self._client.job(job_id)
        check_same(self._backend, "_id", job_id, job.id)
        return self.job_target(job_id, None)

    def job_target(self, id: str, service: Target | None) -> Target:
        """A job, linked to its service if that is known."""
        parent = {"scope": service.scope, "parent": service.id, "parent_name": service.name} if service else {}
        return self.target(JOB, id, f"{JOB}/{id}", **{"scope": None, "group": JOBS, **parent})

    async def _resource(self, kind: str, written: str) -> Target:
        """A gateway by its id or cluster id, a group by its id or name, a certificate by its id or alias."""
        name = checked_name(written, _EXAMPLES[kind])
        rows = await self._client.listed(RESOURCES[kind])
        listed = [one for one in rows if one.id and one.label]
        found = [one for one in listed if name == one.id] or [one for one in listed if name == one.label]
        if not found and kind == CERT:
            # Some versions show no alias, so certificates added here are remembered under theirs.
            known = {
                target.id
                for target, _ in await self._target_cache.known(self._backend, CERT)
                if target.name == f"{CERT}/{name}"
            }
            mine = [one for one in listed if one.id in known]
            if mine:
                return self._named(CERT, mine[0].id, name)
        if len(found) > 1:
            ids = tuple(f"{self._backend}:{kind}/{one.id}" for one in found)
            raise Ambiguous(f"{self._backend} has {len(found)} {kind}s with the name `{name}`.", ids)
        if not found and len(listed) < len(rows):
            label = {GATEWAY: "cluster_id", GROUP: "name", CERT: "alias"}[kind]
            raise BadReply(
                f"{self._backend} has no {kind} {as_typed(name, 250)}.",
                unnamed(len(rows) - len(listed), "row of `results`", "_id", label),
            )
        if not found:
            return self._named(kind, name, name).model_copy(update={"group": NEW})
        return await self.remembered(self.resource_target(kind, found[0]))

    def resource_target(self, kind: str, thing: Gateway | Group | Certificate) -> Target:
        """A gateway, group or certificate as a target."""
        return self._named(kind, thing.id, thing.label)

    def _named(self, kind: str, id: str, label: str) -> Target:
        return self.target(kind, id, f"{kind}/{label}")


AdapterContext = backends.AdapterContext[ItentialSettings, ItnClient, Finder]
