//! Choose one's own password: after the one-time password, or whenever one likes.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use crate::{
    api::{AccountError, ApiError, account::ChangePassword},
    domain::action::Field,
    ui::components::{
        account::LogOutForm,
        field::{FieldError, TextField},
        loaded::ActionProblem,
        sheet::Sheet,
    },
};

#[component]
pub fn PasswordPage() -> impl IntoView {
    let change = ServerAction::<ChangePassword>::new();
    let error = move || change.value().get().and_then(Result::err);
    let at = move |field: Field| -> FieldError {
        Signal::derive(move || {
            error().filter(|error| error.field() == Some(field)).map(|error| error.to_string())
        })
    };
    let problem = Signal::derive(move || -> Option<ApiError> {
        match error()? {
            AccountError::Other(error) => Some(error),
            _ => None,
        }
    });
    view! {
        <Title text="Choose your own password" />
        <Sheet title="Choose your own password">
            <p class="lead">"Whoever else is logged in with this account is logged out by it."</p>
            <ActionProblem error=problem />
            <ActionForm action=change attr:class="form">
                <TextField
                    id="current"
                    name="current"
                    label="Current password"
                    kind="password"
                    autocomplete="current-password"
                    hint="The one-time password, if this is your first time here."
                    error=at(Field::CurrentPassword)
                />
                <TextField
                    id="new"
                    name="new"
                    label="New password"
                    kind="password"
                    autocomplete="new-password"
                    error=at(Field::NewPassword)
                />
                <TextField
                    id="repeat"
                    name="repeat"
                    label="Repeat new password"
                    kind="password"
                    autocomplete="new-password"
                    error=at(Field::RepeatPassword)
                />
                <button class="button primary wide" type="submit">
                    "Change password"
                </button>
            </ActionForm>
            <div class="sheet-foot">
                <a href="/guests">"Back to the guests"</a>
                <LogOutForm>
                    <button class="link" type="submit">
                        "Log out"
                    </button>
                </LogOutForm>
            </div>
        </Sheet>
    }
}
