use std::{fs, process::Command};

use app::domain::{
    guest::GuestStatus::{Paused, Running, Stopped},
    name::GuestName,
};

use crate::{
    MACHINE,
    eye::Eye,
    lab::{Lab, kill},
};

fn init(lab: &Lab, name: &GuestName) -> u32 {
    lab.told(name, "-p").parse().unwrap()
}

pub fn tool(lab: &Lab, program: &str, name: &GuestName, arguments: &[&str]) {
    let output = lab.tool(program, name, arguments);
    assert!(output.status.success(), "{program} {name}: {output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_an_lxc_containers_life_is_seen_at_once() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let eye = Eye::on(lab.driver.clone()).await;
    eye.calm().await;
    let name = lab.made("");
    eye.is(&name, Some(Stopped)).await;
    for (program, arguments, status) in [
        ("lxc-start", vec!["-d"], Running),
        ("lxc-freeze", vec![], Paused),
        ("lxc-unfreeze", vec![], Running),
        ("lxc-stop", vec!["-k"], Stopped),
        ("lxc-start", vec!["-d"], Running),
    ] {
        eye.calm().await;
        tool(&lab, program, &name, &arguments);
        println!("{program}: seen {:?} after it returned", eye.is(&name, Some(status)).await);
    }
    eye.calm().await;
    kill(init(&lab, &name));
    println!("its own end: seen after {:?}", eye.is(&name, Some(Stopped)).await);
    eye.calm().await;
    let config = lab.lxcpath.join(name.as_str()).join("config");
    fs::write(&config, format!("{}lxc.group = lab\n", lab.config(&name))).unwrap();
    eye.shows("its tag", |guests| guests.iter().any(|guest| guest.tags == ["lab"])).await;
    eye.calm().await;
    fs::rename(lab.lxcpath.join(name.as_str()), lab.lxcpath.join("moved1")).unwrap();
    eye.is(&GuestName::new("moved1").unwrap(), Some(Stopped)).await;
    eye.calm().await;
    fs::remove_dir_all(lab.lxcpath.join("moved1")).unwrap();
    eye.shows("none", <[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reboot_is_seen_by_its_new_init_and_a_monitors_death_by_what_it_leaves() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let name = lab.made_with_init(
        "trap '' USR1 PWR TERM INT; while :; do sleep 1; done",
        "lxc.monitor.signal.pdeath = SIGCONT",
    );
    let eye = Eye::on(lab.driver.clone()).await;
    tool(&lab, "lxc-start", &name, &["-d"]);
    eye.is(&name, Some(Running)).await;
    let before = init(&lab, &name);
    eye.calm().await;
    kill(crate::lab::parent_of(before));
    eye.shows("the container without its monitor is told", |guests| {
        guests.iter().any(|guest| guest.status != Running || guest.note.is_some())
    })
    .await;
    eye.calm().await;
    kill(before);
    eye.shows("its end", |guests| guests.iter().any(|guest| guest.status == Stopped && guest.note.is_none()))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_lxc_containers_that_come_and_go_together_are_all_seen() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let first = lab.made("");
    let names: Vec<GuestName> = (1..20).map(|_| lab.made_on(&first)).chain([first.clone()]).collect();
    let eye = Eye::on(lab.driver.clone()).await;
    eye.calm().await;
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| tool(&lab, "lxc-start", name, &["-d"]));
        }
    });
    eye.shows("all run", |guests| guests.len() == 20 && guests.iter().all(|guest| guest.status == Running))
        .await;
    eye.calm().await;
    names.iter().for_each(|name| kill(init(&lab, name)));
    eye.shows("all have ended", |guests| guests.iter().all(|guest| guest.status == Stopped)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_names_in_the_lxc_directory_hide_nothing() {
    let _shared = MACHINE.read().await;
    let lab = Lab::new();
    let eye = Eye::on(lab.driver.clone()).await;
    for hostile in ["-f", "a b", "new\nline", ".hidden", "\u{202e}txt", &"n".repeat(255)] {
        fs::create_dir(lab.lxcpath.join(hostile)).unwrap();
        fs::write(lab.lxcpath.join(hostile).join("config"), "lxc.rootfs.path = dir:/nonexistent\n").unwrap();
    }
    std::os::unix::fs::symlink("/", lab.lxcpath.join("everything")).unwrap();
    std::os::unix::fs::symlink("loop", lab.lxcpath.join("loop")).unwrap();
    assert!(Command::new("mkfifo").arg(lab.lxcpath.join("pipe")).status().unwrap().success());
    let name = lab.made("");
    eye.is(&name, Some(Stopped)).await;
    eye.calm().await;
    tool(&lab, "lxc-start", &name, &["-d"]);
    eye.is(&name, Some(Running)).await;
    eye.calm().await;
    kill(init(&lab, &name));
    eye.is(&name, Some(Stopped)).await;
    for left in ["everything", "loop", "pipe"] {
        fs::remove_file(lab.lxcpath.join(left)).unwrap();
    }
}
