use super::{super::facts::MissingLink, *};

fn place() -> Place {
    Place { lxcpath: "/var/lib/lxc".into(), create_config: None, log_dir: "/run/p".into() }
}

fn web1() -> GuestName {
    GuestName::new("web1").unwrap()
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.work.to_string()).collect()
}

const READY: StartFacts =
    StartFacts { orphans: vec![], missing_links: vec![], has_rootfs: true, is_application: false };
const ORPHAN: OrphanFact = OrphanFact { pid: 4711, proven: true, frozen: false };

#[test]
fn a_start_keeps_its_log_as_that_alone_tells_the_cause_of_a_failure() {
    let plan = start(&place(), &web1(), &READY).unwrap();
    assert_eq!(lines(&plan), ["lxc-start -P /var/lib/lxc -n web1 -d -l ERROR -o /run/p/lxc-start-web1.log"]);
    let Work::Command(command) = &plan.steps[0].work else { panic!("no command") };
    assert_eq!(command.output, Output::LogFile("/run/p/lxc-start-web1.log".into()));
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
}

#[test]
fn a_start_is_refused_while_an_old_instance_still_runs() {
    let facts = StartFacts { orphans: vec![ORPHAN], ..READY };
    let error = start(&place(), &web1(), &facts).unwrap_err();
    assert!(error.to_string().contains("4711"), "{error}");
}

#[test]
fn a_start_without_its_bridge_is_refused_with_the_cure() {
    let link = MissingLink { key: "lxc.net.0.link".into(), link: "lxcbr0".into() };
    let facts = StartFacts { missing_links: vec![link], ..READY };
    let text = start(&place(), &web1(), &facts).unwrap_err().to_string();
    assert!(text.contains("lxcbr0") && text.contains("systemctl start lxc-net"), "{text}");
}

#[test]
fn a_shutdown_asks_twice_and_never_kills() {
    let plan = shutdown(&place(), &web1(), 60).unwrap();
    assert_eq!(
        lines(&plan),
        ["lxc-stop -P /var/lib/lxc -n web1 --nokill -t 5", "lxc-stop -P /var/lib/lxc -n web1 --nokill -t 55"]
    );
    assert_eq!(plan.steps[0].title, "Ask the guest to shut down, wait up to 5 s");
    assert_eq!(plan.steps[0].when, When::Always);
    assert_eq!(plan.steps[1].when, When::PreviousFailed);
}

#[test]
fn a_shutdown_never_waits_zero_seconds_nor_longer_than_asked() {
    for seconds in 1..=20 {
        let waits: Vec<u32> = lines(&shutdown(&place(), &web1(), seconds).unwrap())
            .iter()
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(waits.iter().all(|wait| *wait > 0), "{seconds}: {waits:?}");
        assert_eq!(waits.iter().sum::<u32>(), seconds);
    }
    for seconds in [0, LONGEST_SHUTDOWN_SECONDS + 1, u32::MAX] {
        let error = shutdown(&place(), &web1(), seconds).unwrap_err();
        assert!(matches!(error, Error::Invalid { field: Field::Timeout, .. }));
    }
}

#[test]
fn a_stop_pulls_the_plug_through_lxc() {
    let facts = StopFacts { active: true, cut_off: false, orphans: vec![] };
    assert_eq!(lines(&stop(&place(), &web1(), &facts).unwrap()), ["lxc-stop -P /var/lib/lxc -n web1 -k"]);
}

#[test]
fn a_stop_ends_an_instance_that_lxc_has_lost() {
    let lost = StopFacts { active: false, cut_off: false, orphans: vec![ORPHAN] };
    assert_eq!(lines(&stop(&place(), &web1(), &lost).unwrap()), ["kill -KILL 4711"]);
    let twice = StopFacts { active: true, ..lost };
    assert_eq!(
        lines(&stop(&place(), &web1(), &twice).unwrap()),
        ["lxc-stop -P /var/lib/lxc -n web1 -k", "kill -KILL 4711"]
    );
}

#[test]
fn a_process_that_may_be_another_guests_is_never_killed() {
    for orphan in [OrphanFact { proven: false, ..ORPHAN }, OrphanFact { frozen: true, ..ORPHAN }] {
        let facts = StopFacts { active: false, cut_off: false, orphans: vec![orphan] };
        let error = stop(&place(), &web1(), &facts).unwrap_err();
        assert!(matches!(error, Error::NotReady { .. }), "{error}");
    }
}

#[test]
fn a_half_made_container_cannot_be_stopped_but_deleted() {
    let facts = StopFacts { active: false, cut_off: true, orphans: vec![] };
    assert!(stop(&place(), &web1(), &facts).unwrap_err().to_string().contains("Delete it."));
}

#[test]
fn a_delete_says_what_is_lost_and_never_forces() {
    let facts = DeleteFacts { rootfs: Some("/srv/r".into()), ..DeleteFacts::default() };
    let plan = delete(&place(), &web1(), false, &facts).unwrap();
    assert_eq!(lines(&plan), ["lxc-destroy -P /var/lib/lxc -n web1"]);
    assert_eq!(plan.expect, Some(Expectation::Gone));
    assert!(plan.loses[0].contains("/var/lib/lxc/web1"));
    assert!(plan.loses[1].contains("/srv/r"));
}

