//! Before a guest is deleted: what will run, what is lost, and its name to be typed.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::{
        ApiError,
        guests::{Act, Preview, preview_action},
    },
    domain::action::{Field, GuestAction},
    ui::{
        components::{
            badge::{BackendChip, StatusBadge},
            banner::{Banner, Tone},
            field::TextField,
            guest_actions::ActFields,
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
            plan_view::PlanView,
        },
        pages::not_found::Missing,
    },
};

#[component]
pub fn DeletePage() -> impl IntoView {
    let params = use_params_map();
    let part = move |name: &str| params.read().get(name).unwrap_or_default();
    let act = ServerAction::<Act>::new();
    // Read once: a page that is made anew would lose the name that is just being typed. What changes meanwhile is
    // found by the server, which plans again before it deletes.
    let preview = Resource::new(
        move || (part("backend"), part("name")),
        |(backend, name)| preview_action(backend, name, GuestAction::Delete),
    );
    view! {
        <Loaded reply=preview let:preview>
            {match preview {
                Some(preview) => view! { <Known preview act /> }.into_any(),
                None => {
                    view! {
                        <Missing title=format!(
                            "There is no guest {}/{}",
                            part("backend"),
                            part("name"),
                        )>
                            <p>"It may be gone already."</p>
                            <a class="button" href="/guests">
                                "Go to the guests"
                            </a>
                        </Missing>
                    }
                        .into_any()
                }
            }}
        </Loaded>
    }
}

#[component]
fn Known(preview: Preview, act: ServerAction<Act>) -> impl IntoView {
    let Preview { guest, plan, .. } = preview;
    let name = guest.label().to_owned();
    let href = guest.id.href();
    let error = move || act.value().get().and_then(Result::err);
    let is_confirm = |error: &ApiError| matches!(error, ApiError::Refused(refusal) if refusal.field() == Some(Field::Confirm));
    let at_field = Signal::derive(move || error().filter(is_confirm).map(|error| error.to_string()));
    let elsewhere = Signal::derive(move || error().filter(|error| !is_confirm(error)));
    view! {
        <Title text=format!("Delete {name}") />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{format!("Delete {name}")}</h1>
                    <p class="head-facts">
                        <StatusBadge status=guest.status />
                        <BackendChip kind=guest.id.backend />
                    </p>
                </div>
            </header>
            <ActionProblem error=elsewhere />
            {match plan {
                Ok(plan) => {
                    view! {
                        <PlanView plan />
                        <ActionForm action=act attr:class="form confirm">
                            <ActFields guest=guest.id action=GuestAction::Delete />
                            <TextField
                                id="confirm"
                                name="confirm"
                                label=format!("Type “{name}” to confirm")
                                mono=true
                                error=at_field
                            />
                            <div class="buttons">
                                <button class="button danger" type="submit">
                                    <Icon glyph=Glyph::Delete />
                                    "Delete"
                                </button>
                                <a class="button" href=href>
                                    "Cancel"
                                </a>
                            </div>
                        </ActionForm>
                    }
                        .into_any()
                }
                Err(refusal) => {
                    view! {
                        <Banner tone=Tone::Warning title="This cannot be done now">
                            <p>{refusal.to_string()}</p>
                        </Banner>
                        <div class="buttons">
                            <a class="button" href=href>
                                "Back to the guest"
                            </a>
                        </div>
                    }
                        .into_any()
                }
            }}
        </div>
    }
}
