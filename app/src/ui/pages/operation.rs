//! One operation: what ran, to the letter, what it said, how it ended, and where that is proved.

mod parts;
mod record;

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use parts::Parts;
use record::{Facts, Record};

use crate::{
    api::operations::{CancelOperation, OperationPage as Page, get_operation},
    domain::{
        operation::{Deed, GuestAfter, Operation, OperationSummary},
        plan::Work,
        words,
    },
    ui::{
        components::{
            ago::Ago,
            badge::{BackendChip, StepState},
            banner::{Banner, Tone},
            command::Copy,
            fold::Fold,
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
            log::Log,
            operation_row::{OriginMark, Outcome, Took, Who},
            step_row::{StepRow, state_of},
        },
        live::Live,
        pages::{guest::Refresh, not_found::Missing},
        reply::reply,
        said::Saying,
        text,
    },
};

/// What of the page outlives the data it shows, as that is drawn anew with each answer.
#[derive(Clone, Copy)]
struct Kept {
    cancel: ServerAction<CancelOperation>,
    /// Whether the log keeps to its end.
    follow: RwSignal<bool>,
    script_open: StoredValue<bool>,
    /// The operation whose end is shown: nothing of it changes any more.
    ended: StoredValue<Option<String>>,
    /// What it says meanwhile.
    saying: Saying,
}

const NO_PLAN: &str = "Paddock was not asked for this, so there is no plan of it.";

