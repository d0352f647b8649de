//! Many people and a command line at once, on a few guests; and what each of them was told.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    process::{Child, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use app::{
    api::{
        guests::{GuestList, GuestRow},
        operations::OperationPage,
    },
    domain::guest::{BackendKind, GuestStatus},
};
use serde_json::Value;

use crate::{
    chance::Chance,
    common::PASSWORD,
    ground::{CONTAINERS, DEAF, Ground, LXC, TEMPLATE, VMS},
    http::{Reply, ask},
};

/// People at work at once.
pub const PEOPLE: usize = 8;
/// Guests of the fake that were made by a command line, at most.
const MADE: usize = 6;
/// Until somebody at a command line does something.
const SOON: Duration = Duration::from_secs(5);

/// What was answered to anybody: all of it must hold for ever.
#[derive(Debug, Default)]
pub struct Told {
    /// Operations that were accepted, and what was asked.
    pub accepted: BTreeMap<i64, String>,
    /// How they ended, where that was told.
    pub ended: BTreeMap<i64, String>,
    /// Sessions that were begun.
    pub sessions: Vec<String>,
}

impl Told {
    fn accept(&mut self, reply: &Reply, what: &str) {
        if let Some(id) = reply.operation() {
            self.accepted.insert(id, what.to_owned());
        }
    }
}

pub struct Load<'a> {
    pub ground: &'a Ground,
    pub addr: SocketAddr,
    pub told: &'a Mutex<Told>,
    over: AtomicBool,
    command_line: Mutex<Option<Child>>,
}

impl<'a> Load<'a> {
    pub fn new(ground: &'a Ground, addr: SocketAddr, told: &'a Mutex<Told>) -> Self {
        Self { ground, addr, told, over: AtomicBool::new(false), command_line: Mutex::new(None) }
    }

    /// Nothing more is begun. A command line that is at work goes on to its end.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// One person at a browser, until the load is over.
    pub fn person(&self, mut chance: Chance) {
        let mut cookie = self.session(&mut chance);
        while !self.is_over() {
            // The server may be gone: then the load is about to be over.
            if cookie.is_empty() || chance.is(2) {
                if let Ok(Some(new)) = self.log_in() {
                    cookie = new;
                }
            } else {
                let _ = self.one(&cookie, &mut chance);
            }
            sleep(chance.ms(5, 100));
        }
    }

    /// One that was begun before the last crash; empty where there is none.
    fn session(&self, chance: &mut Chance) -> String {
        let told = self.told.lock().unwrap();
        if told.sessions.is_empty() { String::new() } else { chance.of(&told.sessions).clone() }
    }

    fn log_in(&self) -> io::Result<Option<String>> {
        let body = format!("username=admin&password={}", PASSWORD.replace(' ', "+"));
        let cookie = ask(self.addr, "POST", "/api/account/log_in", "", &body)?.cookie();
        self.told.lock().unwrap().sessions.extend(cookie.clone());
        Ok(cookie)
    }

    fn one(&self, cookie: &str, chance: &mut Chance) -> io::Result<()> {
        match chance.below(100) {
            0..10 => self.cancel(cookie, chance),
            10..20 => self.look(cookie, chance),
            20..28 => self.act_on_all(cookie, chance),
            _ => self.act(cookie, chance),
        }
    }

    fn guests(&self, cookie: &str) -> io::Result<Vec<GuestRow>> {
        let reply = ask(self.addr, "GET", "/api/guests/list", cookie, "")?;
        let list: Result<GuestList, _> = serde_json::from_str(&reply.body);
        Ok(list.map(|list| list.guests).unwrap_or_default())
    }

    fn post(&self, cookie: &str, path: &str, body: &str) -> io::Result<()> {
        let reply = ask(self.addr, "POST", path, cookie, body)?;
        self.told.lock().unwrap().accept(&reply, body);
        Ok(())
    }

