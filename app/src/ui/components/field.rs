//! Form fields: label, control, hint and error, tied together for everybody.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// An error at its field, if there is one.
pub type FieldError = Signal<Option<String>>;

/// The `id` of the control, and the stem of those of its hint and its error.
fn described_by(id: &'static str, hint: bool, error: FieldError) -> impl Fn() -> Option<String> + Copy {
    move || {
        let error = error.get().map(|_| format!("{id}-error"));
        let hint = hint.then(|| format!("{id}-hint"));
        match (hint, error) {
            (Some(hint), Some(error)) => Some(format!("{error} {hint}")),
            (one, other) => one.or(other),
        }
    }
}

/// Label above, hint and error below the control that the children are.
#[component]
fn Labelled(
    id: &'static str,
    label: String,
    hint: Option<&'static str>,
    error: FieldError,
    children: Children,
) -> impl IntoView {
    let message = move || {
        error.get().map(|message| {
            view! {
                <p class="field-error" id=format!("{id}-error") role="alert">
                    <Icon glyph=Glyph::Warning />
                    {message}
                </p>
            }
        })
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            {children()}
            {message}
            {hint
                .map(|hint| {
                    view! {
                        <p class="field-hint" id=format!("{id}-hint")>
                            {hint}
                        </p>
                    }
                })}
        </div>
    }
}

/// One line of text. `id` is unique on its page.
#[component]
pub fn TextField(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<&'static str>,
    #[prop(optional, into)] error: FieldError,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] placeholder: Option<&'static str>,
    /// The `id` of a list of suggestions.
    #[prop(optional)]
    list: Option<&'static str>,
    /// For names, paths and the like.
    #[prop(optional)]
    mono: bool,
    #[prop(optional)] autofocus: bool,
) -> impl IntoView {
    view! {
        <Labelled id label hint error>
            <input
                id=id
                name=name
                type=kind
                value=value
                class=if mono { "input mono" } else { "input" }
                autocomplete=autocomplete
                autocapitalize="none"
                spellcheck="false"
                placeholder=placeholder
                list=list
                autofocus=autofocus
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=described_by(id, hint.is_some(), error)
            />
        </Labelled>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<&'static str>,
    #[prop(optional, into)] error: FieldError,
) -> impl IntoView {
    view! {
        <Labelled id label hint error>
            <textarea
                id=id
                name=name
                rows="4"
                class="input mono"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=described_by(id, hint.is_some(), error)
                inner_html=escaped(&value)
            ></textarea>
        </Labelled>
    }
}

/// Leptos writes the text of a textarea into the page as it is, so it is escaped here.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One of a list.
#[component]
pub fn SelectField(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    choices: Vec<String>,
    #[prop(into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<&'static str>,
    #[prop(optional, into)] error: FieldError,
) -> impl IntoView {
    let choices = choices.into_iter().map(|choice| (choice.clone(), choice)).collect();
    view! { <ChoiceField id name label choices value hint error /> }
}

/// One of a list, each with a value and what a person reads.
#[component]
pub fn ChoiceField(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    choices: Vec<(String, String)>,
    #[prop(into)] value: String,
    #[prop(optional_no_strip, into)] hint: Option<&'static str>,
    #[prop(optional, into)] error: FieldError,
) -> impl IntoView {
    let option = move |(choice, label): (String, String)| {
        let selected = choice == value;
        view! {
            <option value=choice selected=selected>
                {label}
            </option>
        }
    };
    view! {
        <Labelled id label hint error>
            <span class="select">
                <select
                    id=id
                    name=name
                    class="input"
                    aria-invalid=move || error.get().map(|_| "true")
                    aria-describedby=described_by(id, hint.is_some(), error)
                >
                    {choices.into_iter().map(option).collect_view()}
                </select>
                <Icon glyph=Glyph::Chevron />
            </span>
        </Labelled>
    }
}

/// On or off. Off sends nothing.
#[component]
pub fn SwitchField(
    id: &'static str,
    name: &'static str,
    #[prop(into)] label: String,
    on: bool,
    #[prop(optional_no_strip, into)] hint: Option<&'static str>,
) -> impl IntoView {
    view! {
        <div class="field switch">
            <label class="check">
                <input
                    type="checkbox"
                    id=id
                    name=name
                    value="true"
                    checked=on
                    aria-describedby=hint.map(|_| format!("{id}-hint"))
                />
                <span>{label}</span>
            </label>
            {hint
                .map(|hint| {
                    view! {
                        <p class="field-hint" id=format!("{id}-hint")>
                            {hint}
                        </p>
                    }
                })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_cannot_leave_its_textarea() {
        assert_eq!(escaped("</textarea><script>&"), "&lt;/textarea&gt;&lt;script&gt;&amp;");
    }
}
