//! What the form starts with: what the address asks for, and else what is most likely right on this host.

use leptos::prelude::*;

use crate::{
    api::guests::CreateChoices,
    domain::{
        action::Field,
        form::{self, Choices, Step, Typed},
        guest::BackendKind,
    },
    ui::typed::Typing,
};

pub fn start(choices: &CreateChoices, asked: &Typed) -> Typed {
    let kind = asked.text(Field::Backend).parse().ok().unwrap_or_else(|| usual_backend(choices));
    let defaults = defaults(choices, kind);
    Typed::of_fields(defaults.pairs().chain(asked.pairs()).map(|(name, value)| (name.to_owned(), value)))
        .with(Field::Backend, kind.as_str())
}

fn usual_backend(choices: &CreateChoices) -> BackendKind {
    let usable = choices.backends.iter().find(|backend| backend.availability.is_available());
    usable.map_or(BackendKind::Lxc, |backend| backend.kind)
}

/// What a form of this backend holds before anybody types.
pub fn defaults(choices: &CreateChoices, kind: BackendKind) -> Typed {
    let names = |from: Choices| {
        choices
            .of(kind)
            .iter()
            .find(|(of, _)| *of == from)
            .map(|(_, names)| names.as_slice())
            .unwrap_or_default()
    };
    let first = |from: Choices| names(from).first().cloned().unwrap_or_default();
    let typed = Typed::default();
    match kind {
        BackendKind::Lxc => {
            let templates = names(Choices::LxcTemplates);
            let usual = templates.iter().find(|name| *name == "download" || *name == "busybox");
            let busybox = templates.iter().find(|name| *name == "busybox");
            let template = busybox.or(usual).cloned().unwrap_or_else(|| first(Choices::LxcTemplates));
            typed.with(Field::Source, "template").with(Field::Template, template)
        }
        BackendKind::Crun => {
            let source = match (names(Choices::Layouts), names(Choices::Bundles)) {
                ([], [_, ..]) => "bundle",
                ([_, ..], _) => "layout",
                ([], []) => "image",
            };
            typed
                .with(Field::Source, source)
                .with(Field::Layout, first(Choices::Layouts))
                .with(Field::Bundle, first(Choices::Bundles))
        }
        BackendKind::ProxmoxLxc => typed
            .with(Field::Source, "template")
            .with(Field::Template, first(Choices::OsTemplates))
            .with(Field::Disk, "8G")
            .with(Field::Memory, "512M")
            .with(Field::Swap, "512M")
            .with(Field::Cpu, "1")
            .with(Field::Bridge, first(Choices::Bridges))
            .with(Field::Address, if first(Choices::Bridges).is_empty() { "" } else { "dhcp" }),
        BackendKind::ProxmoxVm => {
            let source = match (names(Choices::DiskImages), names(Choices::Isos)) {
                ([_, ..], _) => "cloud-image",
                ([], [_, ..]) => "iso",
                ([], []) => "empty",
            };
            typed
                .with(Field::Source, source)
                .with(Field::CloudImage, first(Choices::DiskImages))
                .with(Field::Iso, first(Choices::Isos))
                .with(Field::Disk, "16G")
                .with(Field::Memory, "2G")
                .with(Field::Cpu, "2")
                .with(Field::Bridge, first(Choices::Bridges))
        }
    }
}

/// Whether this field stands in the first step.
pub fn is_in_what(field: Field, typing: &Typing) -> bool {
    let is_first = matches!(field, Field::Name | Field::Backend | Field::Source);
    let kind = typing.typed.with_untracked(|typed| typed.text(Field::Backend).parse::<BackendKind>());
    let of_kind = kind.ok().into_iter().flat_map(form::new_fields);
    is_first || of_kind.filter(|it| it.step == Step::What).any(|it| it.parameter.field == field)
}