    /// Any of the operations accepted lately.
    fn recent(&self, chance: &mut Chance) -> Option<i64> {
        let told = self.told.lock().unwrap();
        let recent: Vec<i64> = told.accepted.keys().rev().take(12).copied().collect();
        if recent.is_empty() { None } else { Some(*chance.of(&recent)) }
    }

    fn cancel(&self, cookie: &str, chance: &mut Chance) -> io::Result<()> {
        let Some(id) = self.recent(chance) else { return Ok(()) };
        ask(self.addr, "POST", "/api/operations/cancel", cookie, &format!("id={id}")).map(drop)
    }

    fn look(&self, cookie: &str, chance: &mut Chance) -> io::Result<()> {
        let Some(id) = self.recent(chance) else { return Ok(()) };
        let reply = ask(self.addr, "GET", &format!("/api/operations/get?id={id}"), cookie, "")?;
        let page: Option<OperationPage> = serde_json::from_str(&reply.body).unwrap_or_default();
        if let Some(page) = page
            && !page.operation.summary.state.is_live()
        {
            let state = page.operation.summary.state.to_string();
            self.told.lock().unwrap().ended.insert(id, state);
        }
        Ok(())
    }

    fn act_on_all(&self, cookie: &str, chance: &mut Chance) -> io::Result<()> {
        let action = *chance.of(&["start", "stop", "shutdown"]);
        let mut body = format!("action={action}");
        if action == "shutdown" {
            body += "&timeout=3";
        }
        for nth in 0..2 + chance.below(5) {
            let (backend, name) = self.any_guest(chance);
            body += &format!("&guests[{nth}]={backend}/{name}");
        }
        self.post(cookie, "/api/guests/act-on-all", &body)
    }

    fn any_guest(&self, chance: &mut Chance) -> (BackendKind, String) {
        match chance.below(10) {
            0..3 => (BackendKind::Lxc, (*chance.of(&LXC)).to_owned()),
            3 => (BackendKind::Lxc, DEAF.to_owned()),
            4..6 => (BackendKind::Crun, chance.of(&self.ground.crun_ids()).clone()),
            6..8 => (BackendKind::ProxmoxLxc, chance.of(&CONTAINERS).to_string()),
            _ => (BackendKind::ProxmoxVm, chance.of(&VMS).to_string()),
        }
    }

    /// Something that makes sense as the guest is, most of the time.
    fn act(&self, cookie: &str, chance: &mut Chance) -> io::Result<()> {
        let (backend, name) = self.any_guest(chance);
        let guests = self.guests(cookie)?;
        let found =
            guests.iter().find(|row| row.guest.id.backend == backend && row.guest.id.name.as_str() == name);
        let Some(row) = found else { return self.create(cookie, backend, &name) };
        let actions: &[&str] = match (row.guest.status, backend) {
            _ if chance.is(5) => &["start", "stop", "shutdown", "pause", "resume"],
            (GuestStatus::Running, _) if name == DEAF => &["shutdown", "shutdown", "shutdown", "stop"],
            (GuestStatus::Running, BackendKind::Crun) => &["stop", "shutdown", "pause"],
            (GuestStatus::Running, _) => &["stop", "shutdown", "reboot", "pause"],
            (GuestStatus::Paused, _) => &["resume", "stop"],
            // What is left of a creation that was cut off.
            (GuestStatus::Unknown, _) => &["delete"],
            (GuestStatus::Created, _) => &["start", "start", "delete"],
            (GuestStatus::Stopped, BackendKind::Lxc | BackendKind::Crun) if name != DEAF => {
                &["start", "start", "start", "delete"]
            }
            (GuestStatus::Stopped, _) => &["start"],
            _ => return Ok(()),
        };
        let action = *chance.of(actions);
        let label = row.guest.title.as_deref().unwrap_or(&name);
        let mut body = format!("backend={backend}&name={name}&action={action}&confirm={label}");
        if matches!(action, "shutdown" | "reboot") {
            body += &format!("&timeout={}", 1 + chance.below(5));
        }
        self.post(cookie, "/api/guests/act", &body)
    }

