//! A fake cluster of its own for each test, and the drivers of both kinds on it.

use std::{mem::discriminant, sync::Arc};

use app::{
    backend::{
        Backend, CommandOutput, Error, Execution, ExecutionEnd, HostRunner, OpenCall, Past, RunContext,
        Runner, Site, execute,
        proxmox::{Client, ProxmoxConfig, ProxmoxDriver},
        recall,
    },
    domain::{
        action::ActionRequest,
        guest::{BackendKind, Guest, GuestStatus},
        name::GuestName,
        plan::{Command, Exit, Plan, StepOutcome, StepResult, Stream, Work},
        secret::Secrets,
        spec::CreateRequest,
    },
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::fakepve::FakePve;

pub const LXC: BackendKind = BackendKind::ProxmoxLxc;
pub const VM: BackendKind = BackendKind::ProxmoxVm;
pub const KINDS: [BackendKind; 2] = [LXC, VM];

/// The VMID of the container that a lab begins with.
pub const CT: u32 = 101;
/// The VMID of the VM that a lab begins with.
pub const MACHINE: u32 = 200;

/// The VMID of the lab's own guest of this kind.
pub fn own(kind: BackendKind) -> u32 {
    if kind == VM { MACHINE } else { CT }
}

pub fn name(vmid: u32) -> GuestName {
    GuestName::found(&vmid.to_string()).unwrap()
}

/// One fake cluster: node pve1 with container 101 and VM 200, and node pve2.
pub struct Lab {
    pub fake: Arc<FakePve>,
    lxc: ProxmoxDriver,
    vm: ProxmoxDriver,
}

/// What came of a plan.
pub struct Ran {
    pub end: ExecutionEnd,
    pub outcomes: Vec<StepOutcome>,
    /// All that was told meanwhile.
    pub output: String,
}

impl Lab {
    /// Both guests stopped.
    pub fn new() -> Self {
        Self::with("stopped", |_| ())
    }

    /// Both guests running.
    pub fn running() -> Self {
        Self::with("running", |_| ())
    }

    /// Both guests in this state, and Paddock set up so.
    pub fn with(status: &str, change: impl FnOnce(&mut ProxmoxConfig)) -> Self {
        let fake = FakePve::start();
        fake.call("add_node", json!(["pve2"]));
        fake.call(
            "add_ct",
            json!({"vmid": CT, "name": "web1", "status": status, "config": {
                "rootfs": "local-lvm:vm-101-disk-0,size=8G", "cores": 1, "tags": "prod;web",
                "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:01,ip=10.0.0.5/24,type=veth"}}),
        );
        fake.call(
            "add_vm",
            json!({"vmid": MACHINE, "name": "db1", "status": status, "config": {
                "scsi0": "local-lvm:vm-200-disk-0,size=10G", "cores": 2, "sockets": 1, "memory": 2048, "agent": "1",
                "ide2": "local:iso/debian.iso,media=cdrom", "net0": "virtio=BC:24:11:00:00:02,bridge=vmbr0",
                "boot": "order=scsi0"}}),
        );
        let mut config = fake.config();
        change(&mut config);
        Self::on(fake, &config)
    }

    pub fn on(fake: FakePve, config: &ProxmoxConfig) -> Self {
        let lxc = ProxmoxDriver::new(LXC, Client::new(config).unwrap(), config);
        let vm = lxc.sibling(VM);
        Self { fake: Arc::new(fake), lxc, vm }
    }

    pub fn driver(&self, kind: BackendKind) -> &ProxmoxDriver {
        if kind == VM { &self.vm } else { &self.lxc }
    }

    pub async fn plan(&self, kind: BackendKind, vmid: u32, request: ActionRequest) -> Result<Plan, Error> {
        self.driver(kind).plan(&name(vmid), &request).await
    }

    pub async fn run(&self, kind: BackendKind, vmid: u32, plan: &Plan, secrets: &Secrets) -> Ran {
        self.run_by(self.driver(kind), vmid, plan, secrets).await
    }

    /// By this driver instead of the lab's own.
    pub async fn run_by(&self, driver: &dyn Backend, vmid: u32, plan: &Plan, secrets: &Secrets) -> Ran {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let mut kept = Kept { outcomes: Vec::new(), output: sender };
        let runner = NodeTools { fake: Arc::clone(&self.fake) };
        let name = name(vmid);
        let site = Site { backend: driver, runner: &runner, guest: &name, secrets };
        let end = execute(site, plan, &CancellationToken::new(), &mut kept).await;
        let past = Past { outcomes: &kept.outcomes, output: &[], is_cancel_wanted: false };
        if let Some(again) = recall(site, plan, past).await {
            // The words of a refusal are not in the outcomes.
            assert_eq!(discriminant(&again), discriminant(&end), "recalled as {again:?}, and was {end:?}");
        }
        self.finds_again(driver, &name, plan, &kept.outcomes).await;
        let mut output = String::new();
        while let Ok((_, text)) = receiver.try_recv() {
            output.push_str(&text);
        }
        Ran { end, outcomes: kept.outcomes, output }
    }

    /// Each task could have been found without its name, had nobody noted that.
    async fn finds_again(
        &self,
        driver: &dyn Backend,
        guest: &GuestName,
        plan: &Plan,
        outcomes: &[StepOutcome],
    ) {
        for (step, outcome) in plan.steps.iter().zip(outcomes) {
            if let (Work::Api(call), StepResult::Answered { upid: Some(upid), .. }, Some(started_ms)) =
                (&step.work, &outcome.result, outcome.started_ms)
            {
                // Paddock's own driver looks for it after a restart, whoever began it.
                let person = driver.api_user();
                let own = self.driver(driver.kind());
                let open = OpenCall {
                    call,
                    person: person.as_deref(),
                    from_ms: started_ms - 2000,
                    until_ms: started_ms + 20_000,
                };
                let found = own.begun_by(guest, open).await.unwrap();
                assert!(found.iter().any(|task| task.upid == *upid), "{upid} of {call}: {found:?}");
            }
        }
    }

    /// Plans and runs.
    pub async fn act(&self, kind: BackendKind, vmid: u32, request: ActionRequest) -> ExecutionEnd {
        let secrets = request.secrets();
        let plan = self.plan(kind, vmid, request).await.unwrap_or_else(|e| panic!("no plan for {vmid}: {e}"));
        self.run(kind, vmid, &plan, &secrets).await.end
    }

    /// Asks for an id, plans and runs; the VMID.
    pub async fn create(&self, request: CreateRequest) -> (u32, ExecutionEnd) {
        let kind = request.spec.backend();
        let id = self.driver(kind).new_id(&request).await.unwrap_or_else(|e| panic!("no id: {e}"));
        let vmid = id.as_str().parse().unwrap();
        (vmid, self.act(kind, vmid, ActionRequest::Create(request)).await)
    }

    pub async fn guest(&self, kind: BackendKind, vmid: u32) -> Option<Guest> {
        self.driver(kind).guest(&name(vmid)).await.unwrap()
    }

    pub async fn status(&self, kind: BackendKind, vmid: u32) -> Option<GuestStatus> {
        self.guest(kind, vmid).await.map(|guest| guest.status)
    }

    /// As the fake has it, whatever the driver says.
    pub fn config(&self, vmid: u32) -> Value {
        self.fake.get_guest(vmid, "config")
    }

    /// Whether the fake has such a guest.
    pub fn has(&self, vmid: u32) -> bool {
        self.fake.ask(&json!({"do": "get", "guest": vmid, "name": "status"})).is_ok()
    }

    /// The refusal's sentences.
    pub async fn refused(&self, kind: BackendKind, vmid: u32, request: ActionRequest) -> Error {
        match self.plan(kind, vmid, request).await {
            Err(error) => error,
            Ok(plan) => panic!("not refused: {plan:?}"),
        }
    }
}

struct Kept {
    outcomes: Vec<StepOutcome>,
    output: mpsc::UnboundedSender<(Stream, String)>,
}

impl Execution for Kept {
    fn begin(&mut self, _: usize) -> RunContext {
        RunContext {
            output: self.output.clone(),
            started: mpsc::unbounded_channel().0,
            cancel: CancellationToken::new(),
        }
    }

    fn end(&mut self, _: usize, outcome: StepOutcome) {
        self.outcomes.push(outcome);
    }
}

/// `pct` and `qm` of a node, which no test machine has: they answer as the real ones of Proxmox VE 9.1 did, about the
/// guests of the fake. What `pct exec` runs inside is run here.
struct NodeTools {
    fake: Arc<FakePve>,
}

#[async_trait]
impl Runner for NodeTools {
    async fn run(&self, command: &Command, context: &RunContext) -> CommandOutput {
        let words = command.argv.words();
        let answer = |code: i32, stderr: &str| CommandOutput {
            exit: Exit::Code(code),
            stdout: String::new(),
            stderr: stderr.to_owned(),
            log: String::new(),
            dropped_bytes: 0,
        };
        let vmid: u32 = words[2].parse().unwrap();
        match words[1].as_str() {
            "unlock" if self.fake.get_guest(vmid, "lock").is_null() => {
                answer(255, "no lock found trying to remove any lock\n")
            }
            "unlock" => {
                self.fake.call("unlock", json!([vmid]));
                answer(0, "")
            }
            "exec" if self.fake.get_guest(vmid, "status") != "running" => {
                answer(255, &format!("container '{vmid}' not running!\n"))
            }
            "exec" => {
                assert_eq!(words[3], "--");
                let argv = app::domain::plan::Argv::new(&words[4]).args(words[5..].iter().cloned());
                HostRunner.run(&Command { argv, ..command.clone() }, context).await
            }
            other => panic!("no {other}"),
        }
    }
}
