//! The sentences of Proxmox that Paddock understands, each with the place where it was seen.

use crate::domain::action::Field;

/// What a sentence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Of the guest in the pattern's `vmid`, else the request's.
    NotFound,
    AlreadyExists,
    WrongState,
    /// By the pattern's `by`.
    Locked,
    /// A task of Proxmox holds the guest's configuration at this moment.
    Busy,
    Denied,
    Invalid(Field),
    /// What to do about it, one sentence.
    NotReady(&'static str),
    /// What to do about it, one sentence.
    Unavailable(&'static str),
    TimedOut,
    /// The configuration is no longer the one that was planned with.
    Changed,
}

/// Where a sentence was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A fixture of the real daemon: `app/tests/fixtures/pve-9.1/NAME.json`.
    Captured(&'static str),
    /// In Proxmox's own source, by the catalogue of the tests' peer: `METHOD PATH`, and the name of the error there.
    Catalogued(&'static str, &'static str),
}

/// One sentence.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// A regular expression, found anywhere in the sentence. Named groups: `vmid`, `sort` (`CT`, `VM`, `lxc`,
    /// `qemu-server`, `qemu`), `by`.
    pub pattern: &'static str,
    pub meaning: Meaning,
    pub seen: Seen,
}

const fn row(pattern: &'static str, meaning: Meaning, seen: Seen) -> Row {
    Row { pattern, meaning, seen }
}

use Meaning::{
    AlreadyExists, Busy, Changed, Denied, Invalid, Locked, NotFound, NotReady, TimedOut, Unavailable,
    WrongState,
};
use Seen::{Captured, Catalogued};

