//! Saved views: tabs over the list, and what saves, renames and removes one. Each is a link to what it stands for.

use leptos::{form::ActionForm, prelude::*};

use super::bar::Wanted;
use crate::{
    api::{
        ApiError,
        saved_views::{RemoveView, SaveView, SavedView, list_views},
    },
    domain::{
        action::Field,
        list::{ListQuery, saved::ViewId},
    },
    ui::{
        components::{field::TextField, loaded::once_known, menu::Drop},
        reply::{Reply, reply},
    },
};

/// One's own views and what changes them.
#[derive(Clone, Copy)]
pub struct Saved {
    views: Reply<Vec<SavedView>>,
    save: ServerAction<SaveView>,
    remove: ServerAction<RemoveView>,
}

impl Saved {
    pub fn known(wanted: Wanted) -> Self {
        let (save, remove) = (ServerAction::<SaveView>::new(), ServerAction::<RemoveView>::new());
        // What went wrong with one view is no news of the next.
        Effect::watch(
            move || wanted.query().tidy(),
            move |now, before, _| {
                if before.is_some_and(|before| before != now) {
                    save.clear();
                    remove.clear();
                }
            },
            false,
        );
        let changed = move || save.version().get() + remove.version().get();
        Self { views: reply(changed, |_| list_views()), save, remove }
    }

    /// What went wrong and belongs to no field.
    pub fn error(self) -> Option<ApiError> {
        let saved = self.save.value().get().and_then(Result::err);
        let removed = self.remove.value().get().and_then(Result::err);
        saved.filter(|error| of_name(error).is_none()).or(removed)
    }

    /// What is wrong with the name that was typed.
    fn name_error(self) -> Option<String> {
        of_name(&self.save.value().get().and_then(Result::err)?)
    }
}

fn of_name(error: &ApiError) -> Option<String> {
    match error {
        ApiError::Refused(refusal) if refusal.field() == Some(Field::Name) => Some(refusal.to_string()),
        _ => None,
    }
}

/// Nothing for somebody who has none.
#[component]
pub fn Tabs(saved: Saved, wanted: Wanted) -> impl IntoView {
    let tab = move |name: String, query: ListQuery| {
        let href = format!("/guests{}", query.search(1));
        view! {
            <a href=href aria-current=move || (wanted.query().tidy() == query).then_some("page")>
                {name}
            </a>
        }
    };
    once_known(move || {
        let views = saved.views.get()?.ok().filter(|views| !views.is_empty())?;
        let all = tab("All guests".to_owned(), ListQuery::default());
        let views = views.into_iter().map(|view| tab(view.name, view.query)).collect_view();
        Some(
            view! {
                <nav class="subtabs" aria-label="Saved views">
                    {all}
                    {views}
                </nav>
            }
            .into_any(),
        )
    })
}

/// What can be done with what is shown now.
#[derive(Clone, PartialEq, Eq)]
enum Can {
    /// All guests are shown.
    Nothing,
    Save,
    Change(ViewId, String),
}

/// Saves what is shown, or renames and removes the view that it is.
#[component]
pub fn Keep(saved: Saved, wanted: Wanted) -> impl IntoView {
    once_known(move || {
        let views = saved.views.get()?.ok()?;
        let can = Memo::new(move |_| {
            let query = wanted.query().tidy();
            match views.iter().find(|view| view.query == query) {
                _ if query == ListQuery::default() => Can::Nothing,
                Some(view) => Can::Change(view.id, view.name.clone()),
                None => Can::Save,
            }
        });
        let menu = move || match can.get() {
            Can::Nothing => ().into_any(),
            Can::Save => view! { <Form saved wanted label="Save view" /> }.into_any(),
            Can::Change(id, name) => view! { <Form saved wanted label="View" view=(id, name) /> }.into_any(),
        };
        Some(menu.into_any())
    })
}

#[component]
fn Form(
    saved: Saved,
    wanted: Wanted,
    label: &'static str,
    #[prop(optional)] view: Option<(ViewId, String)>,
) -> impl IntoView {
    let (id, name) = view.map_or((None, String::new()), |(id, name)| (Some(id), name));
    let error = Signal::derive(move || saved.name_error());
    let (hint, button) = match id {
        None => (Some("A view of the same name is changed to this one."), "Save"),
        Some(_) => (None, "Rename"),
    };
    let number = |id: ViewId| view! { <input type="hidden" name="id" value=id.0 /> };
    view! {
        <Drop label open=Signal::derive(move || error.get().is_some())>
            <div class="menu-list menu-form">
                <ActionForm action=saved.save attr:class="form">
                    {id.map(number)}
                    <input type="hidden" name="q" value=move || wanted.query().q />
                    <input type="hidden" name="sort" value=move || wanted.query().sort.word() />
                    <input type="hidden" name="group" value=move || wanted.query().group.as_str() />
                    <TextField
                        id="view-name"
                        name="name"
                        label="Name of the view"
                        value=name
                        hint
                        error
                    />
                    <button class="button" type="submit">
                        {button}
                    </button>
                </ActionForm>
                {id
                    .map(|id| {
                        view! {
                            <ActionForm action=saved
                                .remove>
                                {number(id)} <button class="button danger-text" type="submit">
                                    "Remove view"
                                </button>
                            </ActionForm>
                        }
                    })}
            </div>
        </Drop>
    }
}