#[component]
pub fn OperationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let id = move || params.read().get("id").unwrap_or_default();
    let kept = Kept {
        cancel: ServerAction::new(),
        follow: RwSignal::new(true),
        script_open: StoredValue::new(false),
        ended: StoredValue::new(None),
        saying: Saying::listen(),
    };
    let version = move || {
        let ended = kept.ended.get_value().is_some_and(|ended| ended == id());
        // One that is listened to tells by itself when it has changed.
        (!ended && !kept.saying.is_listening()).then(|| live.version())
    };
    let page = reply(
        move || (id(), version(), kept.saying.changed(), kept.cancel.version().get()),
        |(id, ..)| get_operation(id),
    );
    view! {
        <Loaded reply=page let:page>
            {match page {
                Some(page) => view! { <Known page kept /> }.into_any(),
                None => {
                    view! {
                        <Missing title=format!("There is no operation #{}", id())>
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
fn Known(page: Page, kept: Kept) -> impl IntoView {
    let Page { now_ms, operation, can_cancel, parts, again, script } = page;
    let summary = operation.summary.clone();
    let live = summary.state.is_live();
    let alone = summary.children.is_none().then(|| operation.clone());
    Effect::new(move |_| {
        if let Some(operation) = &alone {
            kept.saying.page_is(operation);
        }
    });
    kept.ended.set_value((!live).then(|| summary.id.to_string()));
    let error = Signal::derive(move || kept.cancel.value().get().and_then(Result::err));
    let failure = summary.failure.clone().map(|why| {
        view! {
            <Banner
                tone=Tone::Bad
                title=words::sentence(&words::came_to(&summary.action, summary.state))
            >
                <p class="long lines">{text::visible(&why)}</p>
            </Banner>
        }
    });
    let whole = match summary.children {
        Some(asked) => view! { <Parts parts asked live now_ms /> }.into_any(),
        None => {
            view! { <Ran operation=operation.clone() follow=kept.follow saying=kept.saying /> }.into_any()
        }
    };
    view! {
        {live.then(|| view! { <Refresh /> })}
        <header class="head">
            <Heading summary=summary.clone() now_ms />
            <div class="buttons">
                {again
                    .filter(|_| !live)
                    .map(|href| {
                        view! {
                            <a class="button" href=href>
                                <Icon glyph=Glyph::Reboot />
                                "Do it again"
                            </a>
                        }
                    })}
                {can_cancel
                    .then(|| {
                        view! {
                            <ActionForm action=kept.cancel>
                                <input type="hidden" name="id" value=summary.id.to_string() />
                                <button class="button danger-text" type="submit">
                                    "Cancel"
                                </button>
                            </ActionForm>
                        }
                    })}
            </div>
        </header>
        <ActionProblem error />
        {failure}
        <div class="with-aside">
            <div class="stack">
                {whole}
                {script.map(|text| view! { <Script text operation=operation.clone() kept /> })}
            </div>
            <div class="stack">
                <Facts summary ledger=operation.ledger.clone() />
                <Record operation />
            </div>
        </div>
    }
}

#[component]
fn Heading(summary: OperationSummary, now_ms: i64) -> impl IntoView {
    let name = summary.on_what();
    let took = view! { <Took operation=summary.clone() now_ms /> };
    let OperationSummary { id, origin, guest, action, actor, state, started_ms, guest_after, .. } = summary;
    let there = guest.as_ref().filter(|_| guest_after != Some(GuestAfter::Gone));
    let subject = match there {
        Some(guest) => view! { <a href=guest.href()>{name.clone()}</a> }.into_any(),
        None => name.clone().into_any(),
    };
    let label = action.label();
    // A change that was seen is told as one: nobody says to a guest "seen running".
    let (before, after) = match &action {
        Deed::Observed(_) => (String::new(), format!(" {}", label.to_ascii_lowercase())),
        _ => (format!("{label} "), String::new()),
    };
    view! {
        <Title text=format!("#{id} {before}{name}{after}") />
        <div class="head-words">
            <h1 class="long">{before} {subject} {after}</h1>
            <p class="head-facts">
                <Outcome deed=action.clone() state />
                {guest.map(|guest| view! { <BackendChip kind=guest.backend /> })}
                <OriginMark origin />
                <span class="id">{format!("#{id}")}</span>
                <span class="meta">"by " <Who actor /></span>
                <span class="meta">
                    <Ago at_ms=started_ms now_ms />
                </span>
                <span class="meta figures">{took}</span>
            </p>
        </div>
    }
}

/// The steps with what they said; for what Paddock did not do, what is known of it.
#[component]
pub fn Ran(
    operation: Operation,
    /// Whether the log keeps to its end.
    follow: RwSignal<bool>,
    saying: Saying,
) -> impl IntoView {
    let Operation { summary, plan, outcomes, output, output_end, .. } = operation;
    let live = summary.state.is_live();
    let count = plan.steps.len();
    let others_since = move || saying.since(output_end).into_iter().filter(move |piece| piece.step >= count);
    let (of_steps, others): (Vec<_>, Vec<_>) = output.into_iter().partition(|chunk| chunk.step < count);
    let steps = plan.steps.into_iter().enumerate().map(|(index, step)| {
        let outcome = outcomes.get(index).cloned();
        let is_next = summary.running_ms.is_some() && index == outcomes.len();
        let state = state_of(outcome.as_ref(), live && is_next);
        let said = of_steps.iter().filter(|chunk| chunk.step == index).cloned().collect::<Vec<_>>();
        let running = state == StepState::Running;
        let said = Signal::derive(move || {
            let mut said = said.clone();
            if running {
                said.extend(saying.since(output_end).into_iter().filter(|piece| piece.step == index));
            }
            said
        });
        view! { <StepRow step outcome state said follow /> }
    });
    let (title, unplanned) = match summary.action {
        Deed::Observed(_) => {
            ("What was seen", "Only the change was seen. What brought it about is not known.")
        }
        _ if live => ("What runs", NO_PLAN),
        _ => ("What ran", NO_PLAN),
    };
    view! {
        <section class="panel" aria-labelledby="ran">
            <h2 id="ran">{title}</h2>
            {if count == 0 {
                view! { <p class="meta">{unplanned}</p> }.into_any()
            } else {
                view! { <ol class="steps">{steps.collect_view()}</ol> }.into_any()
            }}
            <Log
                chunks=Signal::derive(move || {
                    let mut all = others.clone();
                    if live {
                        all.extend(others_since());
                    }
                    all
                })
                dropped_bytes=0
                live
                follow
            />
        </section>
    }
}

/// What ran, as a script for one's own shell.
#[component]
fn Script(text: String, operation: Operation, kept: Kept) -> impl IntoView {
    let is_calls = operation.plan.steps.iter().all(|step| matches!(step.work, Work::Api(_)));
    let title = if is_calls { "Copy as curl" } else { "Copy as shell" };
    view! {
        <Fold title open=kept.script_open>
            <div class="copied">
                <pre class="output" tabindex="0" aria-label=title>
                    {text.clone()}
                </pre>
                <Copy text what="script" />
            </div>
        </Fold>
    }
}
