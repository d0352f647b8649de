//! The form's two steps. Only what belongs to the choice of a backend is in the form; what was typed for another is kept beside it.

use leptos::prelude::*;

use super::{HERE, start};
use crate::{
    api::guests::CreateChoices,
    domain::{
        action::Field,
        form::{self, NewField, Parameter, Step, Typed},
        guest::BackendKind,
        host::{Availability, BackendState},
    },
    ui::{
        components::{
            field::TextField,
            icon::{Glyph, Icon},
            parameters::Parameters,
        },
        typed::Typing,
    },
};

#[component]
pub fn Fields(choices: CreateChoices, typing: Typing) -> impl IntoView {
    let kind = Memo::new(move |_| typing.typed.read().text(Field::Backend).parse::<BackendKind>().ok());
    let backends = choices.backends.clone();
    let all = StoredValue::new(choices);
    let last = StoredValue::new(kind.get_untracked());
    // Made anew with another backend, from what was typed so far and what is usual there.
    let of_kind = move |step: Step| {
        kind.get().map(|kind| {
            if last.get_value() != Some(kind) {
                last.set_value(Some(kind));
                let usual = all.with_value(|choices| start::defaults(choices, kind));
                typing.restart(merged(&usual, &typing.typed.get_untracked()));
            }
            let choices = all.with_value(|choices| choices.of(kind).to_vec());
            view! { <OfKind kind step typing choices /> }
        })
    };
    let chosen = typing.start().text(Field::Backend).to_owned();
    let name = typing.start().get(Field::Name).unwrap_or_default().to_owned();
    view! {
        <fieldset class="step-fields what">
            <legend class="unseen">"What"</legend>
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
                <Message error=typing.wrong(Field::Backend) />
                // Without JavaScript the fields of another backend are asked for.
                <button class="button small unscripted" type="submit" formaction=HERE>
                    "Show its fields"
                </button>
            </fieldset>
            <TextField
                id="name"
                name="name"
                label="Name"
                value=name
                mono=true
                hint="Letters from a to z, digits, dots, underscores and dashes; 63 at most. It becomes the host name."
                error=typing.wrong(Field::Name)
            />
            {move || of_kind(Step::What)}
        </fieldset>
        <fieldset class="step-fields how-big">
            <legend class="unseen">"How big"</legend>
            {move || of_kind(Step::HowBig)}
        </fieldset>
    }
}

/// What was typed, over what is usual; but for what one backend takes from the host and another cannot have.
fn merged(usual: &Typed, typed: &Typed) -> Typed {
    let typed = typed.clone().without(Field::Source).without(Field::Template).without(Field::Image);
    Typed::from_pairs(usual.pairs().chain(typed.pairs().filter(|(_, value)| !value.is_empty())))
}

/// What was typed for another backend goes along, so that it is there when one goes back to that.
fn elsewhere(kind: BackendKind, typed: &Typed) -> Vec<(String, String)> {
    let shown: Vec<Field> = [Field::Name, Field::Backend, Field::Source, Field::Step]
        .into_iter()
        .chain(form::new_fields(kind).into_iter().map(|it| it.parameter.field))
        .collect();
    let is_shown = |name: &str| shown.iter().any(|field| field.as_str() == name);
    let others = typed.pairs().filter(|(name, value)| !is_shown(name) && !value.is_empty());
    others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[component]
fn OfKind(
    kind: BackendKind,
    step: Step,
    typing: Typing,
    choices: Vec<(form::Choices, Vec<String>)>,
) -> impl IntoView {
    let sources = form::sources(kind);
    let of_step: Vec<NewField> = form::new_fields(kind).into_iter().filter(|it| it.step == step).collect();
    let radios = (step == Step::What && sources.len() > 1).then(|| {
        let chosen = typing.start().text(Field::Source).to_owned();
        view! {
            <fieldset class="field" id="source">
                <legend>"Made from"</legend>
                <div class="segments">
                    {sources
                        .iter()
                        .map(|(value, label)| {
                            view! { <Radio name="source" value label checked=*value == chosen /> }
                        })
                        .collect_view()}
                </div>
                <Message error=typing.wrong(Field::Source) />
            </fieldset>
        }
    });
    let sourceless = (step == Step::What && sources.len() == 1)
        .then(|| view! { <input type="hidden" name="source" value=sources[0].0 /> });
    let others = (step == Step::What).then(|| elsewhere(kind, &typing.start())).unwrap_or_default();
    let hidden = |(name, value): (String, String)| view! { <input type="hidden" name=name value=value /> };
    view! {
        {others.into_iter().map(hidden).collect_view()}
        {radios}
        {sourceless}
        {of_step
            .into_iter()
            .map(|NewField { parameter, sources, .. }| {
                let parameters: Vec<Parameter> = vec![parameter];
                let choices = choices.clone();
                view! {
                    <div
                        class="of-source"
                        data-source=(!sources.is_empty()).then(|| sources.join(" "))
                    >
                        <Parameters parameters typing choices />
                    </div>
                }
            })
            .collect_view()}
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
            name="backend"
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
fn Message(#[prop(into)] error: Signal<Option<String>>) -> impl IntoView {
    move || {
        error.get().map(|message| {
            view! {
                <p class="field-error" role="alert">
                    <Icon glyph=Glyph::Warning />
                    {message}
                </p>
            }
        })
    }
}
