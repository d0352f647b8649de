//! The last step: exactly what the creation will run.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use super::{HERE, Steps, asked_for};
use crate::{
    api::{
        ApiError, CreateError,
        guests::{CreateGuest, CreatePreview, preview_create},
    },
    domain::{
        action::{Field, GuestAction},
        form::Typed,
    },
    ui::{
        components::{
            field::TextField,
            loaded::Loaded,
            run_form::{Agreement, agree},
        },
        reply::reply,
        typed::of_address,
    },
};

#[component]
pub fn CheckPage() -> impl IntoView {
    let create = ServerAction::<CreateGuest>::new();
    let typed = of_address();
    // As on the page of a plan: anew after a refusal, and not with every change of the host.
    let refused = move || {
        let value = create.value();
        let is_stale = value.with(|reply| matches!(reply, Some(Err(error)) if !is_about_password(error)));
        is_stale.then(|| create.version().get_untracked())
    };
    let preview = reply(move || (asked_for(&typed.read()), refused()), |(typed, _)| preview_create(typed));
    view! {
        <Loaded reply=preview let:preview>
            {view! { <Known preview typed=asked_for(&typed.get_untracked()) create /> }.into_any()}
        </Loaded>
    }
}

fn is_about_password(error: &CreateError) -> bool {
    matches!(&error.error, ApiError::Refused(refusal) if refusal.field() == Some(Field::Password))
}

#[component]
fn Known(preview: CreatePreview, typed: Typed, create: ServerAction<CreateGuest>) -> impl IntoView {
    let CreatePreview { plan, hash, id } = preview;
    let name = typed.text(Field::Name).to_owned();
    let title = if name.is_empty() { "New guest".to_owned() } else { format!("Create {name}") };
    let refused = Signal::derive(move || create.value().get().and_then(Result::err));
    let problem = Signal::derive(move || {
        refused.get().filter(|error| !is_about_password(error)).map(|error| error.error)
    });
    let password_error =
        Signal::derive(move || refused.get().filter(is_about_password).map(|error| error.error.to_string()));
    let back = typed.at(HERE);
    let agreement = Agreement { action: GuestAction::Create, confirm: None, plan, hash, back: back.clone() };
    let hidden = typed
        .pairs()
        .map(|(name, value)| {
            view! { <input type="hidden" name=format!("form[{name}]") value=value.to_owned() /> }
        })
        .collect_view();
    let password = typed.is_on(Field::WithPassword).then(|| {
        view! {
            <TextField
                id="password"
                name="password"
                label="Password of the new guest"
                kind="password"
                autocomplete="new-password"
                error=password_error
            />
        }
    });
    let form = agree(agreement, problem, |fields| {
        view! {
            <ActionForm action=create attr:class="form confirm">
                {hidden}
                {password}
                {fields}
            </ActionForm>
        }
        .into_any()
    });
    view! {
        <Title text=title.clone() />
        <header class="head">
            <div class="head-words">
                <h1 class="long">{title}</h1>
                <p class="head-facts">
                    {id.map(|id| view! { <span class="id">{format!("as {id}")}</span> })}
                    <a class="link" href=back>
                        "Change what is asked for"
                    </a>
                </p>
            </div>
        </header>
        <Steps at=Signal::stored(2) />
        <div class="narrow">{form}</div>
    }
}
