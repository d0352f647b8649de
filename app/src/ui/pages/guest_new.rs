//! A new guest: which backend, what name, made from what.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use crate::{
    api::{
        ApiError, CreateError,
        guests::{CreateChoices, CreateForm, CreateGuest, get_choices},
    },
    domain::{
        action::Field,
        guest::BackendKind,
        host::{Availability, BackendState},
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            field::{FieldError, SelectField, TextArea, TextField},
            loaded::{ActionProblem, Loaded},
        },
        keys,
        reply::reply,
    },
};

/// The refused form, if there is one.
type Refused = Signal<Option<CreateError>>;

#[component]
pub fn NewGuestPage() -> impl IntoView {
    let create = ServerAction::<CreateGuest>::new();
    let choices = reply(|| (), |()| get_choices());
    let refused: Refused = Signal::derive(move || create.value().get().and_then(Result::err));
    focus_error(refused);
    view! {
        <Title text="New guest" />
        <div class="narrow">
            <header class="head">
                <h1>"New guest"</h1>
            </header>
            <Loaded reply=choices let:choices>
                {view! { <NewGuest choices create refused /> }.into_any()}
            </Loaded>
        </div>
    }
}

/// Takes the person to the field that the message is about.
fn focus_error(refused: Refused) {
    Effect::new(move |_| {
        if let Some(field) = refused.get().as_ref().and_then(field_of) {
            keys::focus(id_of(field));
        }
    });
}

fn field_of(refused: &CreateError) -> Option<Field> {
    match &refused.error {
        ApiError::Refused(refusal) => refusal.field(),
        _ => None,
    }
}

fn id_of(field: Field) -> &'static str {
    match field {
        Field::Template => "template",
        Field::Arguments => "arguments",
        Field::Metadata => "metadata",
        Field::Rootfs => "rootfs",
        Field::Bundle => "bundle",
        Field::Backend => "backend",
        _ => "name",
    }
}

/// The message at this field.
fn at(refused: Refused, field: Field) -> FieldError {
    Signal::derive(move || {
        let refused = refused.get()?;
        (field_of(&refused) == Some(field)).then(|| refused.error.to_string())
    })
}

/// What the form starts with: what was typed before it was refused, else what is most likely.
fn start(choices: &CreateChoices, refused: Refused) -> CreateForm {
    let mut form = refused.get_untracked().map(|refused| refused.form).unwrap_or_default();
    if form.backend.is_empty() {
        let usable = choices.backends.iter().find(|backend| backend.availability.is_available());
        form.backend = usable.map_or(BackendKind::Lxc, |backend| backend.kind).to_string();
    }
    if form.source.is_empty() {
        form.source = "template".to_owned();
    }
    if form.template.is_empty() && choices.options.lxc_templates.iter().any(|name| name == "busybox") {
        form.template = "busybox".to_owned();
    }
    if form.bundle.is_empty() && refused.get_untracked().is_none() {
        form.bundle = choices.options.crun_bundles.first().cloned().unwrap_or_default();
    }
    form
}

