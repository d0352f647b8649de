//! Who had which role when: at a chosen moment, and every change.

use leptos::{either::Either, prelude::*};
use leptos_router::{hooks::use_query_map, location::Url};

use super::{Tabs, until, user_href};
use crate::{
    api::access::{PastPage as Page, get_past},
    domain::{
        access::{Held, Recorded},
        words,
    },
    ui::{
        components::{
            ago::{Ago, Exact},
            banner::{Banner, Tone},
            empty::Empty,
            field::TextField,
            icon::Glyph,
            loaded::Loaded,
            table::Table,
        },
        live::Live,
        reply::reply,
    },
};

const HERE: &str = "/access/history";

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    at: String,
    user: String,
    before: Option<i64>,
}

#[component]
pub fn PastPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        Asked {
            at: query.get("at").unwrap_or_default(),
            user: query.get("user").unwrap_or_default(),
            before: query.get("before").and_then(|text| text.parse().ok()),
        }
    });
    let live = expect_context::<Live>();
    let ask = |(asked, _): (Asked, u64)| get_past(asked.at, asked.user, asked.before);
    let past = reply(move || (asked.get(), live.version()), ask);
    view! {
        <Tabs here=HERE />
        <Loaded reply=past let:page>
            {content(page, asked.get_untracked())}
        </Loaded>
    }
}

fn content(page: Page, asked: Asked) -> AnyView {
    let Page { now_ms, since, at, held, changes, older, unreadable, differences, names } = page;
    let error = at.as_ref().err().cloned();
    let shown = at.ok().map(|at_ms| {
        let is_now = asked.at.trim().is_empty();
        view! { <Moment at_ms is_now held user=asked.user.clone() now_ms /> }
    });
    let reach = since.map(|since| {
        view! {
            <p class="meta">
                "Known since " <Exact at_ms=since.at_ms /> {format!(", {}.", since.why.words())}
            </p>
        }
    });
    view! {
        {(!differences.is_empty()).then(|| differs(&differences))}
        {(!unreadable.is_empty()).then(|| unread(&unreadable))}
        <Form asked=asked.clone() names error />
        {reach}
        {shown}
        <section class="part" aria-labelledby="changes">
            <h2 id="changes">"Changes"</h2>
            <Changes changes older asked />
        </section>
    }
    .into_any()
}

fn differs(differences: &[String]) -> impl IntoView + use<> {
    let mut list = differences.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
    if differences.len() > 5 {
        list += &format!("; and {} more", differences.len() - 5);
    }
    view! {
        <Banner tone=Tone::Bad title="Rights are not what the ledger says">
            <p>
                {format!(
                    "Somebody changed the database outside Paddock: {list}. What is below is what the ledger says.",
                )}
            </p>
        </Banner>
    }
}

fn unread(entries: &[i64]) -> impl IntoView + use<> {
    let list = entries.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    view! {
        <Banner tone=Tone::Warning title="Not all of it can be read">
            <p>
                {format!(
                    "What the ledger's entries {list} say is not known, so that this may be wrong. See paddock verify.",
                )}
            </p>
        </Banner>
    }
}

/// A GET form, so that the address holds all of it and nothing needs a script.
#[component]
fn Form(asked: Asked, names: Vec<String>, error: Option<String>) -> impl IntoView {
    let option = |name: String| view! { <option value=name></option> };
    view! {
        <form class="ask" method="get" action=HERE role="search" aria-label="Moment and person">
            <TextField
                id="at"
                name="at"
                label="At"
                value=asked.at
                placeholder="now"
                hint="2026-11-26 10:00 (UTC), 7d for 7 days ago, yesterday"
                error=Signal::stored(error)
            />
            <TextField
                id="user"
                name="user"
                label="Person"
                value=asked.user
                placeholder="everybody"
                list="names"
            />
            <datalist id="names">{names.into_iter().map(option).collect_view()}</datalist>
            <button class="button" type="submit">
                "Show"
            </button>
        </form>
    }
}

