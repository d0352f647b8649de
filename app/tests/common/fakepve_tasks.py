"""Proxmox's lists of tasks, which fakepve 0.5.0 has of one node alone and without most of their parameters.

As PVE::API2::Cluster, PVE::API2::Tasks and PVE::RESTEnvironment of Proxmox VE 9.1 make them, and as the captures show.
"""

import time

from fakepve import PveError
from fakepve.server import USER, ok, params

# Of each node the cluster's list has the running tasks and, up to so many together, the newest that ended.
MAX_FINISHED = 25


def started(task):
    return -task["starttime"]


class Tasks:
    """A mixin in front of FakePve."""

    def _routes_tasks(self):
        return [("GET", "/cluster/tasks", self._cluster_tasks)]

    def past_task(self, started, secs=1, node="pve1", kind="vzstart", vmid=101, user="root@pam", status="OK", log=()):
        """A task that began at this time, seconds since 1970, and is over; returns its UPID."""
        upid, pid, _ = self._upid(node, kind, vmid, user)
        parts = upid.split(":")
        parts[4] = "{0:08X}".format(started)
        upid = ":".join(parts)
        last = "TASK OK" if status == "OK" else "TASK ERROR: " + status
        record = {"upid": upid, "node": node, "pid": pid, "pstart": pid * 7, "starttime": started, "type": kind,
                  "id": str(vmid), "user": user, "status": "stopped", "exitstatus": status,
                  "endtime": started + secs, "log": [*log, last]}
        self.tasks[upid] = record
        self.tasklog.append(record)
        return upid

    def past_tasks(self, count, started, **more):
        """So many tasks, one a second from this time on; their UPIDs."""
        return [self.past_task(started + number, **more) for number in range(count)]

    def forget_task(self, upid):
        """The node's log is rotated away."""
        self.tasklog.remove(self.tasks.pop(upid))

    def now(self):
        return int(time.time())

    def _row(self, task, active=False):
        row = {key: task[key] for key in ("upid", "node", "starttime", "type", "id", "user")}
        name, _, token = task["user"].partition("!")
        if token and not active:
            row.update(user=name, tokenid=token)
        if task["status"] == "stopped":
            row.update(endtime=task["endtime"], status=task["exitstatus"])
        return row

    async def _cluster_tasks(self, values, user):
        audit = self.allowed(user, "/", "Sys.Audit")
        rows = []
        for node in self.nodes:
            tasks = sorted((task for task in self.tasklog if task["node"] == node), key=started)
            running = [task for task in tasks if task["status"] == "running"]
            ended = [task for task in tasks if task["status"] == "stopped"]
            listed = running + ended[:max(0, MAX_FINISHED - len(running))]
            for task in listed:
                if audit or self._task_owner(user, task):
                    rows.append({**self._row(task), "saved": "1" if task in ended else "0"})
        return rows

    async def _task_list(self, request):
        node, user = request.match_info["node"], request[USER]
        values = self._verify(request, await params(request))
        audit = self.allowed(user, "/nodes/" + node, "Sys.Audit")
        source = values.get("source", "archive")

        def fits(task):
            running = task["status"] == "running"
            return (task["node"] == node and (audit or self._task_owner(user, task))
                    and source in ("all", "active" if running else "archive")
                    and values.get("vmid") in (None, task["id"], int(task["id"]) if task["id"].isdigit() else None)
                    and values.get("typefilter") in (None, task["type"])
                    and values.get("since", 0) <= task["starttime"] <= values.get("until", task["starttime"]))

        rows = []
        for task in sorted(filter(fits, self.tasklog), key=started):
            running = task["status"] == "running"
            extra = {"status": "RUNNING", "saved": "0"} if running else {}
            rows.append({**self._row(task, active=running), "pid": task["pid"], "pstart": task["pstart"], **extra})
        start = values.get("start", 0)
        return ok(rows[start:start + values.get("limit", 50)])

    def _get_task(self, request):
        task = self.tasks.get(request.match_info["upid"])
        if task is None or task["node"] != request.match_info["node"]:
            raise PveError(400, "Parameter verification failed.", {"upid": "no such task"})
        return super()._get_task(request)
