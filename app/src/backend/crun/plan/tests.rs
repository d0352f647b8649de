use super::{super::facts::Member, *};

fn tool() -> Tool {
    Tool { root: "/run/crun".into(), log_dir: "/run/paddock".into() }
}

fn web1() -> GuestName {
    GuestName::new("web1").unwrap()
}

fn bundle() -> Bundle {
    Bundle { path: "/srv/web".into(), config: Default::default() }
}

fn place() -> Place {
    Place { cgroup: "/web1".into(), members: vec![], shared_with: None, is_unfinished: false }
}

fn guest(status: GuestStatus) -> Registered {
    Registered {
        status,
        bundle: Some("/srv/web".into()),
        systemd_cgroup: false,
        cgroup: "/web1".into(),
        has_own_pid_namespace: true,
        members: vec![],
    }
}

fn member(pid: u32, is_init: bool) -> Member {
    Member { pid, command: "sleep".into(), is_init, is_own: false }
}

/// The plan in one line a step.
fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(|step| step.work.to_string()).collect()
}

fn refusal(plan: Result<Plan, Error>) -> String {
    match plan {
        Err(Error::NotReady { reason, cure }) => format!("{reason} {cure}"),
        other => panic!("not refused as it should be: {other:?}"),
    }
}

const CREATE: &str =
    "crun --root /run/crun --log file:/run/paddock/crun-create-web1.log create --bundle /srv/web web1";

#[test]
fn create_leaves_no_pipe_to_the_container_and_expects_it_created() {
    let plan = create(&tool(), &web1(), &bundle(), &place(), false).unwrap();
    assert_eq!(lines(&plan), [CREATE]);
    let Work::Command(command) = &plan.steps[0].work else { panic!() };
    assert_eq!(command.output, Output::LogFile("/run/paddock/crun-create-web1.log".into()));
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Created)));
    assert!(plan.loses.is_empty());
}

#[test]
fn a_control_group_that_lives_already_is_not_shared() {
    let taken = Place { members: vec![member(7, true)], ..place() };
    let why = refusal(create(&tool(), &web1(), &bundle(), &taken, false));
    assert!(why.contains("/web1, and that holds sleep (process 7)") && why.contains("cgroupsPath"), "{why}");
    let other = GuestName::new("db").unwrap();
    let shared = Place { shared_with: Some(other), ..place() };
    assert!(refusal(create(&tool(), &web1(), &bundle(), &shared, false)).contains("container db"));
}

#[test]
fn a_half_made_directory_in_the_way_is_named_with_its_cure() {
    let why = refusal(create(&tool(), &web1(), &bundle(), &Place { is_unfinished: true, ..place() }, false));
    assert!(why.contains("/run/crun/web1") && why.contains("`crun --root /run/crun delete web1`"), "{why}");
}

#[test]
fn a_stopped_container_is_registered_anew_from_its_bundle() {
    let stopped = guest(GuestStatus::Stopped);
    let plan = start_again(&tool(), &web1(), &stopped, &bundle(), &place()).unwrap();
    assert_eq!(
        lines(&plan),
        ["crun --root /run/crun delete web1", CREATE, "crun --root /run/crun start web1"]
    );
    assert_eq!(plan.expect, None, "a short process may have ended by then");
    assert_eq!(lines(&start(&tool(), &web1())), ["crun --root /run/crun start web1"]);
}

#[test]
fn nothing_is_deleted_for_a_start_that_cannot_succeed() {
    let start =
        |guest: &Registered, place: &Place| refusal(start_again(&tool(), &web1(), guest, &bundle(), place));
    let podman = Registered { systemd_cgroup: true, ..guest(GuestStatus::Stopped) };
    assert!(start(&podman, &place()).contains("podman"));
    let moved = Place { cgroup: "/new".into(), members: vec![member(7, true)], ..place() };
    assert!(start(&guest(GuestStatus::Stopped), &moved).contains("/new"));
    let shared = Registered { members: vec![member(7, true)], ..guest(GuestStatus::Stopped) };
    assert!(start(&shared, &place()).contains("crun would kill that"));
}

