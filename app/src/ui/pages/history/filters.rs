//! The filter of the history: a GET form, so that the address holds all of it and nothing needs a script.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlFormElement};

use crate::{
    domain::{
        action::GuestAction,
        guest::BackendKind,
        history::{FilterError, HistoryField, HistoryQuery},
        operation::OperationState,
    },
    ui::{
        components::icon::{Glyph, Icon},
        keys,
    },
};

/// The `id` of the suggestions for times.
const TIMES: &str = "times";

/// Fields that a phone folds away.
const FOLDED: [HistoryField; 7] = [
    HistoryField::Guest,
    HistoryField::Backend,
    HistoryField::User,
    HistoryField::Action,
    HistoryField::Result,
    HistoryField::From,
    HistoryField::To,
];

/// The history's page with this filter.
pub fn href(query: &HistoryQuery) -> String {
    match query.to_query() {
        text if text.is_empty() => "/history".to_owned(),
        text => format!("/history?{text}"),
    }
}

/// What a field is called.
pub fn label(field: HistoryField) -> &'static str {
    match field {
        HistoryField::Guest => "Guest",
        HistoryField::Backend => "Backend",
        HistoryField::User => "User",
        HistoryField::Action => "Action",
        HistoryField::Result => "Result",
        HistoryField::From => "From",
        HistoryField::To => "To",
        HistoryField::Text => "Search",
        HistoryField::After => "Page",
    }
}

/// The choices of a field that has some, each with its word in the address.
pub fn choices(field: HistoryField) -> Vec<(&'static str, &'static str)> {
    match field {
        HistoryField::Backend => BackendKind::ALL.map(|kind| (kind.as_str(), kind.label())).to_vec(),
        HistoryField::Action => GuestAction::ALL
            .map(|action| (action.as_str(), action.label()))
            .into_iter()
            .chain([("task", "Proxmox task from outside"), ("observed", "Seen change")])
            .collect(),
        HistoryField::Result => OperationState::ALL
            .map(|state| (state.as_str(), state.label()))
            .into_iter()
            .chain([("live", "Waiting or running"), ("bad", "Anything gone wrong")])
            .collect(),
        _ => Vec::new(),
    }
}

/// The fields, each with what is wrong with it. Made once: what is being typed stays while the host changes, and the
/// focus where it is.
#[component]
pub fn FilterForm(asked: Memo<HistoryQuery>, errors: Memo<Vec<FilterError>>) -> impl IntoView {
    let navigate = use_navigate();
    // The same as the form does without JavaScript, less the new document.
    let search = move |event: ev::SubmitEvent| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        let Some(data) = form.and_then(|form| FormData::new_with_form(&form).ok()) else { return };
        event.prevent_default();
        let typed = HistoryField::ALL
            .map(|field| (field.as_str(), data.get(field.as_str()).as_string().unwrap_or_default()));
        navigate(&href(&HistoryQuery::from_pairs(typed)), NavigateOptions::default());
    };
    let field = |field: HistoryField| view! { <FilterField field asked errors /> };
    let more = move || match FOLDED.into_iter().filter(|field| !asked.read().get(*field).is_empty()).count() {
        0 => "More filters".to_owned(),
        active => format!("More filters ({active})"),
    };
    view! {
        <form class="filters" method="get" action="/history" role="search" on:submit=search>
            // Open where a phone would else hide what is wrong.
            {field(HistoryField::Text)}
            <details class="filters-more" open=move || !errors.read().is_empty()>
                <summary>
                    <Icon glyph=Glyph::Chevron />
                    {more}
                </summary>
                <div class="filters-fields">
                    {FOLDED.map(field).into_iter().collect_view()}
                    <button class="button" type="submit">
                        "Filter"
                    </button>
                </div>
            </details>
            <datalist id=TIMES>
                {["today", "yesterday", "1h", "24h", "7d"]
                    .map(|time| view! { <option value=time></option> })
                    .into_iter()
                    .collect_view()}
            </datalist>
        </form>
    }
}

#[component]
fn FilterField(
    field: HistoryField,
    asked: Memo<HistoryQuery>,
    errors: Memo<Vec<FilterError>>,
) -> impl IntoView {
    let name = field.as_str();
    let is_search = field == HistoryField::Text;
    // The key "/" leads there.
    let id = if is_search { keys::FILTER.to_owned() } else { format!("filter-{name}") };
    let error_id = StoredValue::new(format!("{id}-error"));
    let value = move || asked.read().get(field).to_owned();
    let error = move || {
        let errors = errors.read();
        let of_field: Vec<_> = errors
            .iter()
            .filter(|error| error.field == Some(field))
            .map(|error| error.message.as_str())
            .collect();
        (!of_field.is_empty()).then(|| of_field.join(" "))
    };
    let invalid = move || error().map(|_| "true");
    let described_by = move || error().map(|_| error_id.get_value());
    let message = move || {
        error().map(|error| {
            view! {
                <p class="field-error" id=error_id.get_value() role="alert">
                    <Icon glyph=Glyph::Warning />
                    {error}
                </p>
            }
        })
    };
    let choices = choices(field);
    let control = if choices.is_empty() {
        let (placeholder, list) = match field {
            HistoryField::Guest => ("lxc/web1", None),
            HistoryField::User => ("anna", None),
            HistoryField::From => ("24h", Some(TIMES)),
            HistoryField::To => ("now", Some(TIMES)),
            _ => ("Name, user, words", None),
        };
        view! {
            <input
                id=id.clone()
                name=name
                type=if is_search { "search" } else { "text" }
                class="input"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                placeholder=placeholder
                list=list
                value=value
                prop:value=value
                aria-invalid=invalid
                aria-describedby=described_by
            />
        }
        .into_any()
    } else {
        let option = move |word: String, label: String| {
            let of_word = word.clone();
            let selected = move || asked.read().get(field) == of_word;
            view! {
                <option value=word selected=selected.clone() prop:selected=selected>
                    {label}
                </option>
            }
        };
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        // What the address asks for stays to be seen, also where there is no such thing.
        let strange = move || {
            let value = value();
            let is_known = value.is_empty() || words.contains(&value.as_str());
            (!is_known).then(|| option(value.clone(), value))
        };
        let known = choices.into_iter().map(|(word, label)| option(word.to_owned(), label.to_owned()));
        view! {
            <span class="select">
                <select
                    id=id.clone()
                    name=name
                    class="input"
                    aria-invalid=invalid
                    aria-describedby=described_by
                >
                    {option(String::new(), "Any".to_owned())}
                    {known.collect::<Vec<_>>()}
                    {strange}
                </select>
                <Icon glyph=Glyph::Chevron />
            </span>
        }
        .into_any()
    };
    view! {
        <div class=if is_search { "field search" } else { "field" }>
            <label for=id>{label(field)}</label>
            {is_search.then(|| view! { <Icon glyph=Glyph::Search /> })}
            {control}
            {is_search.then(|| view! { <kbd aria-hidden="true">"/"</kbd> })}
            {message}
        </div>
    }
}
