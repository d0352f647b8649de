"""Serves one fake Proxmox VE on loopback for one test, and lets the test change it while it runs.

Commands come as JSON, one a line, on standard input; each is answered by one line on standard output, `{"ok": ...}` or
`{"error": "..."}`. It ends when standard input does. The first line it writes says where it listens.

  {"do": "call", "name": "add_vm", "args": [...], "kwargs": {...}}   a method of the fake, or of one of its guests
  {"do": "set", "name": "quorate", "value": false}                   an attribute
  {"do": "get", "name": "requests"}
  ... "guest": 101                                                   of this guest instead of the fake

A name may have dots: `network.drop_rate` is the entry of a dictionary.
"""

import asyncio
import hashlib
import inspect
import json
import logging
import ssl
import sys
import tempfile

from aiohttp import web
from fakepve import FakePve, PveError, TaskError
from fakepve.certs import make_cert
from fakepve_gaps import Gaps
from fakepve_realms import Realms
from fakepve_tasks import Tasks

HOST = "127.0.0.1"


class Host(Realms, Tasks, Gaps, FakePve):
    """The fake, plus faults that it cannot provoke by itself."""

    def __init__(self):
        super().__init__(host=HOST, port=0)
        self.apitokens["root@pam!paddock"] = "right"
        self.sites = {}
        self.tls = None
        self.stops = {}
        # (method, end of the path) -> what happens instead of an answer, see spoil().
        self.spoilt = {}
        # Every connection that brought a request, by its client's port; and requests at work at once.
        self.connections = set()
        self.transports = {}
        self.under_way = 0
        self.most_under_way = 0

    # ---- more than one address: the nodes of one cluster share their state

    async def listen(self, host=HOST):
        """One more address with the same certificate; returns its port."""
        site = web.TCPSite(self.runner, host, 0, ssl_context=self.tls)
        await site.start()
        port = self.runner.addresses[-1][1]
        self.sites[port] = site
        return port

    async def shut(self, port):
        """Stops listening there and cuts the connections that it has."""
        await self.sites.pop(port).stop()
        for transport in self.transports.pop(port, set()):
            transport.abort()

    async def reopen(self, port, host=HOST):
        """Listens there again."""
        site = web.TCPSite(self.runner, host, port, ssl_context=self.tls)
        await site.start()
        self.sites[port] = site

    # ---- faults

    def spoil(self, method, suffix, how, times=1, status=200, reason=None, body="", kind="application/json",
              promise=100, seconds=0):
        """The next requests whose path ends so are spoilt.

        how: `raw` answers this status, reason and body; `cut` promises so many bytes more than it sends; `flood` sends
        one MiB after the other, without end; `drop` closes the connection unanswered and does nothing; `swallow` does
        the work and closes unanswered; `hang` waits so many real seconds first.
        """
        self.spoilt[method, suffix] = {"how": how, "times": times, "status": status, "reason": reason, "body": body,
                                       "kind": kind, "promise": promise, "seconds": seconds}

    def expire_tickets(self):
        """Every ticket's time is up."""
        for ticket in self.tickets.values():
            ticket["expires"] = 0

    def count(self, method, suffix):
        """How many requests of this method came whose path ends so."""
        return sum(1 for m, path, _ in self.requests if m == method and path.endswith(suffix))

    def bodies(self, method, suffix):
        """Their bodies, oldest first; secrets are masked by the fake."""
        return [body for m, path, body in self.requests if m == method and path.endswith(suffix)]

    def run_task(self, secs, node="pve1", kind="vzdump", vmid=101, user="root@pam!paddock", end=None, log=()):
        """A task of its own that takes so many PVE seconds; returns its UPID."""
        async def body():
            await self.pause(secs)
            if end:
                raise TaskError(end)
        return self.task(node, kind, vmid, user, body, log=list(log))

    def say(self, upid, *lines):
        """Adds lines to a task's log."""
        self.tasks[upid]["log"].extend(lines)

    def _spoilt(self, request):
        for (method, suffix), rule in list(self.spoilt.items()):
            if request.method == method and request.path.endswith(suffix):
                rule["times"] -= 1
                if rule["times"] <= 0:
                    del self.spoilt[method, suffix]
                return rule
        return None

    async def _answer(self, request, handler, generic, path_node):
        transport = request.transport
        if transport is None or transport.is_closing():
            # Cut before it came to this request.
            return web.Response()
        port = transport.get_extra_info("sockname")[1]
        if port not in self.sites:
            # It was being made when the port was shut, so that it was not among those that were cut.
            transport.abort()
            return web.Response()
        self.connections.add(transport.get_extra_info("peername")[1])
        self.transports.setdefault(port, set()).add(transport)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            rule = self._spoilt(request)
            how = rule and rule["how"]
            if how == "hang":
                await asyncio.sleep(rule["seconds"])
            if how == "raw":
                return web.Response(status=rule["status"], reason=rule["reason"], text=rule["body"],
                                    content_type=rule["kind"])
            if how in ("cut", "flood"):
                response = web.StreamResponse(status=rule["status"])
                response.content_type = rule["kind"]
                if how == "cut":
                    response.content_length = len(rule["body"]) + rule["promise"]
                await response.prepare(request)
                await response.write(rule["body"].encode())
                try:
                    while how == "flood":
                        await response.write(b" " * 2**20)
                        await asyncio.sleep(0)
                except ConnectionError:
                    # The client has had enough.
                    return response
                transport.close()
                return response
            if how == "drop":
                transport.abort()
                return web.Response()
            response = await super()._answer(request, handler, generic, path_node)
            if how == "swallow":
                transport.abort()
            return response
        finally:
            self.under_way -= 1

    # ---- tasks can be stopped, as the real daemon does it

    def _routes_stoppable(self):
        return [("DELETE", "/nodes/{node}/tasks/{upid}", self._stop_task)]

    async def _stop_task(self, values, user):
        task = self.tasks.get(values["upid"])
        if task is None:
            raise PveError(400, "Parameter verification failed.", {"upid": "no such task"})
        if not self._task_owner(user, task):
            self.require(user, "/nodes/" + task["node"], "Sys.Modify")
        if values["upid"] in self.stops:
            self.stops[values["upid"]].set()

    def interrupt(self, upid):
        """Ends a task, as somebody else's DELETE does."""
        self.stops[upid].set()

    async def task(self, node, ttype, tid, user, body, **options):
        stop = asyncio.Event()

        async def stoppable():
            work = asyncio.ensure_future(body())
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if work.done():
                return work.result()
            work.cancel()
            raise TaskError("received interrupt")

        upid = await super().task(node, ttype, tid, user, stoppable, **options)
        self.stops[upid] = stop
        return upid