#[test]
fn shutting_down_asks_and_waits_as_long_as_was_said() {
    let plan = shutdown(&tool(), &web1(), &guest(GuestStatus::Running), 7).unwrap();
    assert_eq!(lines(&plan), ["crun --root /run/crun kill web1 TERM", "wait 7000 ms for stopped"]);
}

#[test]
fn stopping_a_paused_container_thaws_it_after_the_kill() {
    let plan = stop(&tool(), &web1(), &guest(GuestStatus::Running)).unwrap();
    assert_eq!(lines(&plan), ["crun --root /run/crun kill web1 KILL", "wait 10000 ms for stopped"]);
    let plan = stop(&tool(), &web1(), &guest(GuestStatus::Paused)).unwrap();
    assert_eq!(
        lines(&plan),
        [
            "crun --root /run/crun kill web1 KILL",
            "crun --root /run/crun resume web1",
            "wait 10000 ms for stopped"
        ]
    );
}

#[test]
fn deleting_says_what_goes_and_what_stays_and_never_forces() {
    for status in [GuestStatus::Stopped, GuestStatus::Created, GuestStatus::Unknown] {
        let plan = delete(&tool(), &web1(), &guest(status), None).unwrap();
        assert_eq!(lines(&plan), ["crun --root /run/crun delete web1"]);
        assert_eq!(plan.expect, Some(Expectation::Gone));
        assert_eq!(plan.loses.len(), 1);
        assert!(plan.loses[0].contains("/srv/web stays"), "{:?}", plan.loses);
    }
}

#[test]
fn a_delete_that_would_kill_another_container_is_refused() {
    let shared = Registered { members: vec![member(7, true)], ..guest(GuestStatus::Stopped) };
    assert!(refusal(delete(&tool(), &web1(), &shared, None)).contains("sleep (process 7)"));
    // Without a pid namespace of its own, what a container started may outlive it.
    let own = Registered { has_own_pid_namespace: false, members: vec![member(7, false)], ..shared.clone() };
    let plan = delete(&tool(), &web1(), &own, None).unwrap();
    assert!(plan.loses[1].contains("sleep (process 7)"));
    let foreign = Registered { has_own_pid_namespace: false, ..shared };
    assert!(refusal(delete(&tool(), &web1(), &foreign, None)).contains("crun would kill that"));
}

#[test]
fn an_unknown_container_that_may_still_run_is_neither_stopped_nor_forgotten() {
    let alive =
        Registered { members: vec![member(7, true), member(8, false)], ..guest(GuestStatus::Unknown) };
    for refused in [delete(&tool(), &web1(), &alive, None), stop(&tool(), &web1(), &alive)] {
        let why = refusal(refused);
        assert!(why.contains("/run/crun/web1/status") && why.contains("`kill -KILL 7`"), "{why}");
    }
    let why = refusal(stop(&tool(), &web1(), &guest(GuestStatus::Unknown)));
    assert!(why.contains("delete it"), "{why}");
}

#[test]
fn many_processes_are_listed_by_their_first() {
    let members: Vec<Member> = (1..=9).map(|pid| member(pid, false)).collect();
    assert!(listed(&members).ends_with("sleep (process 5), 4 more"));
}

#[test]
fn one_that_was_started_since_somebody_looked_is_not_deleted() {
    let running = Registered { members: vec![member(7, false)], ..guest(GuestStatus::Running) };
    let wrong_state = Err(Error::WrongState { words: "it is running.".into() });
    assert_eq!(delete(&tool(), &web1(), &running, None), wrong_state);
    assert_eq!(start_again(&tool(), &web1(), &running, &bundle(), &place()), wrong_state);
}

const AGAIN: [&str; 3] = ["crun --root /run/crun delete web1", CREATE, "crun --root /run/crun start web1"];

