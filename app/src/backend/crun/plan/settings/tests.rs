use super::*;
use crate::{backend::crun::bundle::Config, domain::spec::Cpus};

fn tool() -> Tool {
    Tool { root: "/run/crun".into(), log_dir: "/run/paddock".into() }
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

fn settings(config: &str) -> Settings {
    Settings {
        path: "/srv/web/config.json".into(),
        digest: "d1".into(),
        config: Config::parse(config).unwrap(),
        shared_with: vec![],
        swap_is_counted: true,
    }
}

fn lines(status: GuestStatus, config: &str, changes: &Changes) -> Vec<String> {
    let name = GuestName::new("web1").unwrap();
    let plan = configure(&tool(), &name, &guest(status), &settings(config), changes).unwrap();
    for step in &plan.steps {
        if let Work::Edit(edit) = &step.work {
            assert_eq!(edit.digest.as_deref(), Some("d1"));
        }
    }
    plan.steps.iter().map(|step| step.work.to_string()).collect()
}

#[test]
fn limits_go_to_the_kernel_first_and_then_into_the_bundle() {
    let changes =
        Changes { memory: Some(8 << 20), cpu: Some(Cpus(1500)), pids: Some(7), ..Changes::default() };
    let edit = "edit /srv/web/config.json: /linux/resources/memory/limit = 8388608; \
                /linux/resources/cpu/quota = 150000; /linux/resources/cpu/period = 100000; \
                /linux/resources/pids/limit = 7";
    for status in [GuestStatus::Running, GuestStatus::Paused, GuestStatus::Created] {
        assert_eq!(
            lines(status, "{}", &changes),
            [
                "crun --root /run/crun update --memory 8388608 --cpu-period 100000 --cpu-quota 150000 \
                 --pids-limit 7 -- web1",
                edit
            ]
        );
    }
    assert_eq!(lines(GuestStatus::Stopped, "{}", &changes), [edit]);
}

#[test]
fn swap_stays_what_it_is_when_memory_changes() {
    let swapped = r#"{"linux":{"resources":{"memory":{"limit":100000000,"swap":150000000}}}}"#;
    let memory = Changes { memory: Some(200_000_000), ..Changes::default() };
    assert_eq!(
        lines(GuestStatus::Running, swapped, &memory),
        [
            "crun --root /run/crun update --memory 200000000 --memory-swap 250000000 -- web1",
            "edit /srv/web/config.json: /linux/resources/memory/limit = 200000000; \
             /linux/resources/memory/swap = 250000000"
        ]
    );
    let none = Changes { swap: Some(0), ..Changes::default() };
    assert_eq!(
        lines(GuestStatus::Stopped, swapped, &none),
        ["edit /srv/web/config.json: /linux/resources/memory/limit = 100000000; \
          /linux/resources/memory/swap = 100000000"]
    );
}

#[test]
fn notes_are_written_and_removed_without_a_word_to_the_kernel() {
    let notes = |tags: &[&str], description: &str| Changes {
        tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
        description: Some(description.to_owned()),
        ..Changes::default()
    };
    assert_eq!(
        lines(GuestStatus::Running, "{}", &notes(&["b", "a"], "two \"lines\"\n")),
        ["edit /srv/web/config.json: /annotations/paddock.description = \"two \\\"lines\\\"\\n\"; \
          /annotations/paddock.tags = \"a;b\""]
    );
    assert_eq!(
        lines(GuestStatus::Running, "{}", &notes(&[], "")),
        [
            "edit /srv/web/config.json: /annotations/paddock.description (removed); /annotations/paddock.tags (removed)"
        ]
    );
}

#[test]
fn what_cannot_be_kept_or_would_change_others_is_refused() {
    let name = GuestName::new("web1").unwrap();
    let memory = Changes { memory: Some(8 << 20), ..Changes::default() };
    let swap = Changes { swap: Some(8 << 20), ..Changes::default() };
    let refused = |guest: &Registered, settings: &Settings, changes: &Changes| {
        configure(&tool(), &name, guest, settings, changes).unwrap_err()
    };
    let running = guest(GuestStatus::Running);
    let shared = Settings { shared_with: vec![GuestName::new("db").unwrap()], ..settings("{}") };
    assert!(refused(&running, &shared, &memory).to_string().contains("also that of db"));
    let podman = Registered { systemd_cgroup: true, ..running.clone() };
    assert!(refused(&podman, &settings("{}"), &memory).to_string().contains("podman"));
    let uncounted = Settings { swap_is_counted: false, ..settings("{}") };
    assert!(refused(&running, &uncounted, &swap).to_string().contains("swapaccount=1"));
    let unlimited = refused(&running, &settings("{}"), &swap);
    assert!(matches!(unlimited, Error::Invalid { field: Field::Swap, .. }), "{unlimited}");

    for (changes, field) in [
        (Changes { start_at_boot: Some(true), ..Changes::default() }, Field::Backend),
        (Changes { start_at_boot: Some(false), ..Changes::default() }, Field::Backend),
        (Changes::default(), Field::Backend),
        (Changes { tags: Some(vec!["a;b".into()]), ..Changes::default() }, Field::Tags),
        (Changes { description: Some("\u{1b}[2J".into()), ..Changes::default() }, Field::Description),
        (Changes { memory: Some(1), ..Changes::default() }, Field::Memory),
    ] {
        let refused = check(&changes);
        assert!(
            matches!(&refused, Err(Error::Invalid { field: found, .. }) if *found == field),
            "{refused:?}"
        );
    }
    // A form may say what is so anyway.
    assert_eq!(check(&Changes { start_at_boot: Some(false), ..memory }), Ok(()));
}