#[component]
fn NewGuest(choices: CreateChoices, create: ServerAction<CreateGuest>, refused: Refused) -> impl IntoView {
    let form = start(&choices, refused);
    let CreateChoices { backends, options, refusal } = choices;
    let general = Signal::derive(move || {
        refused.get().filter(|refused| field_of(refused).is_none()).map(|refused| refused.error)
    });
    let chosen = form.backend.clone();
    view! {
        {refusal
            .map(|refusal| {
                view! {
                    <Banner tone=Tone::Warning title="You cannot create guests now">
                        <p>{refusal.to_string()}</p>
                    </Banner>
                }
            })}
        <ActionProblem error=general />
        <ActionForm action=create attr:class="form create">
            <fieldset class="field" id="backend">
                <legend>"Backend"</legend>
                <div class="segments">
                    {backends
                        .iter()
                        .map(|backend| {
                            view! { <BackendRadio backend=backend.clone() chosen=chosen.clone() /> }
                        })
                        .collect_view()}
                </div>
                {backends.into_iter().map(|backend| view! { <WhyNot backend /> }).collect_view()}
                <Message error=at(refused, Field::Backend) />
            </fieldset>
            <TextField
                id="name"
                name="form[name]"
                label="Name"
                value=form.name
                mono=true
                hint="Letters from a to z, digits, dots, underscores and dashes; 63 at most. It becomes the host name."
                error=at(refused, Field::Name)
            />
            <div class="for-lxc">
                <fieldset class="field">
                    <legend>"Made from"</legend>
                    <div class="segments">
                        <Radio
                            name="form[source]"
                            value="template"
                            label="A template"
                            checked=form.source != "local"
                        />
                        <Radio
                            name="form[source]"
                            value="local"
                            label="Archives on the host"
                            checked=form.source == "local"
                        />
                    </div>
                </fieldset>
                <div class="for-template">
                    <SelectField
                        id="template"
                        name="form[template]"
                        label="Template"
                        choices=options.lxc_templates
                        value=form.template
                        error=at(refused, Field::Template)
                    />
                    <TextArea
                        id="arguments"
                        name="form[arguments]"
                        label="Arguments of the template"
                        value=form.arguments
                        hint="One a line, handed over as they are; no shell reads them. Most templates need none."
                        error=at(refused, Field::Arguments)
                    />
                </div>
                <div class="for-local">
                    <TextField
                        id="metadata"
                        name="form[metadata]"
                        label="Image metadata"
                        value=form.metadata
                        mono=true
                        placeholder="/var/lib/images/meta.tar.xz"
                        hint="Absolute path of the archive on the host."
                        error=at(refused, Field::Metadata)
                    />
                    <TextField
                        id="rootfs"
                        name="form[rootfs]"
                        label="Root file system"
                        value=form.rootfs
                        mono=true
                        placeholder="/var/lib/images/rootfs.tar.xz"
                        hint="Absolute path of the archive on the host."
                        error=at(refused, Field::Rootfs)
                    />
                </div>
            </div>
            <div class="for-crun">
                <TextField
                    id="bundle"
                    name="form[bundle]"
                    label="OCI bundle"
                    value=form.bundle
                    mono=true
                    list="bundles"
                    hint="Absolute path of a directory with config.json and a root file system."
                    error=at(refused, Field::Bundle)
                />
                <datalist id="bundles">
                    {options
                        .crun_bundles
                        .into_iter()
                        .map(|bundle| view! { <option value=bundle></option> })
                        .collect_view()}
                </datalist>
            </div>
            <div class="buttons">
                <button
                    class="button primary"
                    type="submit"
                    aria-busy=move || create.pending().get().then_some("true")
                >
                    "Create"
                </button>
                <a class="button" href="/guests">
                    "Cancel"
                </a>
            </div>
        </ActionForm>
    }
}

/// One of a few, as a segment.
#[component]
fn Radio(
    name: &'static str,
    value: &'static str,
    label: &'static str,
    checked: bool,
    #[prop(optional)] disabled: bool,
) -> impl IntoView {
    view! {
        <label class="segment">
            <input type="radio" name=name value=value checked=checked disabled=disabled />
            <span>{label}</span>
        </label>
    }
}

#[component]
fn BackendRadio(backend: BackendState, chosen: String) -> impl IntoView {
    let value = backend.kind.as_str();
    view! {
        <Radio
            name="form[backend]"
            value
            label=backend.kind.label()
            checked=chosen == value
            disabled=!backend.availability.is_available()
        />
    }
}

/// Why a backend cannot be chosen, if so.
#[component]
fn WhyNot(backend: BackendState) -> impl IntoView {
    match backend.availability {
        Availability::Available { .. } => None,
        Availability::Unavailable { reason, cure } => Some(view! {
            <p class="field-hint">
                {format!("{} is unavailable: {reason} {cure}", backend.kind.label())}
            </p>
        }),
    }
}

#[component]
fn Message(error: FieldError) -> impl IntoView {
    move || {
        error.get().map(|message| {
            view! {
                <p class="field-error" role="alert">
                    {message}
                </p>
            }
        })
    }
}