/// The first that fits is taken. A sentence that fits none is told in Proxmox's words.
pub const MESSAGES: &[Row] = &[
    // ---- is there such a guest
    row(
        r"Configuration file 'nodes/[^/']+/(?<sort>lxc|qemu-server)/(?<vmid>\d+)\.conf' does not exist",
        NotFound,
        Captured("err-unknown-vmid"),
    ),
    row(
        r"unable to find configuration file for \w+ (?<vmid>\d+) on node",
        NotFound,
        Catalogued("DELETE /nodes/pve1/qemu/101", "unable_find_configuration_file"),
    ),
    row(r"(?<sort>CT|VM) (?<vmid>\d+) already exists", AlreadyExists, Captured("lxc-create-dup")),
    row(
        r"unable to create (?<sort>CT|VM) (?<vmid>\d+): config file already exists",
        AlreadyExists,
        Catalogued("POST /nodes/pve1/qemu/101/clone", "unable_create_config_file_already"),
    ),
    // ---- its locks
    row(r"(?:CT|VM) is locked \((?<by>[^()]+)\)", Locked, Catalogued("DELETE /nodes/pve1/lxc/101", "locked")),
    row(
        r"can't lock file '[^']*' - got timeout",
        Busy,
        Catalogued("POST /nodes/pve1/lxc/101/status/start", "config_lock_timeout"),
    ),
    row(
        r"Failed to obtain guest migration lock",
        Busy,
        Catalogued("DELETE /nodes/pve1/lxc/101/snapshot/s1", "failed_obtain_guest_migration_lock"),
    ),
    row(r"detected modified configuration", Changed, Captured("lxc-config-put-digest")),
    row(
        r"checksum mismatch \(file change by other user\?\)",
        Changed,
        Catalogued("PUT /nodes/pve1/qemu/101/config", "checksum_mismatch_file_change_other"),
    ),
    // ---- its state
    row(r"(?:CT|VM) \d+ already running", WrongState, Captured("lxc-start-again")),
    row(r"(?:CT|VM) \d+ not running", WrongState, Captured("lxc-stop-stopped")),
    row(r"VM \d+ is not running", WrongState, Captured("qemu-200-agent-info")),
    row(r"unable to destroy CT \d+ - container is running", WrongState, Captured("lxc-delete-running")),
    row(
        r"VM \d+ is running - destroy failed",
        WrongState,
        Catalogued("DELETE /nodes/pve1/qemu/101", "running_destroy_failed"),
    ),
    row(
        r"unable to rollback vm \d+: vm is running",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc/101/snapshot/s1/rollback", "unable_rollback_running"),
    ),
    row(
        r"can't overwrite running container",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc", "can_t_overwrite_running"),
    ),
    row(
        r"to template if (?:the CT|VM) is running",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc/101/template", "you_can_t_convert_template_2"),
    ),
    row(
        r"you can't convert a template to a template",
        WrongState,
        Catalogued("POST /nodes/pve1/qemu/101/template", "you_can_t_convert_template"),
    ),
    row(
        r"you can't start a (?:CT|vm) if it's a template",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc/101/status/start", "you_can_t_start_if"),
    ),
    row(
        r"you can't take a snapshot if it's a template",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc/101/snapshot", "you_can_t_take_snapshot"),
    ),
    row(
        r"you can't (?:rollback|delete a snapshot) if vm is a template",
        WrongState,
        Catalogued("DELETE /nodes/pve1/lxc/101/snapshot/s1", "you_can_t_delete_snapshot"),
    ),
    row(
        r"VM is paused - cannot shutdown",
        WrongState,
        Catalogued("POST /nodes/pve1/qemu/101/status/reboot", "paused_cannot_shutdown"),
    ),
    row(
        r"can't migrate running (?:container|VM) without --online",
        WrongState,
        Catalogued("POST /nodes/pve1/lxc/101/migrate", "can_t_migrate_running_without"),
    ),
    row(
        r"VM quit/powerdown failed - got timeout",
        TimedOut,
        Catalogued("POST /nodes/pve1/qemu", "quit_powerdown_failed_got_timeout"),
    ),
    row(r"container did not stop", TimedOut, Catalogued("DELETE /nodes/pve1/lxc/101", "did_not_stop")),
    // ---- what keeps it from being done
    row(
        r"protection mode enabled",
        NotReady("Switch the guest's protection off in Proxmox first."),
        Catalogued("DELETE /nodes/pve1/lxc/101", "protection_mode_enabled"),
    ),
    row(
        r"used in HA resources and purge parameter not set",
        NotReady(
            "Take the guest out of Proxmox's high availability first, or delete it with all that refers to it.",
        ),
        Catalogued("DELETE /nodes/pve1/qemu/101", "unable_remove_used_ha_resources"),
    ),
    row(
        r"Cannot suspend HA managed VM to disk",
        NotReady("Take the VM out of Proxmox's high availability first."),
        Catalogued("POST /nodes/pve1/qemu/101/status/suspend", "cannot_suspend_ha_managed_disk"),
    ),
    row(
        r"base volume '[^']*' is still in use by linked clone",
        NotReady("Delete its linked clones first."),
        Catalogued("DELETE /nodes/pve1/lxc/101", "base_volume_still_use_linked"),
    ),
    row(
        r"unable to create template, because (?:CT|VM) contains snapshots",
        NotReady("Delete its snapshots first."),
        Catalogued("POST /nodes/pve1/lxc/101/template", "unable_create_template_because_contains"),
    ),
    row(
        r"snapshot feature is not available",
        NotReady("Move its disks to a storage that takes snapshots, such as ZFS, LVM-thin or Ceph."),
        Catalogued("POST /nodes/pve1/lxc/101/snapshot", "snapshot_feature_not_available"),
    ),
    row(
        r"needed by replication job '[^']*' - run replication first",
        NotReady("Let the replication job run first."),
        Catalogued("DELETE /nodes/pve1/lxc/101/snapshot/s1", "snapshot_needed_replication_job_run"),
    ),
    row(
        r"Cannot live-migrate, snapshot \(with RAM\), or hibernate a VM with",
        NotReady("Shut the VM down first, or take the snapshot without its memory."),
        Catalogued("GET /nodes/pve1/qemu/101/migrate", "cannot_live_migrate_snapshot_ram"),
    ),
    row(
        r"can't clone VM to node '[^']*' \(VM uses local storage\)",
        NotReady("Clone it on its own node, or move its disks to a shared storage first."),
        Catalogued("POST /nodes/pve1/qemu/101/clone", "can_t_clone_uses_local"),
    ),
    row(
        r"can't clone to non-shared storage",
        NotReady("Clone it on its own node, or to a shared storage."),
        Catalogued("POST /nodes/pve1/lxc/101/clone", "can_t_clone_non_shared"),
    ),
    row(
        r"unable to get any free VMID in range",
        NotReady("Widen the range of VMIDs in the options of the Proxmox datacenter."),
        Catalogued("GET /cluster/nextid", "unable_get_any_free_vmid"),
    ),
    row(
        r"(?i:QEMU) guest agent is not running",
        NotReady("Start qemu-guest-agent inside the VM, and enable the agent in its options."),
        Captured("qemu-agent-not-running"),
    ),
    row(
        r"storage '[^']*' is not (?:online|available on node)",
        NotReady("Bring the storage up, or choose another one."),
        Catalogued("GET /nodes/pve1/storage/local/content", "storage_not_online"),
    ),
    row(
        r"storage '[^']*' is disabled",
        NotReady("Enable the storage in Proxmox, or choose another one."),
        Catalogued("POST /nodes/pve1/lxc", "storage_disabled"),
    ),
    row(
        r"Install 'skopeo' to pull OCI images",
        NotReady("Install skopeo on the node: `apt-get install skopeo`."),
        Catalogued("POST /nodes/pve1/storage/local/oci-registry-pull", "install_skopeo_pull_oci_images"),
    ),
    // ---- what was asked for does not exist or does not fit
    row(r"hostname lookup '[^']*' failed", Invalid(Field::Node), Captured("err-unknown-node")),
    row(
        r"volume '[^':]*:vztmpl/[^']*' does not exist",
        Invalid(Field::Template),
        Captured("lxc-create-notemplate.task-status"),
    ),
    row(
        r"storage '[^']*' does not exist",
        Invalid(Field::Storage),
        Catalogued("DELETE /nodes/pve1/qemu/101/snapshot/s1", "storage_does_not_exist"),
    ),
    row(
        r"storage '[^']*' (?:does not (?:support|allow)|is not configured for) content[- ]type",
        Invalid(Field::Storage),
        Catalogued("POST /nodes/pve1/lxc", "storage_does_not_allow_content"),
    ),
    row(
        r"storage '[^']*' does not support (?:vm images|CT rootdirs|backups|templates)",
        Invalid(Field::Storage),
        Catalogued("POST /nodes/pve1/qemu/101/migrate", "storage_does_not_support_images"),
    ),
    row(
        r"can't use storage '[^']*' for backups - wrong content type",
        Invalid(Field::Storage),
        Catalogued("GET /nodes/pve1/vzdump/defaults", "can_t_use_storage_backups"),
    ),
    row(
        r"snapshot '[^']*' does not exist",
        Invalid(Field::Snapshot),
        Catalogued("DELETE /nodes/pve1/lxc/101/snapshot/s1", "snapshot_does_not_exist"),
    ),
    row(
        r"snapshot name '[^']*' already used",
        Invalid(Field::Snapshot),
        Catalogued("POST /nodes/pve1/lxc/101/snapshot", "snapshot_name_already_used"),
    ),
    row(
        r"unable to use snapshot name '[^']*' \(reserved name\)",
        Invalid(Field::Snapshot),
        Catalogued("POST /nodes/pve1/lxc/101/snapshot", "unable_use_snapshot_name_current"),
    ),
    row(
        r"(?i:disk) '[^']*' does not exist",
        Invalid(Field::Disk),
        Catalogued("POST /nodes/pve1/qemu/101/move_disk", "disk_does_not_exist"),
    ),
    row(
        r"bridge '[^']*' does not exist",
        Invalid(Field::Network),
        Catalogued("POST /nodes/pve1/lxc", "bridge_does_not_exist"),
    ),
    row(
        r"shrinking disks is not supported",
        Invalid(Field::Size),
        Catalogued("PUT /nodes/pve1/qemu/101/resize", "shrinking_disks_not_supported"),
    ),
    row(
        r"unable to shrink disk size",
        Invalid(Field::Size),
        Catalogued("PUT /nodes/pve1/lxc/101/resize", "unable_shrink_disk_size"),
    ),
    row(
        r"disk is already at specified size",
        Invalid(Field::Size),
        Catalogued("PUT /nodes/pve1/lxc/101/resize", "disk_already_specified_size"),
    ),
    row(
        r"balloon value too large",
        Invalid(Field::Memory),
        Catalogued("POST /nodes/pve1/qemu/101/config", "balloon_value_too_large_must"),
    ),
    row(
        r"parameter 'storage' not allowed for linked clones",
        Invalid(Field::Storage),
        Catalogued("POST /nodes/pve1/qemu/101/clone", "parameter_storage_not_allowed_linked"),
    ),
    // ---- who may
    row(
        r"missing privileges to access",
        Denied,
        Catalogued("GET /nodes/pve1/vzdump/extractconfig", "missing_privileges_access"),
    ),
    row(
        r"only root can set '[^']*' config",
        Denied,
        Catalogued("POST /nodes/pve1/qemu", "only_root_can_set_config"),
    ),
    row(r"^Permission check failed", Denied, Captured("lxc-start-denied")),
    // ---- the cluster
    row(
        r"cluster not ready - no quorum\?",
        Unavailable("Bring enough nodes of the cluster back; until then nothing can be changed."),
        Catalogued("POST /nodes/pve1/lxc/101/status/start", "no_quorum"),
    ),
];
