use super::{super::parse::tests::captured, *};

fn output(exit: Exit, stdout: &str, stderr: &str) -> CommandOutput {
    let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
    CommandOutput { exit, stdout, stderr, log: String::new(), dropped_bytes: 0 }
}

fn version() -> CommandOutput {
    captured("version").1
}

fn reason(verdict: Availability) -> (String, String) {
    match verdict {
        Availability::Unavailable { reason, cure } => (reason, cure),
        Availability::Available { version } => panic!("available as {version}"),
    }
}

#[test]
fn a_working_crun_is_available_by_its_version() {
    let available = Availability::Available { version: "1.8.1".to_owned() };
    for list in ["list-empty-json", "list-running-json"] {
        assert_eq!(judge(Layout::V2, &version(), Some(&captured(list).1)), available);
    }
    assert_eq!(judge(Layout::V1, &version(), Some(&captured("list-empty-json").1)), available);
}

#[test]
fn a_missing_crun_says_how_to_install_it() {
    let missing = output(Exit::NotStarted("there is no program “crun”".into()), "", "");
    let (reason, cure) = reason(judge(Layout::V2, &missing, None));
    assert!(reason.contains("there is no program"), "{reason}");
    assert!(cure.contains("apt-get install crun"), "{cure}");
}

#[test]
fn a_hybrid_host_is_unavailable_with_both_cures() {
    let (_, cure) = reason(judge(Layout::Hybrid, &version(), Some(&captured("list-empty-json").1)));
    assert!(cure.contains(
        r#"unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh paddock serve"#
    ));
    assert!(cure.contains("systemd.unified_cgroup_hierarchy=1"));
}

#[test]
fn a_crun_that_is_broken_or_talks_nonsense_is_unavailable_in_its_words() {
    let broken = output(Exit::Code(127), "", "libyajl.so.2: cannot open shared object file");
    assert!(reason(judge(Layout::V2, &broken, None)).0.contains("libyajl"));
    let other = output(Exit::Code(0), "BusyBox v1.35", "");
    assert!(reason(judge(Layout::V2, &other, None)).0.contains("BusyBox"));
    for list in ["", "not json", "{}"] {
        let garbage = output(Exit::Code(0), list, "");
        assert!(reason(judge(Layout::V2, &version(), Some(&garbage))).0.contains("crun list"));
    }
    let refused = captured("root-bad").1;
    assert!(reason(judge(Layout::V2, &version(), Some(&refused))).0.contains("cannot opendir"));
    let killed = output(Exit::TimedOut, "", "");
    assert!(reason(judge(Layout::V2, &killed, None)).0.contains("timed out"));
}

#[test]
fn one_bad_state_file_does_not_take_crun_away() {
    for list in ["list-status-cut", "list-status-empty", "list-status-nopid"] {
        let (_, list) = captured(list);
        assert!(!list.exit.is_success());
        assert!(judge(Layout::V2, &version(), Some(&list)).is_available());
    }
}

#[test]
fn so_many_containers_that_their_list_is_cut_off_do_not_take_crun_away() {
    let cut = |words: &str| CommandOutput { dropped_bytes: 9, ..output(Exit::Code(0), words, "") };
    let list = "[\n    {\n        \"id\": \"first-";
    assert!(judge(Layout::V2, &version(), Some(&cut(list))).is_available());
    assert!(!judge(Layout::V2, &version(), Some(&output(Exit::Code(0), list, ""))).is_available());
    assert!(!judge(Layout::V2, &version(), Some(&cut("no list"))).is_available());
}
