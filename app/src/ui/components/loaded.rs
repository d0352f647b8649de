//! What a server function answered: its data, the shape of it while one waits, or what went wrong.

use leptos::prelude::*;
use leptos_router::{hooks::use_location, location::Url};

use super::banner::{Banner, Tone};
use crate::{api::ApiError, domain::account::Owed, ui::reply::Reply};

/// Shows `children` with the data. A later answer changes the page in place; while the server cannot be reached
/// the page keeps what it last knew, and the frame says that the connection is lost.
#[component]
pub fn Loaded<T, F>(reply: Reply<T>, children: F) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Send + 'static,
{
    let path = use_location().pathname;
    // With the path it was shown at: never one guest's data at another's address.
    let known = StoredValue::new(None::<(String, T)>);
    let shown = move || {
        reply.get().map(|reply| {
            let at = path.get_untracked();
            let data = match reply {
                Err(ApiError::Unreachable) => known
                    .get_value()
                    .filter(|(known_at, _)| *known_at == at)
                    .map(|(_, data)| data)
                    .ok_or(ApiError::Unreachable),
                other => other,
            };
            match data {
                Ok(data) => {
                    known.set_value(Some((at, data.clone())));
                    children(data)
                }
                Err(error) => view! { <Problem error /> }.into_any(),
            }
        })
    };
    waited_for(Box::new(shown))
}

/// Something that is not known at first, as a view. A box, so that the WebAssembly has the waiting once and not anew for
/// each thing that is waited for.
type Awaited = Box<dyn Fn() -> Option<AnyView> + Send>;

fn waited_for(shown: Awaited) -> AnyView {
    view! { <Transition fallback=Skeleton>{shown}</Transition> }.into_any()
}

/// As [`Loaded`] for a part of the frame: nothing until it is known, and then what it was until it is known anew.
pub fn once_known(shown: impl Fn() -> Option<AnyView> + Send + 'static) -> AnyView {
    fn boxed(shown: Awaited) -> AnyView {
        view! { <Transition>{shown}</Transition> }.into_any()
    }
    boxed(Box::new(shown))
}

/// The shape of a page that is on its way; it shows only once that takes longer than a blink.
#[component]
fn Skeleton() -> impl IntoView {
    view! {
        <div class="skeleton" aria-hidden="true">
            <span></span>
            <span></span>
            <span></span>
            <span></span>
        </div>
    }
}

/// A server function's error as a panel. One that another page can mend leads there.
#[component]
pub fn Problem(error: ApiError) -> impl IntoView {
    let location = use_location();
    let elsewhere = match error {
        ApiError::NotLoggedIn => {
            let here = location.pathname.get_untracked() + &query(&location.search.get_untracked());
            Some(format!("/login?next={}", Url::escape(&here)))
        }
        ApiError::PasswordChangeDue => Some(Owed::Password.page().to_owned()),
        ApiError::FactorDue => Some(Owed::Factor.page().to_owned()),
        _ => None,
    };
    let link = elsewhere.clone();
    Effect::new(move |_| {
        if let Some(elsewhere) = &elsewhere {
            // A whole new document, as who is logged in decides about every page.
            let _blocked = window().location().set_href(elsewhere);
        }
    });
    view! {
        <Banner tone=Tone::Bad title="This did not work">
            <p>{error.to_string()}</p>
            {link
                .map(|href| {
                    view! {
                        <a href=href rel="external">
                            "Continue"
                        </a>
                    }
                })}
        </Banner>
    }
}

fn query(search: &str) -> String {
    match search.trim_start_matches('?') {
        "" => String::new(),
        search => format!("?{search}"),
    }
}

/// Why an action could not be begun, above what it was asked of.
#[component]
pub fn ActionProblem(#[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    move || error.get().map(|error| view! { <Problem error /> })
}
