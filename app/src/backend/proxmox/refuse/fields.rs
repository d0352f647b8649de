//! Which field of a form a parameter of Proxmox comes from.

use super::Field;

/// Parameter without its number, and the field.
const FIELDS: &[(&str, Field)] = &[
    ("vmid", Field::Vmid),
    ("newid", Field::Vmid),
    ("hostname", Field::Name),
    ("name", Field::Name),
    ("node", Field::Node),
    ("target", Field::Node),
    ("ostemplate", Field::Template),
    ("template", Field::Template),
    ("import-from", Field::Image),
    ("archive", Field::Image),
    ("url", Field::Image),
    ("reference", Field::Image),
    ("storage", Field::Storage),
    ("targetstorage", Field::Storage),
    ("target-storage", Field::Storage),
    ("cores", Field::Cores),
    ("sockets", Field::Sockets),
    ("cpulimit", Field::Cpu),
    ("cpuunits", Field::Cpu),
    ("vcpus", Field::Cpu),
    ("memory", Field::Memory),
    ("balloon", Field::Memory),
    ("swap", Field::Swap),
    ("rootfs", Field::Disk),
    ("disk", Field::Disk),
    ("scsi", Field::Disk),
    ("virtio", Field::Disk),
    ("sata", Field::Disk),
    ("ide", Field::Disk),
    ("efidisk", Field::Disk),
    ("mp", Field::Mount),
    ("size", Field::Size),
    ("net", Field::Network),
    ("ipconfig", Field::Network),
    ("password", Field::Password),
    ("cipassword", Field::Password),
    ("ciuser", Field::User),
    ("ssh-public-keys", Field::SshKeys),
    ("sshkeys", Field::SshKeys),
    ("description", Field::Description),
    ("notes", Field::Description),
    ("tags", Field::Tags),
    ("snapname", Field::Snapshot),
    ("mode", Field::Mode),
    ("timeout", Field::Timeout),
    ("command", Field::Command),
];

/// The field that a parameter comes from; `None` where no form has one.
pub fn field(parameter: &str) -> Option<Field> {
    let name = parameter.trim_end_matches(|c: char| c.is_ascii_digit());
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_parameter_belongs_to_the_field_of_its_kind() {
        assert_eq!(field("net0"), Some(Field::Network));
        assert_eq!(field("scsi13"), Some(Field::Disk));
        assert_eq!(field("memory"), Some(Field::Memory));
        assert_eq!(field("nope"), None);
        assert_eq!(field("42"), None);
        assert_eq!(field(""), None);
    }
}
