//! From a request to its facts to its plan. What was asked for is checked first, then what the host lacks, then how
//! things stand.

use std::path::Path;

use crate::{
    backend::{Error, host_runner::find_tool},
    domain::{
        action::{ActionRequest, Field},
        guest::{BackendKind, GuestStatus},
        name::GuestName,
        plan::Plan,
        spec::{Changes, CreateRequest, CreateSpec, OciImage, OciSpec},
    },
};

use super::{
    CrunDriver, archive,
    bundle::Bundle,
    facts::{self, Registered},
    ground, guest_id,
    input::{self, invalid},
    layout,
    places::Places,
    plan::{
        self,
        image::{self, Source},
        settings,
    },
    reference::Reference,
};

/// What skopeo asks whether an image may be used; it does nothing without one of these.
const POLICIES: [&str; 2] = ["/root/.config/containers/policy.json", "/etc/containers/policy.json"];

impl CrunDriver {
    pub(super) fn plan_request(&self, name: &GuestName, request: &ActionRequest) -> Result<Plan, Error> {
        let tool = self.tool();
        match request {
            ActionRequest::Create(request) => self.plan_create(name, request),
            ActionRequest::Start => self.plan_start(name),
            ActionRequest::Shutdown { timeout_seconds } => {
                input::shutdown_seconds(*timeout_seconds)?;
                plan::shutdown(&tool, name, &self.registered(name)?, *timeout_seconds)
            }
            ActionRequest::Stop => plan::stop(&tool, name, &self.registered(name)?),
            ActionRequest::Reboot { timeout_seconds } => {
                input::shutdown_seconds(*timeout_seconds)?;
                let guest = self.registered(name)?;
                let bundle = bundle_of(&guest)?;
                let place = facts::place(&self.states, &self.proc, name, &bundle)?;
                plan::reboot(&tool, name, &guest, &bundle, &place, *timeout_seconds)
            }
            ActionRequest::Pause => plan::pause(&tool, name, &self.registered(name)?),
            ActionRequest::Resume => plan::resume(&tool, name, &self.registered(name)?),
            ActionRequest::Exec { command, timeout_seconds } => {
                input::command(command, false)?;
                input::exec_seconds(*timeout_seconds)?;
                self.registered(name)?;
                Ok(plan::exec(&tool, name, command, *timeout_seconds))
            }
            ActionRequest::Configure(changes) => self.plan_configure(name, changes),
            ActionRequest::Delete { purge } => self.plan_delete(name, *purge),
            other => Err(Error::Unsupported {
                backend: BackendKind::Crun,
                action: other.action(),
                reason: super::Backend::lack(self, other.action()).unwrap_or_default(),
            }),
        }
    }

    fn registered(&self, name: &GuestName) -> Result<Registered, Error> {
        let found = facts::registered(&self.states, &self.proc, name)?;
        found.ok_or_else(|| Error::NotFound(guest_id(name.clone())))
    }

    fn plan_create(&self, name: &GuestName, request: &CreateRequest) -> Result<Plan, Error> {
        // Found names may be longer than given ones.
        GuestName::new(name.as_str()).map_err(|why| invalid(Field::Name, why.to_string()))?;
        match &request.spec {
            CreateSpec::CrunBundle { bundle } => {
                let bundle = Bundle::check(bundle).map_err(|why| invalid(Field::Bundle, why.to_string()))?;
                self.check_free(name)?;
                let place = facts::place(&self.states, &self.proc, name, &bundle)?;
                plan::create(&self.tool(), name, &bundle, &place, request.start)
            }
            CreateSpec::CrunImage(spec) => self.plan_create_from_image(name, spec, request.start),
            _ => Err(invalid(Field::Backend, "crun makes containers from bundles and from OCI images only.")),
        }
    }

    fn check_free(&self, name: &GuestName) -> Result<(), Error> {
        match self.states.read(name) {
            Some(_) => Err(Error::AlreadyExists(guest_id(name.clone()))),
            None => Ok(()),
        }
    }

    fn plan_create_from_image(&self, name: &GuestName, spec: &OciSpec, start: bool) -> Result<Plan, Error> {
        input::command(&spec.command, true)?;
        input::environment(&spec.env)?;
        input::mounts(&spec.mounts)?;
        input::limits(&spec.limits)?;
        if let Some(missing) = spec.mounts.iter().find(|mount| !Path::new(&mount.source).exists()) {
            return Err(invalid(Field::Mount, format!("There is no {} on this host.", missing.source)));
        }
        let source = source(&spec.image)?;
        self.check_free(name)?;
        let has_file = |path: &str| Path::new(path).is_file();
        check_image_tools(&source, |tool| find_tool(tool).is_some(), has_file)?;
        let places = Places::new(self.config.bundles.as_deref(), &self.config.images)?;
        let ground = ground::ground(&self.states, &places, name, spec)?;
        let place = facts::place_at(&self.states, &self.proc, name, image::cgroup(name))?;
        image::create(&self.tool(), name, &source, spec, &ground, &place, start)
    }