#[component]
fn Moment(at_ms: i64, is_now: bool, held: Vec<Held>, user: String, now_ms: i64) -> impl IntoView {
    let title = match is_now {
        true => "Who has which role now".to_owned(),
        false => format!("Who had which role at {}", words::exact(at_ms)),
    };
    let mut before = String::new();
    let row = move |it: Held| {
        let again = std::mem::replace(&mut before, it.user.clone()) == it.user;
        let through = match &it.group {
            Some(group) => format!("group {group}, grant {}", it.grant),
            None => format!("their own, grant {}", it.grant),
        };
        let idle = it.idle.map(|idle| view! { <span class="chip">{idle.words()}</span> });
        let by = it.given_by.map(|by| view! { <span class="meta long">{format!("by {by}")}</span> });
        view! {
            <tr class:is-over=it.idle.is_some() class:again=again>
                <th scope="row">
                    <a class="strong long" href=user_href(&it.user)>
                        {it.user.clone()}
                    </a>
                    {idle}
                </th>
                <td data-label="Role" title=it.privileges.words()>
                    {it.role.to_string()}
                </td>
                <td class="mono long" data-label="On">
                    {it.scope.to_string()}
                </td>
                <td class="long" data-label="Through">
                    {through}
                </td>
                <td data-label="Until">{until(it.expires_ms)}</td>
                <td class="two" data-label="Given">
                    <Ago at_ms=it.given_ms now_ms />
                    {by}
                </td>
            </tr>
        }
    };
    let table = if held.is_empty() {
        let whom = if user.is_empty() { "Nobody".to_owned() } else { user };
        Either::Left(view! {
            <Empty glyph=Glyph::Key title=format!("{whom} had no role then")>
                <p>"No grant held at that moment, neither of their own nor of a group."</p>
            </Empty>
        })
    } else {
        Either::Right(view! {
            <Table columns=&["Who", "Role", "On", "Through", "Until", "Given"] action=None>
                {held.into_iter().map(row).collect_view()}
            </Table>
        })
    };
    view! {
        <section class="part" aria-labelledby="moment">
            <h2 id="moment">{title}</h2>
            {table}
        </section>
    }
}

#[component]
fn Changes(changes: Vec<Recorded>, older: Option<i64>, asked: Asked) -> impl IntoView {
    if changes.is_empty() {
        return Either::Left(view! {
            <Empty glyph=Glyph::History title="No change is recorded">
                <p>"Users, groups, roles and grants are as they were."</p>
            </Empty>
        });
    }
    let row = move |it: Recorded| {
        let by = it.actor.unwrap_or_else(|| "Paddock itself".to_owned());
        let from = it.address.map(|address| view! { <span class="meta">{format!("from {address}")}</span> });
        view! {
            <tr>
                <th scope="row" class="when">
                    <Exact at_ms=it.at_ms />
                </th>
                <td class="long what">{words::sentence(&it.change.words())}</td>
                <td class="two long" data-label="By">
                    {by}
                    {from}
                </td>
                <td class="mono figures" data-label="Entry">
                    {format!("#{}", it.seq)}
                </td>
            </tr>
        }
    };
    let first = asked.before.map(|_| {
        let href = href(&Asked { before: None, ..asked.clone() });
        view! {
            <a class="button" href=href>
                "Newest"
            </a>
        }
    });
    let next = older.map(|before| {
        let href = href(&Asked { before: Some(before), ..asked.clone() });
        view! {
            <a class="button" href=href>
                "Older"
            </a>
        }
    });
    Either::Right(view! {
        <Table columns=&["When", "What", "By", "Entry"] action=None>
            {changes.into_iter().map(row).collect_view()}
        </Table>
        <div class="row-forms">{first} {next}</div>
    })
}

fn href(asked: &Asked) -> String {
    let text = |name: &str, value: &str| match value.trim() {
        "" => None,
        value => Some(format!("{name}={}", Url::escape(value))),
    };
    let before = asked.before.map(|before| format!("before={before}"));
    let pairs: Vec<String> =
        [text("at", &asked.at), text("user", &asked.user), before].into_iter().flatten().collect();
    format!("{HERE}?{}", pairs.join("&"))
}
