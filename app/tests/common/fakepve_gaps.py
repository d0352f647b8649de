"""What fakepve 0.5.0 answers without doing it, done: features of storages, backups, the appliance index, removing a
lock, and of VMs growing a disk, importing one, moving to another node. And the cluster's list as old as the real one.

The answers are those of Proxmox VE 9.1 (PVE::API2::LXC, PVE::API2::Qemu, PVE::API2::VZDump, PVE::API2::Nodes).
"""

import json
import time

from fakepve import PveError, TaskError
from fakepve.lxc import SNAPSHOT_STORAGE, format_size, parse_size
from fakepve.qemu import drives_of, join_drive, split_drive, volume_ref
from fakepve.server import ok

# What pvestatd measures, and nothing else tells the cluster's list.
MEASURED = ("status", "uptime", "cpu", "mem", "disk", "netin", "netout", "diskread", "diskwrite")


class Gaps:
    """A mixin in front of FakePve."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # What `pveam available` knows.
        self.appliances = []
        # Seconds between two measurements of pvestatd; 0: the cluster's list is always true.
        self.pvestatd = 0
        self.measured, self.measured_at = {}, 0

    def _routes_gaps(self):
        routes = [("GET", "/nodes/{node}/aplinfo", self._appliance_index),
                  ("POST", "/nodes/{node}/aplinfo", self._appliance_download),
                  ("POST", "/nodes/{node}/vzdump", self._vzdump),
                  ("PUT", "/nodes/{node}/qemu/{vmid}/resize", self._grow),
                  ("POST", "/nodes/{node}/qemu/{vmid}/migrate", self._move)]
        for kind in ("lxc", "qemu"):
            routes.append(("GET", "/nodes/{node}/" + kind + "/{vmid}/feature", self._feature))
        return routes

    # ---- the cluster's list lags

    async def _resources(self, request):
        answer = await super()._resources(request)
        if not self.pvestatd:
            return answer
        rows = json.loads(answer.text)["data"]
        guests = [row for row in rows if row["type"] in ("lxc", "qemu")]
        if time.monotonic() - self.measured_at >= self.pvestatd:
            self.measured_at = time.monotonic()
            self.measured = {row["vmid"]: {key: row[key] for key in MEASURED if key in row} for row in guests}
        for row in guests:
            row.update(self.measured.get(row["vmid"], {"status": "unknown"}))
        return ok(rows)

    # ---- features

    async def _feature(self, values, user):
        guest = self.guest(int(values["vmid"]))
        if guest is None or guest.node != values["node"]:
            room = "qemu-server" if guest is None or hasattr(guest, "qmpstatus") else "lxc"
            raise PveError(500, "Configuration file 'nodes/{0}/{1}/{2}.conf' does not exist".format(
                values["node"], room, values["vmid"]))
        name = values.get("snapname")
        if name and name not in guest.snapshots:
            raise PveError(500, "snapshot '{0}' does not exist".format(name))
        config = guest.snapshots[name] if name else guest.config
        if hasattr(guest, "qmpstatus"):
            volumes = [volume for _, volume, _ in drives_of(config, skip_cdrom=True)]
            snapshot = self._qm_can_snapshot(config)
        else:
            volumes = [mount["volume"] for _, mount in guest.volumes(config)]
            kinds = [self.storages.get(volume.split(":")[0], {}).get("type") for volume in volumes]
            snapshot = all(kind in SNAPSHOT_STORAGE for kind in kinds)
        if values["feature"] == "snapshot":
            return {"hasFeature": 1 if snapshot else 0}
        if values["feature"] == "clone":
            return {"hasFeature": 1 if all("base-" in volume for volume in volumes) else 0}
        return {"hasFeature": 1}

    # ---- appliances

    async def _appliance_index(self, values, user):
        return self.appliances

    async def _appliance_download(self, values, user):
        name, storage = values["template"], values["storage"]
        if not any(row["template"] == name for row in self.appliances):
            raise PveError(400, "Parameter verification failed.", {"template": "no such template"})

        async def body():
            self.store_file(storage, name, 1024 ** 2, "vztmpl")
        return await self.task(values["node"], "download", "", user, body, lock=False)

    # ---- backups

    async def _vzdump(self, values, user):
        vmid, storage = int(values["vmid"]), values["storage"]
        guest = self.guest(vmid)
        if guest is None or guest.node != values["node"]:
            raise PveError(500, "unable to find VM '{0}'".format(vmid))
        kind = "qemu" if hasattr(guest, "qmpstatus") else "lxc"

        async def body():
            if guest.lock:
                raise TaskError("{0} is locked ({1})".format("VM" if kind == "qemu" else "CT", guest.lock))
            guest.lock = "backup"
            try:
                await self.pause(10)
                store = self.storages[storage]
                if store.get("avail", 1) < 1024 ** 2:
                    raise TaskError("job errors")
                name = "backup/vzdump-{0}-{1}-{2}.{3}.zst".format(
                    kind, vmid, values.get("mode"), "vma" if kind == "qemu" else "tar")
                store.setdefault("volumes", {})[name] = {
                    "content": "backup", "format": name.split(".", 1)[1], "size": 1024 ** 2, "vmid": vmid,
                    "ctime": int(time.time())}
            finally:
                guest.lock = None
                guest.config.pop("lock", None)
        return await self.task(values["node"], "vzdump", vmid, user, body, lock=False)

    # ---- disks of VMs

    async def _grow(self, values, user):
        vm = self.find(values["node"], values["vmid"])
        self.require(user, "/vms/{0}".format(vm.vmid), "VM.Config.Disk")
        self._check_lock(vm)
        if values.get("digest") and values["digest"] != vm.digest():
            raise PveError(500, "detected modified configuration - file changed by other user? Try again.")
        if values["disk"] not in vm.config:
            raise PveError(500, "disk '{0}' does not exist".format(values["disk"]))
        wanted = parse_size(values["size"])

        async def body():
            volume, props = split_drive(vm.config[values["disk"]])
            if wanted < (parse_size(props.get("size", "0")) or 0):
                raise TaskError("shrinking disks is not supported")
            props["size"] = format_size(wanted)
            vm.config[values["disk"]] = join_drive(volume, props)
        return await self.task(vm.node, "resize", vm.vmid, user, body, vm=vm)

    def _qm_new_drive(self, vmid, key, value, default):
        _, props = split_drive(value)
        source = props.pop("import-from", None)
        if source is None:
            return super()._qm_new_drive(vmid, key, value, default)
        storage, name = volume_ref(source)
        found = self._volumes(storage).get(name)
        if found is None:
            raise PveError(500, "volume '{0}' does not exist".format(source))
        new = join_drive("{0}:{1}".format(value.split(":")[0], found["size"] / 1024 ** 3), props)
        return super()._qm_new_drive(vmid, key, new, default)

    # ---- another node

    async def _move(self, values, user):
        vm, target = self.find(values["node"], values["vmid"]), values["target"]
        if target == values["node"]:
            raise PveError(400, "Parameter verification failed.", {"target": "target is local node."})
        if target not in self.nodes:
            raise PveError(500, "no such cluster node '{0}'".format(target))
        self.require(user, "/vms/{0}".format(vm.vmid), "VM.Migrate")
        self.need_quorum()
        if vm.status == "running" and not values.get("online"):
            raise PveError(500, "can't migrate running VM without --online")
        return await self.migrate(vm.vmid, target, 20, user)

    # ---- removing a lock

    async def _apply_config(self, vm, user, p):
        if str(p.get("skiplock", "")) == "1":
            # A token of root is not root here.
            if user != "root@pam":
                raise PveError(400, "Parameter verification failed.", {"skiplock": "Only root may use this option."})
            if p.get("delete") == "lock":
                self.unlock(vm.vmid)
                return
        await super()._apply_config(vm, user, p)
