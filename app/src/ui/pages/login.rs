//! Log in.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    api::account::{LogIn, get_realms},
    domain::realm::OWN,
    ui::{
        components::{
            banner::{Banner, Tone},
            field::{SelectField, TextField},
            sheet::Sheet,
        },
        reply::reply,
    },
};

#[component]
pub fn LogInPage() -> impl IntoView {
    let log_in = ServerAction::<LogIn>::new();
    let realms = reply(|| (), |()| get_realms());
    let next = use_query_map().read_untracked().get("next").filter(|next| is_here(next)).unwrap_or_default();
    let error = move || {
        log_in.value().get().and_then(Result::err).map(|error| {
            view! {
                <Banner tone=Tone::Bad title="Not logged in">
                    <p>{error.to_string()}</p>
                </Banner>
            }
        })
    };
    view! {
        <Title text="Log in" />
        <Sheet title="Log in">
            {error} <ActionForm action=log_in attr:class="form">
                <input type="hidden" name="next" value=next />
                <TextField
                    id="username"
                    name="username"
                    label="Username"
                    autocomplete="username"
                    autofocus=true
                />
                // Before Proxmox has told them, `name@realm` does as well.
                <Suspense>
                    {move || {
                        let realms = realms.get().and_then(Result::ok).unwrap_or_default();
                        (!realms.is_empty()).then(|| view! { <Realms realms /> })
                    }}
                </Suspense>
                <TextField
                    id="password"
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                />
                <button
                    class="button primary wide"
                    type="submit"
                    aria-busy=move || log_in.pending().get().then_some("true")
                >
                    "Log in"
                </button>
            </ActionForm>
        </Sheet>
    }
}

/// Whose password it is: Paddock's own accounts first.
#[component]
fn Realms(realms: Vec<String>) -> impl IntoView {
    let choices: Vec<String> = [OWN.to_owned()].into_iter().chain(realms).collect();
    view! {
        <SelectField
            id="realm"
            name="realm"
            label="Realm"
            choices
            value=OWN
            hint="Of Proxmox, or Paddock's own."
        />
    }
}

/// A path of this site. Two slashes, or a slash and a backslash, would lead to another.
fn is_here(next: &str) -> bool {
    next.starts_with('/') && !next.starts_with("//") && !next.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_log_in_one_stays_on_this_site() {
        assert!(is_here("/guests/lxc/web1?x=//y"));
        for elsewhere in ["", "guests", "//evil.example", "/\\evil.example", "https://evil.example"] {
            assert!(!is_here(elsewhere), "{elsewhere:?}");
        }
    }
}