    fn plan_start(&self, name: &GuestName) -> Result<Plan, Error> {
        let guest = self.registered(name)?;
        if guest.status == GuestStatus::Created {
            return Ok(plan::start(&self.tool(), name));
        }
        let bundle = bundle_of(&guest)?;
        let place = facts::place(&self.states, &self.proc, name, &bundle)?;
        plan::start_again(&self.tool(), name, &guest, &bundle, &place)
    }

    fn plan_configure(&self, name: &GuestName, changes: &Changes) -> Result<Plan, Error> {
        settings::check(changes)?;
        let guest = self.registered(name)?;
        let bundle = guest.bundle.as_deref().ok_or_else(|| no_bundle(NO_BUNDLE.to_owned()))?;
        let settings = facts::settings(&self.states, name, bundle)?;
        settings::configure(&self.tool(), name, &guest, &settings, changes)
    }

    fn plan_delete(&self, name: &GuestName, purge: bool) -> Result<Plan, Error> {
        let guest = self.registered(name)?;
        let made = match guest.bundle.as_deref().filter(|_| purge) {
            Some(bundle) => {
                // Where nobody said where bundles are, Paddock made none.
                let places = Places::new(self.config.bundles.as_deref(), &self.config.images).ok();
                let made = places.map(|places| ground::made(&places, name, bundle)).unwrap_or_default();
                if made.bundle.is_some() {
                    plan::checks::check_bundle_unshared(bundle, &facts::users(&self.states, name, bundle)?)?;
                }
                Some(made)
            }
            None => None,
        };
        plan::delete(&self.tool(), name, &guest, made.as_ref())
    }
}

const NO_BUNDLE: &str = "crun does not say which bundle it was made from.";

fn no_bundle(reason: String) -> Error {
    Error::NotReady {
        reason,
        cure: "Mend the bundle, or delete this container and create one from another bundle.".to_owned(),
    }
}

/// Looked at before anything is deleted: a container that cannot be set up again would be lost.
fn bundle_of(guest: &Registered) -> Result<Bundle, Error> {
    let path = guest.bundle.as_deref().ok_or_else(|| no_bundle(NO_BUNDLE.to_owned()))?;
    Bundle::check(path).map_err(|why| no_bundle(why.to_string()))
}

fn source(image: &OciImage) -> Result<Source, Error> {
    let bad = |why: String| invalid(Field::Image, why);
    match image {
        OciImage::Registry(text) => {
            text.parse::<Reference>().map(Source::Registry).map_err(|why| bad(why.to_string()))
        }
        OciImage::Layout { path, tag } => {
            layout::check(path, tag).map_err(|why| bad(why.to_string()))?;
            Ok(Source::Layout(path.clone(), tag.clone()))
        }
        OciImage::Archive { path } => {
            let format = archive::look(path).map_err(|why| bad(why.to_string()))?;
            Ok(Source::Archive(format.transport(), path.clone()))
        }
    }
}

/// What the host has is asked of it by the program's name and by the file's path.
fn check_image_tools(
    source: &Source,
    has_tool: impl Fn(&str) -> bool,
    has_file: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let copies = !matches!(source, Source::Layout(..));
    for tool in [Some("umoci"), copies.then_some("skopeo")].into_iter().flatten() {
        if !has_tool(tool) {
            return Err(Error::NotReady {
                reason: format!("Containers are made from images by {tool}, and that is not on this host."),
                cure: format!("Install it by `apt-get install {tool}`."),
            });
        }
    }
    if copies && !POLICIES.into_iter().any(has_file) {
        return Err(Error::NotReady {
            reason:
                "This host has no policy that says which images may be used (/etc/containers/policy.json)."
                    .to_owned(),
            cure: "Install Debian's, which takes all, by `apt-get install golang-github-containers-common`."
                .to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_missing_tool_is_named_with_its_cure() {
        let layout = Source::Layout("/srv/l".into(), "1".into());
        let registry = Source::Registry("alpine".parse().unwrap());
        let cure = |source: &Source, tools: &[&str], files: &[&str]| match check_image_tools(
            source,
            |tool| tools.contains(&tool),
            |file| files.contains(&file),
        ) {
            Ok(()) => String::new(),
            Err(Error::NotReady { cure, .. }) => cure,
            Err(other) => panic!("{other:?}"),
        };
        let (both, policy) = (["umoci", "skopeo"], ["/etc/containers/policy.json"]);
        assert_eq!(cure(&layout, &["umoci"], &[]), "", "a layout on the host is not copied");
        assert_eq!(cure(&registry, &both, &policy), "");
        assert!(cure(&layout, &["skopeo"], &policy).contains("apt-get install umoci"));
        assert!(cure(&registry, &["umoci"], &policy).contains("apt-get install skopeo"));
        assert!(cure(&registry, &both, &[]).contains("golang-github-containers-common"));
        assert_eq!(cure(&registry, &both, &["/root/.config/containers/policy.json"]), "");
    }
}
