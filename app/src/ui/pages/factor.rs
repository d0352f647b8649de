//! The second factor, asked for after the password.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use crate::{
    api::{LogInError, account::AnswerFactor},
    ui::components::{
        banner::{Banner, Tone},
        field::TextField,
        sheet::Sheet,
    },
};

#[component]
pub fn FactorPage() -> impl IntoView {
    let answer = ServerAction::<AnswerFactor>::new();
    let error = move || answer.value().get().and_then(Result::err);
    let is_over = move || error() == Some(LogInError::FactorOver);
    view! {
        <Title text="Second factor" />
        <Sheet title="Second factor">
            {move || {
                error()
                    .map(|error| {
                        view! {
                            <Banner tone=Tone::Bad title="Not logged in">
                                <p>{error.to_string()}</p>
                            </Banner>
                        }
                    })
            }} <ActionForm action=answer attr:class="form">
                <TextField
                    id="code"
                    name="code"
                    label="Code"
                    autocomplete="one-time-code"
                    hint="Of your authenticator, or one of your recovery codes. There are five minutes for it."
                    autofocus=true
                />
                <button
                    class="button primary wide"
                    type="submit"
                    disabled=is_over
                    aria-busy=move || answer.pending().get().then_some("true")
                >
                    "Log in"
                </button>
            </ActionForm> <div class="sheet-foot">
                <a href="/login">"Begin again"</a>
            </div>
        </Sheet>
    }
}