#[test]
fn a_delete_is_refused_with_the_names_of_what_depends_on_it() {
    let texts = [
        DeleteFacts { snapshots: vec!["snap0".into(), "snap1".into()], ..DeleteFacts::default() },
        DeleteFacts { dependents: vec!["web2".into()], ..DeleteFacts::default() },
        DeleteFacts { orphans: vec![4711], ..DeleteFacts::default() },
        DeleteFacts { creating: true, ..DeleteFacts::default() },
    ]
    .map(|facts| delete(&place(), &web1(), false, &facts).unwrap_err().to_string());
    assert!(texts[0].contains("snap0, snap1") && texts[0].contains("together with them"), "{}", texts[0]);
    assert!(texts[1].contains("web2"), "{}", texts[1]);
    assert!(texts[2].contains("4711"), "{}", texts[2]);
    assert!(texts[3].contains("lxc-create is still at work"), "{}", texts[3]);
}

#[test]
fn a_reboot_is_a_shutdown_and_a_start_that_are_not_parted() {
    let plan = reboot(&place(), &web1(), 60, &READY).unwrap();
    assert_eq!(
        lines(&plan),
        [
            "lxc-stop -P /var/lib/lxc -n web1 --nokill -t 5",
            "lxc-stop -P /var/lib/lxc -n web1 --nokill -t 55",
            "wait 30000 ms for stopped",
            "lxc-start -P /var/lib/lxc -n web1 -d -l ERROR -o /run/p/lxc-start-web1.log"
        ]
    );
    let when: Vec<When> = plan.steps.iter().map(|step| step.when).collect();
    assert_eq!(when, [When::Always, When::PreviousFailed, When::Always, When::Unparted]);
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
}

#[test]
fn a_reboot_whose_start_would_fail_is_refused_while_the_guest_still_runs() {
    let link = MissingLink { key: "lxc.net.0.link".into(), link: "br9".into() };
    let facts = StartFacts { missing_links: vec![link], ..READY };
    assert!(reboot(&place(), &web1(), 60, &facts).unwrap_err().to_string().contains("br9"));
    assert!(matches!(
        reboot(&place(), &web1(), 0, &READY),
        Err(Error::Invalid { field: Field::Timeout, .. })
    ));
}

#[test]
fn a_container_without_a_root_file_system_is_never_started_on_the_hosts() {
    let facts = StartFacts { has_rootfs: false, ..READY };
    let text = start(&place(), &web1(), &facts).unwrap_err().to_string();
    assert!(text.contains("host's own files") && text.contains("Delete it"), "{text}");
}

#[test]
fn an_application_is_started_under_an_init_of_lxcs_own() {
    let plan = start(&place(), &web1(), &StartFacts { is_application: true, ..READY }).unwrap();
    assert_eq!(
        lines(&plan),
        ["lxc-execute -P /var/lib/lxc -n web1 -d -l ERROR -o /run/p/lxc-execute-web1.log"]
    );
}

#[test]
fn a_pause_and_a_resume_are_judged_by_the_guests_state() {
    let plan = pause(&place(), &web1());
    assert_eq!(lines(&plan), ["lxc-freeze -P /var/lib/lxc -n web1"]);
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Paused)));
    let plan = resume(&place(), &web1());
    assert_eq!(lines(&plan), ["lxc-freeze -P /var/lib/lxc -n web1", "lxc-unfreeze -P /var/lib/lxc -n web1"]);
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
}

#[test]
fn a_purge_deletes_the_snapshots_and_names_them() {
    let facts = DeleteFacts { snapshots: vec!["snap0".into(), "snap1".into()], ..DeleteFacts::default() };
    let plan = delete(&place(), &web1(), true, &facts).unwrap();
    assert_eq!(lines(&plan), ["lxc-destroy -P /var/lib/lxc -n web1 -s"]);
    assert!(plan.loses[1].contains("snap0, snap1"), "{:?}", plan.loses);
    let none = delete(&place(), &web1(), true, &DeleteFacts::default()).unwrap();
    assert_eq!(lines(&none), ["lxc-destroy -P /var/lib/lxc -n web1"]);
    let used = DeleteFacts { made_from_snapshots: vec!["web9".into()], ..facts.clone() };
    assert!(delete(&place(), &web1(), true, &used).unwrap_err().to_string().contains("web9"));
    let odd = DeleteFacts { no_snapshots: vec!["notes".into()], ..facts.clone() };
    assert!(delete(&place(), &web1(), true, &odd).unwrap_err().to_string().contains("notes"));
    let dependents = DeleteFacts { dependents: vec!["web8".into()], ..facts };
    assert!(delete(&place(), &web1(), true, &dependents).unwrap_err().to_string().contains("web8"));
}
