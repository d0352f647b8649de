//! The tabs of a guest's page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::Page;
use crate::{
    domain::{
        action::{GuestAction, Refusal},
        guest::GuestId,
    },
    ui::components::guest_actions::why_not,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Overview,
    Timeline,
    Configuration,
    Snapshots,
    Exec,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Overview, Self::Timeline, Self::Configuration, Self::Snapshots, Self::Exec];

    /// The last part of its address; the overview has none.
    fn path(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Timeline => "/timeline",
            Self::Configuration => "/configuration",
            Self::Snapshots => "/snapshots",
            Self::Exec => "/exec",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Timeline => "Timeline",
            Self::Configuration => "Configuration",
            Self::Snapshots => "Snapshots",
            Self::Exec => "Exec",
        }
    }

    /// Of the window, for a guest that people call `label`.
    pub fn title(self, label: &str) -> String {
        match self {
            Self::Overview => label.to_owned(),
            other => format!("{label}: {}", other.label().to_ascii_lowercase()),
        }
    }
}

/// The tab that the address is about.
pub fn here() -> Memo<Tab> {
    let path = use_location().pathname;
    Memo::new(move |_| {
        let path = path.read();
        let is_here = |tab: &Tab| *tab != Tab::Overview && path.trim_end_matches('/').ends_with(tab.path());
        // `/guests/lxc/exec` is a guest of that name.
        let parts = path.split('/').filter(|part| !part.is_empty()).count();
        Tab::ALL.into_iter().find(|tab| parts > 3 && is_here(tab)).unwrap_or(Tab::Overview)
    })
}

/// The tabs that this person may not have, with why. One that the backend lacks says so on its page.
pub fn refusals(page: &Page) -> Vec<(Tab, Refusal)> {
    let of = |tab, action| {
        let refusal = page.refusal(action)?;
        let is_forbidden = matches!(refusal, Refusal::Denied { .. } | Refusal::DeniedByToken { .. });
        is_forbidden.then(|| (tab, refusal.clone()))
    };
    let history = page.history_refusal().map(|refusal| (Tab::Timeline, refusal));
    let of_actions = [of(Tab::Configuration, GuestAction::Configure), of(Tab::Exec, GuestAction::Exec)]
        .into_iter()
        .flatten();
    history.into_iter().chain(of_actions).collect()
}

#[component]
pub fn Tabs(guest: GuestId, here: Memo<Tab>, refusals: Vec<(Tab, Refusal)>) -> impl IntoView {
    let tab = move |tab: Tab| {
        let refusal = refusals.iter().find(|(of, _)| *of == tab).map(|(_, refusal)| refusal);
        let current = move || (here.try_get() == Some(tab)).then_some("page");
        match refusal {
            None => view! {
                <a href=format!("{}{}", guest.href(), tab.path()) aria-current=current>
                    {tab.label()}
                </a>
            }
            .into_any(),
            Some(refusal) => {
                let tip = format!("tip-tab{}", tab.path().replace('/', "-"));
                view! {
                    <span class="action">
                        <a
                            role="link"
                            tabindex="0"
                            aria-disabled="true"
                            aria-current=current
                            aria-describedby=tip.clone()
                        >
                            {tab.label()}
                        </a>
                        <span class="tip" role="tooltip" id=tip>
                            {why_not(refusal)}
                        </span>
                    </span>
                }
                .into_any()
            }
        }
    };
    view! {
        <nav class="subtabs" aria-label="Guest">
            {Tab::ALL.map(tab).into_iter().collect_view()}
        </nav>
    }
}