def plain(value):
    """As JSON can say it."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return repr(value)


async def obey(pve, command):
    owner = pve
    if command.get("guest") is not None:
        owner = pve.guest(command["guest"])
        if owner is None:
            raise KeyError("no guest {0}".format(command["guest"]))
    *way, name = command["name"].split(".")
    for step in way:
        owner = owner[step] if isinstance(owner, dict) else getattr(owner, step)
    if command["do"] == "call":
        result = getattr(owner, name)(*command.get("args", []), **command.get("kwargs", {}))
        return await result if inspect.isawaitable(result) else result
    if command["do"] == "get":
        return owner[name] if isinstance(owner, dict) else getattr(owner, name)
    if command["do"] == "set":
        if isinstance(owner, dict):
            owner[name] = command["value"]
        else:
            # A misspelt name would change nothing and go unseen.
            getattr(owner, name)
            setattr(owner, name, command["value"])
        return None
    raise ValueError("unknown command {0!r}".format(command["do"]))


async def main():
    # It tells of each connection that the fake drops, as it was asked to.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="fakepve-") as keys:
        certificate, key, der = make_cert(keys, hosts=(HOST,))
        other, _, _ = make_cert(keys, name="other", hosts=(HOST,))
        pve = Host()
        pve.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        pve.tls.load_cert_chain(certificate, key)
        await pve.start(certificate, key)
        pve.sites[pve.port] = next(iter(pve.runner.sites))
        hello = {"host": HOST, "port": pve.port, "ca": certificate, "other_ca": other,
                 "fingerprint": hashlib.sha256(der).hexdigest()}
        print(json.dumps(hello), flush=True)
        lines = asyncio.StreamReader(limit=2**24)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            try:
                answer = {"ok": await obey(pve, json.loads(line))}
            except Exception as problem:  # noqa: BLE001 - the test shall see it, whatever it is
                answer = {"error": "{0}: {1}".format(type(problem).__name__, problem)}
            print(json.dumps(answer, default=plain), flush=True)


asyncio.run(main())
