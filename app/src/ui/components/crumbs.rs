//! The breadcrumb: where one is, told from the address alone.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use percent_encoding::percent_decode_str;

use super::icon::{Glyph, Icon};
use crate::domain::action::GuestAction;

/// Label, and the page it leads to unless one is there.
type Crumb = (String, Option<String>);

#[component]
pub fn Crumbs() -> impl IntoView {
    let path = use_location().pathname;
    let crumb = |(label, href): Crumb| match href {
        Some(href) => view! {
            <li>
                <a href=href>{label}</a>
                <Icon glyph=Glyph::Chevron />
            </li>
        }
        .into_any(),
        None => view! {
            <li>
                <span aria-current="page">{label}</span>
            </li>
        }
        .into_any(),
    };
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol>{move || crumbs(&path.get()).into_iter().map(crumb).collect_view()}</ol>
        </nav>
    }
}

fn crumbs(path: &str) -> Vec<Crumb> {
    let link = |label: &str, href: &str| (label.to_owned(), Some(href.to_owned()));
    let here = |label: &str| (label.to_owned(), None);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts[..] {
        [] => vec![here("Dashboard")],
        ["nodes"] => vec![here("Nodes")],
        ["nodes", name] => {
            let name = percent_decode_str(name).decode_utf8_lossy();
            vec![link("Nodes", "/nodes"), here(&name)]
        }
        ["guests"] => vec![here("Guests")],
        ["guests", "new"] => vec![link("Guests", "/guests"), here("New guest")],
        ["guests", "new", "plan"] => {
            vec![link("Guests", "/guests"), link("New guest", "/guests/new"), here("Check")]
        }
        ["guests", "plan"] => vec![link("Guests", "/guests"), here("Chosen guests")],
        ["guests", _, name] => vec![link("Guests", "/guests"), here(name)],
        ["guests", backend, name, "plan", action] => {
            let label = action.parse::<GuestAction>().map_or(action, |known| known.label());
            vec![link("Guests", "/guests"), link(name, &format!("/guests/{backend}/{name}")), here(label)]
        }
        ["guests", backend, name, "do", action] => {
            let label = action.parse::<GuestAction>().map_or(action, |known| known.label());
            vec![link("Guests", "/guests"), link(name, &format!("/guests/{backend}/{name}")), here(label)]
        }
        ["guests", backend, name, tab] => {
            vec![
                link("Guests", "/guests"),
                link(name, &format!("/guests/{backend}/{name}")),
                here(&capital(tab)),
            ]
        }
        ["history"] => vec![here("History")],
        ["history", id] => vec![link("History", "/history"), here(&format!("#{id}"))],
        ["history", id, "again"] => {
            vec![
                link("History", "/history"),
                link(&format!("#{id}"), &format!("/history/{id}")),
                here("Do it again"),
            ]
        }
        ["account"] => vec![here("Account")],
        ["access"] => vec![here("Access")],
        ["access", "users", name] => {
            let name = percent_decode_str(name).decode_utf8_lossy();
            vec![link("Access", "/access"), here(&name)]
        }
        ["access", tab] => vec![link("Access", "/access"), here(&capital(tab))],
        _ => vec![],
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(path: &str) -> String {
        let labels: Vec<_> = crumbs(path).into_iter().map(|(label, _)| label).collect();
        labels.join(" > ")
    }

    #[test]
    fn every_page_says_where_it_is() {
        assert_eq!(labels("/"), "Dashboard");
        assert_eq!(labels("/nodes/pve1"), "Nodes > pve1");
        assert_eq!(labels("/guests"), "Guests");
        assert_eq!(labels("/guests/new"), "Guests > New guest");
        assert_eq!(labels("/guests/plan"), "Guests > Chosen guests");
        assert_eq!(labels("/guests/lxc/web1"), "Guests > web1");
        assert_eq!(labels("/guests/lxc/web1/snapshots"), "Guests > web1 > Snapshots");
        assert_eq!(labels("/guests/lxc/web1/do/clone"), "Guests > web1 > Clone");
        assert_eq!(labels("/guests/lxc/web1/plan/shutdown"), "Guests > web1 > Shut down");
        assert_eq!(labels("/guests/lxc/web1/plan/explode"), "Guests > web1 > explode");
        assert_eq!(labels("/history/12"), "History > #12");
        assert_eq!(labels("/history/12/again"), "History > #12 > Do it again");
        assert_eq!(labels("/access"), "Access");
        assert_eq!(labels("/access/grants"), "Access > Grants");
        assert_eq!(labels("/access/history"), "Access > History");
        assert_eq!(labels("/access/users/J%C3%B6rg"), "Access > Jörg");
        assert_eq!(labels("/nowhere"), "");
    }
}
