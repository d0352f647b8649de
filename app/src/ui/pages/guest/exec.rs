//! A command in the guest: its words as they will be handed over, and what it says while it runs.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use super::{At, Page};
use crate::{
    api::{
        guests::{Act, ActionChoice},
        operations::{CancelOperation, OperationPage, get_operation},
    },
    domain::{
        action::{ActionRequest, Field, GuestAction, Refusal},
        form,
        guest::GuestId,
        spec::Changes,
    },
    ui::{
        components::{
            empty::Empty,
            field::TextField,
            guest_actions::{ActFields, ActionButton, plan_href, why_not},
            icon::Glyph,
            loaded::{ActionProblem, Loaded},
            operation_row::{Outcome, Took},
        },
        live::Live,
        pages::operation::Ran,
        reply::reply,
        typed::{Typing, of_address},
    },
};

#[component]
pub fn Exec(at: At) -> impl IntoView {
    let act = ServerAction::<Act>::new();
    let typing = Typing::new(of_address().get_untracked(), |typed| {
        form::read(GuestAction::Exec, typed, &Changes::default()).err().unwrap_or_default()
    });
    // What runs has an address: to be reloaded, and to be handed to somebody else.
    let navigate = use_navigate();
    let here = format!("/guests/{}/{}/exec", at.backend, at.name);
    Effect::new(move |_| {
        if let Some(Ok(id)) = act.value().get() {
            let query = typing.typed.get_untracked().with(Field::Operation, id.to_string());
            navigate(&query.at(&here), NavigateOptions::default());
        }
    });
    let page = at.page;
    view! {
        <Loaded reply=page let:page>
            {page.map(|page| view! { <Known page act typing /> }).into_any()}
        </Loaded>
        <Said />
    }
}

#[component]
fn Known(page: Page, act: ServerAction<Act>, typing: Typing) -> impl IntoView {
    let guest = page.detail.guest.id.clone();
    let refusal = page.refusal(GuestAction::Exec).cloned();
    let whole = match &refusal {
        Some(Refusal::Unsupported { backend, reason, .. }) => {
            Some((format!("No command can be run in a guest by {}", backend.label()), reason.clone()))
        }
        Some(refusal @ (Refusal::Denied { .. } | Refusal::DeniedByToken { .. })) => {
            Some(("You cannot run commands in it".to_owned(), why_not(refusal)))
        }
        _ => None,
    };
    match whole {
        Some((title, why)) => view! {
            <Empty glyph=Glyph::Prompt title>
                <p>{why}</p>
            </Empty>
        }
        .into_any(),
        None => view! { <CommandForm guest refusal act typing /> }.into_any(),
    }
}

#[component]
fn CommandForm(
    guest: GuestId,
    refusal: Option<Refusal>,
    act: ServerAction<Act>,
    typing: Typing,
) -> impl IntoView {
    let start = typing.start();
    let started = move |field: Field| start.get(field).unwrap_or_default().to_owned();
    let error = Signal::derive(move || act.value().get().and_then(Result::err));
    let plan = plan_href(&guest, GuestAction::Exec);
    let choice = ActionChoice { action: GuestAction::Exec, refusal };
    view! {
        <ActionProblem error />
        <section class="panel" aria-labelledby="exec">
            <h2 id="exec">"Run a command"</h2>
            <ActionForm
                action=act
                attr:class="form command-form"
                on:input=move |event| typing.on_input(&event)
                on:submit:capture=move |event| typing.check(&event)
            >
                <ActFields guest action=GuestAction::Exec />
                <div class="command-line">
                    <TextField
                        id="command"
                        name="fields[command]"
                        label="Command"
                        value=started(Field::Command)
                        mono=true
                        placeholder="ls -l /"
                        hint="The program and its words, parted as a shell would. No shell takes part: nothing is expanded or piped."
                        error=typing.wrong(Field::Command)
                    />
                    <TextField
                        id="timeout"
                        name="fields[timeout]"
                        label="Seconds at most"
                        value=started(Field::Timeout)
                        mono=true
                        placeholder="3600"
                        error=typing.wrong(Field::Timeout)
                    />
                </div>
                <Words typing />
                <div class="buttons">
                    <span class="action">
                        <ActionButton choice main=true label="Run" />
                    </span>
                    <a
                        class="button scripted"
                        href=move || typing.typed.with(|typed| typed.at(&plan))
                    >
                        "Show the plan"
                    </a>
                </div>
            </ActionForm>
        </section>
    }
}

/// The words that the guest will be handed, each by itself.
#[component]
fn Words(typing: Typing) -> impl IntoView {
    let words = move || {
        let read = typing.typed.with(|typed| form::read(GuestAction::Exec, typed, &Changes::default()));
        match read {
            Ok(ActionRequest::Exec { command, .. }) => command,
            _ => Vec::new(),
        }
    };
    let word = |word: String| view! { <li>{crate::ui::text::visible(&word)}</li> };
    move || {
        let words = words();
        (!words.is_empty()).then(|| {
            view! {
                <div class="argv">
                    <span class="meta">{format!("Handed over as {}", counted(words.len()))}</span>
                    <ol>{words.into_iter().map(word).collect_view()}</ol>
                </div>
            }
        })
    }
}

fn counted(words: usize) -> String {
    if words == 1 { "one word".to_owned() } else { format!("{words} words") }
}

/// What the command that the address names has said so far, and how it ended.
#[component]
fn Said() -> impl IntoView {
    let live = expect_context::<Live>();
    let query = use_query_map();
    let id = Memo::new(move |_| query.read().get("operation").unwrap_or_default());
    let cancel = ServerAction::<CancelOperation>::new();
    let follow = RwSignal::new(true);
    let page = reply(
        move || (id.get(), live.version(), cancel.version().get()),
        |(id, ..)| async move { if id.is_empty() { Ok(None) } else { get_operation(id).await } },
    );
    view! {
        <Loaded reply=page let:page>
            {page.map(|page| view! { <Shown page cancel follow /> }).into_any()}
        </Loaded>
    }
}

#[component]
fn Shown(
    page: OperationPage,
    cancel: ServerAction<CancelOperation>,
    follow: RwSignal<bool>,
) -> impl IntoView {
    let OperationPage { now_ms, operation, can_cancel, .. } = page;
    let summary = operation.summary.clone();
    view! {
        <section class="said">
            <p class="head-facts" role="status">
                <Outcome deed=summary.action.clone() state=summary.state />
                <span class="meta figures">
                    <Took operation=summary.clone() now_ms />
                </span>
                <a class="link" href=summary.id.href()>
                    {format!("#{} in the history", summary.id)}
                </a>
                {can_cancel
                    .then(|| {
                        view! {
                            <ActionForm action=cancel>
                                <input type="hidden" name="id" value=summary.id.to_string() />
                                <button class="button small" type="submit">
                                    "Cancel"
                                </button>
                            </ActionForm>
                        }
                    })}
            </p>
            <Ran operation follow />
        </section>
    }
}