#[test]
fn a_reboot_is_a_shut_down_and_a_start_from_the_bundle() {
    let running = guest(GuestStatus::Running);
    let plan = reboot(&tool(), &web1(), &running, &bundle(), &place(), 7).unwrap();
    let mut wanted = vec!["crun --root /run/crun kill web1 TERM", "wait 7000 ms for stopped"];
    wanted.extend(AGAIN);
    assert_eq!(lines(&plan), wanted);
    assert_eq!(plan.steps[3].when, When::Unparted);
    // What lives in it is its own, and what does not keeps it from being deleted on the way.
    let own = Member { is_own: true, ..member(7, true) };
    let full = Registered { members: vec![own, member(8, false)], ..running.clone() };
    let why = refusal(reboot(&tool(), &web1(), &full, &bundle(), &place(), 7));
    assert!(why.contains("sleep (process 8)") && !why.contains("process 7"), "{why}");
    let podman = Registered { systemd_cgroup: true, ..running };
    assert!(refusal(reboot(&tool(), &web1(), &podman, &bundle(), &place(), 7)).contains("podman"));
}

#[test]
fn pausing_and_resuming_are_judged_by_what_the_host_shows() {
    let plan = pause(&tool(), &web1(), &guest(GuestStatus::Running)).unwrap();
    assert_eq!(lines(&plan), ["crun --root /run/crun pause web1"]);
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Paused)));
    let plan = resume(&tool(), &web1(), &guest(GuestStatus::Paused)).unwrap();
    assert_eq!(lines(&plan), ["crun --root /run/crun resume web1"]);
    assert_eq!(plan.expect, Some(Expectation::Status(GuestStatus::Running)));
    for status in [GuestStatus::Created, GuestStatus::Stopped, GuestStatus::Unknown] {
        assert!(matches!(pause(&tool(), &web1(), &guest(status)), Err(Error::WrongState { .. })));
        assert!(matches!(resume(&tool(), &web1(), &guest(status)), Err(Error::WrongState { .. })));
    }
}

#[test]
fn a_command_is_handed_over_word_by_word() {
    let words = ["sh", "-c", "echo $HOME", "", "--"].map(str::to_owned);
    let plan = exec(&tool(), &web1(), &words, 9);
    let Work::Command(command) = &plan.steps[0].work else { panic!() };
    assert_eq!(command.argv.words()[..5], ["crun", "--root", "/run/crun", "exec", "--"]);
    assert_eq!(command.argv.words()[5], "web1");
    assert_eq!(command.argv.words()[6..], words);
    assert_eq!((command.timeout_ms, &command.output), (9000, &Output::Piped));
}

#[test]
fn a_purge_removes_what_was_made_as_steps_of_their_own() {
    let made = Made { bundle: Some("/b/web1".into()), layout: Some("/i/web1.paddock".into()) };
    let plan = delete(&tool(), &web1(), &guest(GuestStatus::Stopped), Some(&made)).unwrap();
    assert_eq!(
        lines(&plan),
        [
            "crun --root /run/crun delete web1",
            "rm --recursive --force --one-file-system -- /b/web1",
            "rm --recursive --force --one-file-system -- /i/web1.paddock"
        ]
    );
    assert_eq!(plan.loses.len(), 3);
    assert!(!plan.loses[0].contains("stays"), "{:?}", plan.loses);
    let nothing = delete(&tool(), &web1(), &guest(GuestStatus::Stopped), Some(&Made::default())).unwrap();
    assert!(lines(&nothing).len() == 1 && nothing.loses[0].contains("stays"));
}

#[test]
fn a_new_container_is_started_where_that_was_asked_for() {
    let plan = create(&tool(), &web1(), &bundle(), &place(), true).unwrap();
    assert_eq!(lines(&plan), [CREATE, "crun --root /run/crun start web1"]);
    assert_eq!(plan.expect, Some(Expectation::Exists), "how long it runs is its own affair");
}
