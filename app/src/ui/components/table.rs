//! A calm table, and the page that has one beside the form that adds to it.

use leptos::prelude::*;

/// On a phone each row is a card, in which a cell says by `data-label` what it is about.
#[component]
pub fn Table(
    columns: &'static [&'static str],
    /// What the button at a row's end does, for those who hear the page; the rows have one where this is given.
    #[prop(optional_no_strip)]
    action: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let head = |label: &&'static str| view! { <th scope="col">{*label}</th> };
    view! {
        <table class="plain">
            <thead>
                <tr>
                    {columns.iter().map(head).collect_view()}
                    {action
                        .map(|action| {
                            view! {
                                <th scope="col">
                                    <span class="unseen">{action}</span>
                                </th>
                            }
                        })}
                </tr>
            </thead>
            <tbody>{children()}</tbody>
        </table>
    }
}

/// What there is, and beside it what adds to it, for those who may.
#[component]
pub fn Beside(add: Option<AnyView>, children: Children) -> impl IntoView {
    view! {
        <div class="beside">
            <div class="stack">{children()}</div>
            {add}
        </div>
    }
}

/// The panel beside.
#[component]
pub fn AddPanel(id: &'static str, title: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="panel" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {children()}
        </section>
    }
}
