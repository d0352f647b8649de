//! The fields of an action's form, made from their description.

use leptos::prelude::*;

use super::field::{ChoiceField, SwitchField, TextArea, TextField};
use crate::{
    domain::form::{Choices, Input, Parameter},
    ui::typed::Typing,
};

/// `choices`: what the host has. The fields' names and `id`s are those of their [`Field`](crate::domain::action::Field)s.
#[component]
pub fn Parameters(
    parameters: Vec<Parameter>,
    typing: Typing,
    #[prop(optional)] choices: Vec<(Choices, Vec<String>)>,
) -> impl IntoView {
    let start = typing.start();
    parameters
        .into_iter()
        .map(|parameter| {
            let Parameter { field, label, hint, input } = parameter;
            let (name, value) = (field.as_str(), start.get(field).unwrap_or_default().to_owned());
            let error = typing.wrong(field);
            match input {
                Input::Line => view! { <TextField id=name name label value hint error /> }.into_any(),
                Input::Mono => {
                    view! { <TextField id=name name label value hint error mono=true /> }.into_any()
                }
                Input::Suggested(from) => {
                    let found = names(&choices, from);
                    view! {
                        <TextField
                            id=name
                            name
                            label
                            value
                            hint
                            error
                            mono=true
                            list=list_of(from)
                        />
                        <datalist id=list_of(
                            from,
                        )>
                            {found
                                .iter()
                                .map(|name| view! { <option value=name.clone()></option> })
                                .collect_view()}
                        </datalist>
                    }
                    .into_any()
                }
                Input::Lines => view! { <TextArea id=name name label value hint error /> }.into_any(),
                Input::Switch => {
                    let on = start.is_on(field);
                    view! { <SwitchField id=name name label on hint /> }.into_any()
                }
                Input::OneOf(choices) => {
                    let owned = |(value, label): &(&str, &str)| ((*value).to_owned(), (*label).to_owned());
                    let choices = choices.iter().map(owned).collect();
                    view! { <ChoiceField id=name name label choices value hint error /> }.into_any()
                }
                Input::FromHost(from, empty) => {
                    let names = names(&choices, from).iter().map(|name| (name.clone(), name.clone()));
                    let empty = empty.unwrap_or("Choose one");
                    let choices = std::iter::once((String::new(), empty.to_owned())).chain(names).collect();
                    view! { <ChoiceField id=name name label choices value hint error /> }.into_any()
                }
            }
        })
        .collect_view()
}

fn names(choices: &[(Choices, Vec<String>)], from: Choices) -> &[String] {
    choices.iter().find(|(of, _)| *of == from).map(|(_, names)| names.as_slice()).unwrap_or_default()
}

/// The `id` of the list of what can be chosen.
fn list_of(from: Choices) -> &'static str {
    match from {
        Choices::Bundles => "bundles",
        Choices::Layouts => "layouts",
        _ => "choices",
    }
}
