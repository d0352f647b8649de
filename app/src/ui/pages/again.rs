//! An operation planned again: what was asked for then, as it would run now.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    api::operations::{Again, DoAgain, plan_again},
    ui::{
        components::{
            loaded::Loaded,
            run_form::{Agreement, agree, is_about_confirm},
        },
        pages::not_found::Missing,
        reply::reply,
    },
};

#[component]
pub fn AgainPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let act = ServerAction::<DoAgain>::new();
    // Read anew as on the page of a plan, and for its reasons.
    let refused = move || {
        let value = act.value();
        let is_stale = value.with(|reply| matches!(reply, Some(Err(error)) if !is_about_confirm(error)));
        is_stale.then(|| act.version().get_untracked())
    };
    let again = reply(move || (id(), refused()), |(id, _)| plan_again(id));
    view! {
        <Loaded reply=again let:again>
            {match again {
                Some(again) => view! { <Known again act /> }.into_any(),
                None => {
                    view! {
                        <Missing title=format!("There is nothing to plan again as #{}", id())>
                            <p>
                                "Only what Paddock was asked for, of one guest, can be planned again."
                            </p>
                            <a class="button" href="/history">
                                "Go to the history"
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
fn Known(again: Again, act: ServerAction<DoAgain>) -> impl IntoView {
    let Again { operation, action, name, plan, hash, confirm } = again;
    let title = format!("{} {name} again", action.label());
    let problem = Signal::derive(move || act.value().get().and_then(Result::err));
    let agreement = Agreement { action, confirm, plan, hash, back: operation.href() };
    let form = agree(agreement, problem, |fields| {
        view! {
            <ActionForm action=act attr:class="form confirm">
                <input type="hidden" name="id" value=operation.to_string() />
                {fields}
            </ActionForm>
        }
        .into_any()
    });
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{title}</h1>
                    <p class="head-facts">
                        <a class="link" href=operation.href()>
                            {format!("as #{operation} was")}
                        </a>
                    </p>
                </div>
            </header>
            {form}
        </div>
    }
}
