//! How the guest is set: what can be changed of it, what waits for its next start, and the file itself.

use leptos::prelude::*;

use super::{At, Page};
use crate::{
    domain::{
        action::{GuestAction, Refusal},
        form::{self, Typed},
        guest::{BackendKind, ConfigText, Pending},
        spec::Changes,
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            empty::Empty,
            guest_actions::{plan_href, why_not},
            icon::{Glyph, Icon},
            loaded::Loaded,
            parameters::Parameters,
            table::Table,
        },
        text,
        typed::{Typing, of_address},
    },
};

#[component]
pub fn Configuration(at: At) -> impl IntoView {
    let page = at.page;
    // Made once the settings are known, and then kept: what is being typed outlives each change of the host.
    let typing = StoredValue::new(None::<Typing>);
    let asked = of_address().get_untracked();
    let owner = Owner::current();
    view! {
        <Loaded reply=page let:page>
            {page
                .map(|page| {
                    let kind = page.detail.guest.id.backend;
                    let start = || {
                        let typing = || typing_of(kind, &page.detail.settings, &asked);
                        owner.as_ref().map_or_else(typing, |owner| owner.with(typing))
                    };
                    let typing = typing
                        .try_update_value(|kept| *kept.get_or_insert_with(start))
                        .unwrap_or_else(|| typing_of(kind, &page.detail.settings, &asked));
                    view! { <Known page typing /> }
                })
                .into_any()}
        </Loaded>
    }
}

/// The form starts with what is set, and over that what the address asks for.
fn typing_of(kind: BackendKind, settings: &Changes, asked: &Typed) -> Typing {
    let settings = settings.clone();
    let shown = form::shown(kind, &settings);
    let typing = Typing::new(shown.clone(), move |typed| {
        form::read(GuestAction::Configure, typed, &settings).err().unwrap_or_default()
    });
    let fields: Vec<_> = form::changeable(kind).iter().map(|field| field.as_str()).collect();
    let known = |name: &str| fields.contains(&name);
    let asked = asked.pairs().filter(|(name, _)| known(name));
    typing.typed.set(Typed::from_pairs(shown.pairs().chain(asked)));
    typing
}

#[component]
fn Known(page: Page, typing: Typing) -> impl IntoView {
    let refusal = page.refusal(GuestAction::Configure).cloned();
    let guest = page.detail.guest;
    if let Some(why) = refusal.as_ref().filter(|refusal| is_denied(refusal)).map(why_not) {
        return view! {
            <Empty glyph=Glyph::Lock title="You cannot see or change how it is set">
                <p>{why}</p>
            </Empty>
        }
        .into_any();
    }
    let why_refused = refusal.as_ref().map(why_not);
    let parameters = form::parameters(guest.id.backend, GuestAction::Configure);
    let refused = refusal.is_some();
    view! {
        <Waiting pending=page.detail.pending />
        <div class="columns">
            <section class="panel" aria-labelledby="settings">
                <h2 id="settings">"Settings"</h2>
                <form
                    class="form"
                    method="get"
                    action=plan_href(&guest.id, GuestAction::Configure)
                    on:input=move |event| typing.on_input(&event)
                    on:submit=move |event| typing.check(&event)
                >
                    <Parameters parameters typing />
                    <div class="buttons">
                        <span class="action">
                            <button
                                class="button primary"
                                type=if refused { "button" } else { "submit" }
                                aria-disabled=refused.then_some("true")
                                aria-describedby=refused.then_some("tip-change")
                            >
                                <Icon glyph=Glyph::Settings />
                                "Show what would change"
                            </button>
                            {why_refused
                                .map(|why| {
                                    view! {
                                        <span class="tip" role="tooltip" id="tip-change">
                                            {why}
                                        </span>
                                    }
                                })}
                        </span>
                    </div>
                </form>
            </section>
            {page.detail.config.map(|config| view! { <Config config /> })}
        </div>
    }
    .into_any()
}

fn is_denied(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Denied { .. } | Refusal::DeniedByToken { .. })
}

/// What is another value from the next start on.
#[component]
fn Waiting(pending: Vec<Pending>) -> impl IntoView {
    let value = |value: Option<String>| match value {
        Some(value) => view! { <span class="mono">{value}</span> }.into_any(),
        None => view! { <span class="meta">"not set"</span> }.into_any(),
    };
    let row = move |Pending { label, now, next }: Pending| {
        view! {
            <tr>
                <th scope="row" class="strong">
                    {label}
                </th>
                <td data-label="Now">{value(now)}</td>
                <td data-label="From the next start on">{value(next)}</td>
            </tr>
        }
    };
    (!pending.is_empty()).then(|| {
        view! {
            <Banner tone=Tone::Warning title="Some of it waits for the next start">
                <Table columns=&["Setting", "Now", "From the next start on"] action=None>
                    {pending.into_iter().map(row).collect_view()}
                </Table>
            </Banner>
        }
    })
}

/// As it is on disk.
#[component]
fn Config(config: ConfigText) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby="config">
            <div class="panel-head">
                <h2 id="config">"As it is on disk"</h2>
                <code class="meta long">{config.path}</code>
            </div>
            <pre class="output" tabindex="0" aria-label="Configuration">
                {text::visible(&config.text)}
            </pre>
            {config
                .cut
                .then(|| {
                    view! { <p class="meta">"The file is longer; this is its beginning."</p> }
                })}
        </section>
    }
}
