//! Before an action on many guests: what it would run on each of them, and which would be left out.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_location;

use crate::{
    api::guests::{ActOnAll, BulkPreview, preview_all},
    domain::{action::GuestAction, view::BulkPart},
    ui::{
        components::{
            badge::BackendChip,
            banner::{Banner, Tone},
            guest_actions::glyph,
            hash::ShortHash,
            icon::{Glyph, Icon},
            loaded::{ActionProblem, Loaded},
            plan_view::PlanBody,
            run_form::{Changed, is_about_plan},
        },
        pages::not_found::Missing,
        reply::reply,
    },
};

/// Plans of so many guests stand open; of more, each is opened when it is looked at.
const OPEN: usize = 5;

/// What the address asks for.
#[derive(Clone, PartialEq, Eq, Default)]
struct Asked {
    action: Option<GuestAction>,
    /// Each as `BACKEND/NAME`.
    guests: Vec<String>,
}

impl Asked {
    /// From `?action=stop&guest=lxc/web1&guest=lxc/web2`, as the browser has it.
    fn parse(search: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in form_urlencoded::parse(search.trim_start_matches('?').as_bytes()) {
            match &*key {
                "action" => asked.action = value.parse().ok(),
                "guest" => asked.guests.push(value.into_owned()),
                _ => {}
            }
        }
        asked
    }
}

#[component]
pub fn PlanAllPage() -> impl IntoView {
    let search = use_location().search;
    let asked = Memo::new(move |_| Asked::parse(&search.read()));
    let act = ServerAction::<ActOnAll>::new();
    // Read anew as on the page of one plan, and for its reasons.
    let refused = move || {
        let is_refused = act.value().with(|reply| matches!(reply, Some(Err(_))));
        is_refused.then(|| act.version().get_untracked())
    };
    let preview = reply(
        move || (asked.get(), refused()),
        |(asked, _)| async move {
            match asked.action {
                Some(action) if !asked.guests.is_empty() => {
                    preview_all(action, asked.guests, String::new()).await.map(Some)
                }
                _ => Ok(None),
            }
        },
    );
    view! {
        <Loaded reply=preview let:preview>
            {match preview {
                Some(preview) => view! { <Known preview act /> }.into_any(),
                None => {
                    view! {
                        <Missing title="No guest was chosen">
                            <p>"Choose guests in the list, and what is to be done with them."</p>
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
fn Known(preview: BulkPreview, act: ServerAction<ActOnAll>) -> impl IntoView {
    let BulkPreview { action, parts, hash, .. } = preview;
    let count = parts.len();
    let left_out = parts.iter().filter(|part| part.plan.is_err()).count();
    let title = format!("{} {}", action.label(), guests(count));
    let problem = Signal::derive(move || act.value().get().and_then(Result::err));
    let changed = move || problem.get().filter(is_about_plan).map(|_| view! { <Changed /> });
    let elsewhere = Signal::derive(move || problem.get().filter(|error| !is_about_plan(error)));
    let asked: Vec<_> = parts.iter().map(|part| part.guest.to_string()).collect();
    let part = move |part| view! { <Part part open=count <= OPEN /> };
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <header class="head">
                <div class="head-words">
                    <h1 class="long">{title}</h1>
                    <p class="head-facts meta">{tally(count, left_out)}</p>
                </div>
            </header>
            {changed}
            <ActionProblem error=elsewhere />
            {(left_out == count).then(|| view! { <NothingRuns /> })}
            <section class="panel" aria-labelledby="will-run">
                <div class="panel-head">
                    <h2 id="will-run">"What will run"</h2>
                    <span class="meta">"Plan " <ShortHash hash=hash.clone() /></span>
                </div>
                <ul class="plan-parts">{parts.into_iter().map(part).collect_view()}</ul>
            </section>
            <ActionForm action=act attr:class="form confirm">
                <input type="hidden" name="action" value=action.as_str() />
                <input type="hidden" name="plan" value=hash />
                {asked.into_iter().enumerate().map(field).collect_view()}
                <div class="buttons">
                    {(left_out < count).then(|| view! { <Run action /> })}
                    <a class="button" href="/guests">
                        "Cancel"
                    </a>
                </div>
            </ActionForm>
        </div>
    }
}

fn field((index, guest): (usize, String)) -> impl IntoView {
    view! { <input type="hidden" name=format!("guests[{index}]") value=guest /> }
}

#[component]
fn Run(action: GuestAction) -> impl IntoView {
    let class = if action == GuestAction::Delete { "button danger" } else { "button primary" };
    view! {
        <button class=class type="submit">
            <Icon glyph=glyph(action) />
            "Run"
        </button>
    }
}

#[component]
fn NothingRuns() -> impl IntoView {
    view! {
        <Banner tone=Tone::Warning title="This cannot be done with any of them now">
            <p>"Why stands at each."</p>
        </Banner>
    }
}

/// One guest: its plan, or why it would be left out.
#[component]
fn Part(part: BulkPart, open: bool) -> impl IntoView {
    let BulkPart { guest, title, plan } = part;
    let name = title.unwrap_or_else(|| guest.name.to_string());
    match plan {
        Ok(plan) => view! {
            <li>
                <details class="fold" open=open>
                    <summary>
                        <Icon glyph=Glyph::Chevron />
                        <span class="strong long">{name}</span>
                        <BackendChip kind=guest.backend />
                        <span class="meta part-end">{steps(plan.steps.len())}</span>
                    </summary>
                    <PlanBody plan />
                </details>
            </li>
        }
        .into_any(),
        Err(refusal) => view! {
            <li class="left-out">
                <p class="part-words">
                    <Icon glyph=Glyph::Warning />
                    <span class="strong long">{name}</span>
                    <BackendChip kind=guest.backend />
                    <span class="meta part-end">"left out"</span>
                </p>
                <p class="meta long">{refusal.to_string()}</p>
            </li>
        }
        .into_any(),
    }
}

fn guests(count: usize) -> String {
    if count == 1 { "1 guest".to_owned() } else { format!("{count} guests") }
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
}

/// "2 of 3 guests, 1 is left out"
fn tally(count: usize, left_out: usize) -> String {
    match left_out {
        0 => "All of them at once, each as an operation of its own".to_owned(),
        1 => format!("{} of {}, 1 is left out", count - left_out, guests(count)),
        _ => format!("{} of {}, {left_out} are left out", count - left_out, guests(count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_asks_for_one_action_on_guests() {
        let asked = Asked::parse("?action=stop&guest=lxc%2Fweb1&guest=crun/web2&colour=red");
        assert_eq!(asked.action, Some(GuestAction::Stop));
        assert_eq!(asked.guests, ["lxc/web1", "crun/web2"]);
        assert_eq!(Asked::parse("?action=explode").action, None);
        assert!(Asked::parse("") == Asked::default());
    }

    #[test]
    fn what_is_left_out_is_told_beforehand() {
        assert_eq!(tally(3, 1), "2 of 3 guests, 1 is left out");
        assert_eq!(tally(1, 1), "0 of 1 guest, 1 is left out");
        assert_eq!(tally(5, 2), "3 of 5 guests, 2 are left out");
    }
}