    fn create(&self, cookie: &str, backend: BackendKind, name: &str) -> io::Result<()> {
        let body = match backend {
            BackendKind::Lxc => {
                format!("form[backend]=lxc&form[source]=template&form[template]=busybox&form[name]={name}")
            }
            BackendKind::Crun => {
                let bundle = self.ground.bundle(name).display().to_string();
                format!("form[backend]=crun&form[name]={name}&form[bundle]={bundle}")
            }
            _ => return Ok(()),
        };
        self.post(cookie, "/api/guests/create", &body)
    }

    /// Somebody at the host's command line, until the load is over.
    pub fn command_line(&self, mut chance: Chance) {
        let mut cookie = self.session(&mut chance);
        while !self.is_over() {
            if cookie.is_empty()
                && let Ok(Some(new)) = self.log_in()
            {
                cookie = new;
            }
            let args = self.verb(&cookie, &mut chance);
            self.run(&args);
            sleep(chance.ms(20, 200));
        }
    }

    fn verb(&self, cookie: &str, chance: &mut Chance) -> Vec<String> {
        let lxc = format!("lxc/{}", chance.of(&LXC));
        let container = format!("proxmox-lxc/{}", chance.of(&CONTAINERS));
        let vm = format!("proxmox-vm/{}", chance.of(&VMS));
        let name = format!("s{}", chance.below(3));
        let guests = self.guests(cookie).unwrap_or_default();
        let made: Vec<String> = guests
            .iter()
            .filter(|row| row.guest.id.backend == BackendKind::ProxmoxLxc)
            .filter(|row| row.guest.id.name.as_str().parse().is_ok_and(|vmid: u32| vmid < CONTAINERS[0]))
            .map(|row| row.guest.id.to_string())
            .collect();
        let text = match chance.below(10) {
            0 => format!("snapshot create {lxc}"),
            1 => format!("delete {lxc} --yes --purge"),
            2 => format!("snapshot create {container} {name}"),
            3 => format!("snapshot delete {container} {name}"),
            4 => format!("snapshot rollback {vm} {name}"),
            5 => format!("snapshot create {vm} {name}"),
            6 => format!("shutdown lxc/{DEAF} --timeout 3"),
            7 if !made.is_empty() => format!("delete {} --yes", chance.of(&made)),
            7 | 8 if made.len() < MADE => {
                format!("create made --backend proxmox-lxc --template {TEMPLATE} --disk 1G")
            }
            8 if !made.is_empty() => format!("delete {} --yes", chance.of(&made)),
            _ => format!("start {lxc} {container} {vm}"),
        };
        text.split(' ').map(str::to_owned).chain(["--format".to_owned(), "json".to_owned()]).collect()
    }

    fn run(&self, args: &[String]) {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = self.ground.command(&args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        *self.command_line.lock().unwrap() = Some(child);
        let mut text = String::new();
        // Ends with the process, however that ends.
        io::Read::read_to_string(&mut out, &mut text).unwrap();
        if let Some(mut child) = self.command_line.lock().unwrap().take() {
            child.wait().unwrap();
        }
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        if let (Some(id), Some(state)) = (told["operation"].as_i64(), told["state"].as_str()) {
            let mut all = self.told.lock().unwrap();
            all.accepted.insert(id, args.join(" "));
            all.ended.insert(id, state.to_owned());
        }
    }

    /// Kills a command line, so long after it was seen at work; says whether one was.
    pub fn kill_command_line(&self, after: Duration) -> bool {
        let deadline = Instant::now() + SOON;
        while self.command_line.lock().unwrap().is_none() && Instant::now() < deadline {
            sleep(Duration::from_millis(1));
        }
        sleep(after);
        let mut child = self.command_line.lock().unwrap().take();
        child.as_mut().map(|child| (child.kill().unwrap(), child.wait().unwrap())).is_some()
    }
}
