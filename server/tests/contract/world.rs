//! A host with three guests, and everybody on it.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use app::{
    auth::Caller,
    domain::{
        access::{Holder, Place, Privileges, Rights, RoleName, Scope},
        account::Owed,
        guest::{Guest, GuestId},
        operation::OperationId,
    },
    service::access,
    store::{By, NewGrant, NewUser, UserChange},
};

use crate::{
    common::{Browser, Host, PASSWORD},
    people::{BLIND, NIGHT, PEOPLE, Person},
};

pub struct World {
    pub host: Host,
    /// One with the tag `lab`, one without any, one of crun. Their names stand in nothing else.
    pub guests: Vec<Known>,
}

/// A guest and the operation that made it.
pub struct Known {
    pub guest: Guest,
    pub operation: OperationId,
}

impl World {
    pub async fn new() -> Self {
        let host = Host::start().await;
        let mut admin = host.admin().await;
        for name in ["lab1", "prod1"] {
            let source = [("form[source]", "template"), ("form[template]", "busybox")];
            admin.create(&[&[("form[backend]", "lxc"), ("form[name]", name)], &source[..]].concat()).await;
        }
        let config = host.lxc_path().join("lab1/config");
        let text = std::fs::read_to_string(&config).unwrap() + "lxc.group = lab\n";
        std::fs::write(&config, text).unwrap();
        // Ids under several roots share a control group.
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let id = format!("box1-{}-{}", std::process::id(), WORLDS.fetch_add(1, Ordering::Relaxed));
        let bundle = host.bundle(&id, "sleep 1000").display().to_string();
        admin.create(&[("form[backend]", "crun"), ("form[name]", &id), ("form[bundle]", &bundle)]).await;
        host.state.inventory.start().await;
        let mut guests = Vec::new();
        for (backend, name) in [("lxc", "lab1"), ("lxc", "prod1"), ("crun", &id)] {
            let id = GuestId::parse(backend, name).unwrap();
            let snapshot = host.state.inventory.snapshot();
            let guest = app::domain::guest::Guest::clone(snapshot.guest(&id).unwrap());
            let made = host.state.store.operations_of(&id, None, 10).await.unwrap().pop().unwrap();
            guests.push(Known { guest, operation: made.unwrap().id });
        }
        assert_eq!(guests[0].guest.tags, ["lab"]);
        make_people(&host).await;
        Self { host, guests }
    }

    /// A browser in which that person is logged in.
    pub async fn browser(&self, person: &Person) -> Browser {
        let mut browser = self.host.browser();
        let reply = browser.log_in(person.name, PASSWORD).await;
        assert!(browser.cookie.is_some(), "{}: {reply:?}", person.name);
        browser
    }

    /// A settings file by which the command line works on the same host and database.
    pub fn settings(&self) -> PathBuf {
        let dir = self.host.dir.path().display();
        let text = format!(
            "[server]\ndata = \"{dir}\"\nsite = \"{dir}/site\"\n[lxc]\npath = \"{dir}/lxc\"\n\
             create_config = \"{dir}/lxc.conf\"\n[crun]\nroot = \"{dir}/crun\"\nbundles = \"{dir}/bundles\"\n\
             images = \"{dir}/images\"\n[routing]\ndefault = \"lxc\"\n"
        );
        let path = self.host.dir.path().join("paddock.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What the policy is asked about.
    pub async fn rights(&self, person: &Person) -> Rights {
        let user = self.host.state.store.user_named(person.name).await.unwrap().unwrap();
        self.host.state.store.rights_of(user.id).await.unwrap()
    }
}

/// With the rights of everybody who has a grant as it is written in [`PEOPLE`].
pub async fn make_people(host: &Host) {
    let (state, root) = (&host.state, Caller::command_line("root"));
    for (role, privileges) in [BLIND, NIGHT] {
        let privileges: Privileges = privileges.parse().unwrap();
        access::add_role(state, &root, role, privileges).await.unwrap();
    }
    let hash = app::auth::password::hash(PASSWORD).unwrap();
    for person in &PEOPLE {
        let user = NewUser {
            must_change_password: person.owed == Some(Owed::Password),
            ..NewUser::local(person.name, hash.clone(), None)
        };
        assert!(state.store.add_user(&user, By::default()).await.unwrap());
        let factor_required = Some(person.owed == Some(Owed::Factor));
        let change = UserChange { factor_required, ..UserChange::default() };
        state.store.change_user(person.name, change, By::default()).await.unwrap();
        let holder = match person.group {
            Some(group) => {
                access::add_group(state, &root, group).await.unwrap();
                access::set_member(state, &root, group, person.name, true).await.unwrap();
                Holder::Group(group.to_owned())
            }
            None => Holder::User(person.name.to_owned()),
        };
        for (role, scope, is_over) in person.grants {
            let (role, scope): (RoleName, Scope) = (role.parse().unwrap(), scope.parse().unwrap());
            // By the store, as the service gives nobody a grant that is over.
            let expires_ms = is_over.then_some(1);
            let grant = NewGrant { holder: &holder, role: &role, scope: &scope, expires_ms };
            state.store.add_grant(grant, By::default()).await.unwrap();
        }
    }
}

impl Known {
    pub fn place(&self) -> Place<'_> {
        Place::of(&self.guest)
    }

    /// In an address or a field.
    pub fn fill(&self, text: &str) -> String {
        text.replace("{backend}", self.guest.id.backend.as_str())
            .replace("{name}", self.guest.id.name.as_str())
            .replace("{operation}", &self.operation.to_string())
    }
}
