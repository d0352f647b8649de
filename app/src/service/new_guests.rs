//! New guests: what can be chosen, what their creation would run, and its beginning.

use super::{
    AppState, Error,
    actions::{self, Ask, Planned, Target},
    attempts::Attempt,
    guests::refused,
};
use crate::{
    auth::{Caller, policy},
    backend::Backend,
    domain::{
        access::{On, Place, Privilege},
        action::{ActionRequest, Field, GuestAction, Refusal},
        form::{self, Choices, Offered, Typed},
        guest::BackendKind,
        host::{CreateOptions, Image, ImageKind, Node},
        name::GuestName,
        operation::OperationId,
        secret::{MASK, Secret},
        view::{CreateChoices, CreatePreview},
    },
};

/// Most of one form field that travels back to the form, characters.
const KEPT: usize = 1000;

/// Begins the creation of a guest, if its plan is still the one with the hash `agreed`; empty where none was shown.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    typed: &Typed,
    password: Option<Secret>,
    agreed: &str,
) -> Result<OperationId, Error> {
    let attempt = Attempt::new(GuestAction::Create.as_str());
    let ask = attempt.answered(state, caller, asked(caller, typed, password)).await?;
    actions::begin(state, caller, ask.agreed(agreed)).await
}

fn asked(caller: &Caller, typed: &Typed, password: Option<Secret>) -> Result<Ask, Error> {
    policy::decide(caller, Privilege::Create, On::Somewhere)?;
    let (kind, request) = form::create(typed, password).map_err(|wrong| refusal(typed, wrong))?;
    Ok(Ask::new(Target::New(kind), ActionRequest::Create(request)))
}

/// The first of what is wrong. A name tells what is wrong with it as everywhere.
fn refusal(typed: &Typed, wrong: Vec<form::Wrong>) -> Refusal {
    let message = "Fill in the form first.".to_owned();
    match wrong.into_iter().next() {
        Some(wrong) if wrong.field == Field::Name => match GuestName::new(typed.text(Field::Name)) {
            Err(why) => Refusal::Name(why),
            Ok(_) => wrong.into(),
        },
        Some(wrong) => wrong.into(),
        None => Refusal::Field { field: Field::Name, message },
    }
}

/// What it would run. No password is needed for that: a plan holds none.
pub async fn preview(state: &AppState, caller: &Caller, typed: &Typed) -> Result<CreatePreview, Error> {
    policy::decide(caller, Privilege::Create, On::Somewhere)?;
    let stand_in = typed.is_on(Field::WithPassword).then(|| Secret::new(MASK));
    let planned = match refused(asked(caller, typed, stand_in))? {
        Ok(ask) => refused(actions::plan(state, caller, &ask).await)?,
        Err(refusal) => Err(refusal),
    };
    let hash = planned.as_ref().ok().map(Planned::hash);
    let id = planned.as_ref().ok().and_then(|planned| planned.title.as_ref().map(|_| planned.guest.clone()));
    Ok(CreatePreview { plan: planned.map(|planned| planned.plan), hash, id })
}

/// The form as it goes back to the person, each field cut to a length that fits an address.
pub fn kept(typed: &Typed) -> Typed {
    let cut = |text: &str| text.chars().take(KEPT).collect::<String>();
    Typed::of_fields(typed.pairs().map(|(name, value)| (name, cut(value)))).without(Field::Password)
}

/// What can be chosen for a new guest on this host. What lies there names other guests, too, so it is for those who may make
/// any guest of that backend.
pub async fn choices(state: &AppState, caller: &Caller) -> Result<CreateChoices, Error> {
    policy::decide(caller, Privilege::See, On::Somewhere)?;
    let snapshot = state.inventory.snapshot();
    let mut choices = Vec::new();
    for driver in state.registry.iter() {
        let any = Place { backend: driver.kind(), name: None, pool: None, tags: &[] };
        let is_usable = snapshot
            .backends
            .get(&driver.kind())
            .is_some_and(|health| health.state.availability.is_available());
        if is_usable && policy::decide(caller, Privilege::Create, On::Guest(any)).is_ok() {
            choices.push((driver.kind(), of_backend(driver.as_ref()).await));
        }
    }
    Ok(CreateChoices {
        backends: snapshot.backends.values().map(|health| health.state.clone()).collect(),
        choices,
        refusal: policy::decide(caller, Privilege::Create, On::Somewhere).err(),
    })
}

/// What cannot be read is not offered: it can still be typed by the command line.
async fn of_backend(driver: &dyn Backend) -> Offered {
    let kind = driver.kind();
    let mut options = CreateOptions::default();
    let (images, nodes, ()) =
        tokio::join!(driver.images(), driver.nodes(), driver.create_options(&mut options));
    let images = images.unwrap_or_else(|error| {
        tracing::warn!(backend = %kind, %error, "images not read");
        Vec::new()
    });
    let nodes = nodes.unwrap_or_else(|error| {
        tracing::warn!(backend = %kind, %error, "nodes not read");
        Vec::new()
    });
    let of = |wanted: &[ImageKind]| ids(&images, wanted);
    match kind {
        BackendKind::Lxc => {
            let none = std::iter::once("none".to_owned());
            vec![
                (Choices::LxcTemplates, options.lxc_templates),
                (Choices::Bridges, none.chain(bridges(&nodes)).collect()),
            ]
        }
        BackendKind::Crun => {
            vec![(Choices::Bundles, options.crun_bundles), (Choices::Layouts, of(&[ImageKind::OciLayout]))]
        }
        BackendKind::ProxmoxLxc | BackendKind::ProxmoxVm => {
            let disks = if kind == BackendKind::ProxmoxVm { "images" } else { "rootdir" };
            let online =
                nodes.iter().filter(|node| node.state.is_online()).map(|node| node.name.clone()).collect();
            vec![
                (Choices::Nodes, online),
                (Choices::DiskStorages, storages(&nodes, disks)),
                (Choices::Bridges, bridges(&nodes)),
                (Choices::OsTemplates, of(&[ImageKind::OsTemplate, ImageKind::Appliance])),
                (Choices::DiskImages, of(&[ImageKind::DiskImage])),
                (Choices::Isos, of(&[ImageKind::Iso])),
            ]
        }
    }
}

fn ids(images: &[Image], wanted: &[ImageKind]) -> Vec<String> {
    let mut ids: Vec<String> =
        images.iter().filter(|image| wanted.contains(&image.kind)).map(|image| image.id.clone()).collect();
    ids.dedup();
    ids
}

fn bridges(nodes: &[Node]) -> Vec<String> {
    let networks = nodes.iter().flat_map(|node| &node.networks).filter(|network| network.kind == "bridge");
    sorted(networks.map(|network| network.name.clone()).collect())
}

/// Names of the storages that take such content.
pub(super) fn storages(nodes: &[Node], content: &str) -> Vec<String> {
    let storages = nodes.iter().flat_map(|node| &node.storages);
    let fits = storages.filter(|storage| storage.is_active && storage.content.iter().any(|it| it == content));
    sorted(fits.map(|storage| storage.name.clone()).collect())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
