//! What a finished `pct` or `qm` means; all else is asked of the API.

use crate::{
    backend::{CommandOutput, Error},
    domain::{
        guest::{BackendKind, GuestId},
        name::GuestName,
        plan::Command,
    },
};

pub fn parse(kind: BackendKind, command: &Command, output: &CommandOutput) -> Result<(), Error> {
    if output.exit.is_success() {
        return Ok(());
    }
    let words = output.words();
    let action = command.argv.words().get(1).map_or("", String::as_str);
    // What was to be reached is so.
    if action == "unlock" && words.contains("no lock found") {
        return Ok(());
    }
    if let Some(error) = own(kind, command, words) {
        return Err(error);
    }
    // `pct exec` hands the inner exit code through.
    if action == "exec" {
        return Err(Error::CommandFailed { exit: output.exit.clone() });
    }
    Err(Error::ToolFailed {
        program: command.argv.program().to_owned(),
        exit: output.exit.clone(),
        words: words.to_owned(),
    })
}

/// The tool's own errors, told from those of a command inside by their exact words.
fn own(kind: BackendKind, command: &Command, words: &str) -> Option<Error> {
    let vmid = command.argv.words().get(2)?;
    if words == format!("container '{vmid}' not running!") {
        return Some(Error::WrongState { words: words.to_owned() });
    }
    if words.starts_with("Configuration file '") && words.ends_with(&format!("/{vmid}.conf' does not exist"))
    {
        return Some(Error::NotFound(GuestId::new(kind, GuestName::found(vmid).ok()?)));
    }
    if words == "please run as root" {
        return Some(Error::NotReady {
            reason: format!("`{}` works for root alone.", command.argv.program()),
            cure: "Run Paddock as root on the node.".to_owned(),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::{Argv, Exit, Output};

    fn parsed(line: &[&str], exit: i32, stderr: &str) -> Result<(), Error> {
        let argv = Argv::new(line[0]).args(line[1..].iter().copied());
        let command = Command { argv, timeout_ms: 1, output: Output::Piped };
        let output = CommandOutput {
            exit: Exit::Code(exit),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            log: String::new(),
            dropped_bytes: 0,
        };
        parse(BackendKind::ProxmoxLxc, &command, &output)
    }

    const EXEC: &[&str] = &["pct", "exec", "102", "--", "true"];

    #[test]
    fn the_inner_exit_code_is_told_from_pcts_own_errors() {
        assert_eq!(parsed(EXEC, 0, "a warning"), Ok(()));
        assert_eq!(parsed(EXEC, 1, ""), Err(Error::CommandFailed { exit: Exit::Code(1) }));
        let missing = "lxc-attach: 101: ../src/lxc/attach.c: lxc_attach_run_command: 1841 No such file or directory - \
                       Failed to exec \"/no/such/cmd\"\n";
        assert_eq!(parsed(EXEC, 127, missing), Err(Error::CommandFailed { exit: Exit::Code(127) }));
        assert!(matches!(parsed(EXEC, 255, "container '102' not running!\n"), Err(Error::WrongState { .. })));
        let gone = "Configuration file 'nodes/vm/lxc/102.conf' does not exist\n";
        assert!(matches!(parsed(EXEC, 2, gone), Err(Error::NotFound(id)) if id.name.as_str() == "102"));
        assert!(matches!(parsed(EXEC, 255, "please run as root\n"), Err(Error::NotReady { .. })));
    }

    #[test]
    fn a_lock_that_is_gone_already_is_unlocked() {
        let unlock: &[&str] = &["pct", "unlock", "102"];
        assert_eq!(parsed(unlock, 0, ""), Ok(()));
        assert_eq!(parsed(unlock, 255, "no lock found trying to remove any lock\n"), Ok(()));
        assert!(matches!(parsed(unlock, 255, "can't lock file"), Err(Error::ToolFailed { .. })));
    }
}
