//! What the new guest is going to be, as one types.

use leptos::prelude::*;

use crate::{
    domain::{
        action::Field,
        form::{self, Input, NewField, Typed},
        guest::BackendKind,
    },
    ui::typed::Typing,
};

/// Label and value of what is filled in and counts.
fn told(typed: &Typed) -> Vec<(&'static str, String)> {
    let Ok(kind) = typed.text(Field::Backend).parse::<BackendKind>() else { return Vec::new() };
    let source = typed.text(Field::Source);
    let made_from = form::sources(kind).iter().find(|(value, _)| *value == source).map(|(_, label)| *label);
    let first = [
        ("Backend", kind.label().to_owned()),
        ("Name", typed.text(Field::Name).to_owned()),
        ("Made from", made_from.unwrap_or_default().to_owned()),
    ];
    let counts = |it: &NewField| it.sources.is_empty() || it.sources.contains(&source);
    let fields = form::new_fields(kind).into_iter().filter(counts).map(|NewField { parameter, .. }| {
        let text = typed.text(parameter.field);
        let value = match parameter.input {
            Input::Switch if typed.is_on(parameter.field) => "yes",
            Input::Switch => "",
            _ => text,
        };
        (parameter.label, value.to_owned())
    });
    first.into_iter().chain(fields).filter(|(_, value)| !value.is_empty()).collect()
}

#[component]
pub fn Summary(typing: Typing) -> impl IntoView {
    let row = |(label, value): (&'static str, String)| {
        view! {
            <dt>{label}</dt>
            <dd class="long lines">{value}</dd>
        }
    };
    view! {
        <section class="panel summary" aria-labelledby="summary">
            <h2 id="summary">"Summary"</h2>
            <dl class="facts">
                {move || typing.typed.with(told).into_iter().map(row).collect_view()}
            </dl>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_counts_is_told() {
        let typed = Typed::default()
            .with(Field::Backend, "crun")
            .with(Field::Name, "job1")
            .with(Field::Source, "bundle")
            .with(Field::Bundle, "/b")
            .with(Field::Image, "alpine")
            .with(Field::Template, "busybox")
            .with(Field::Start, "true");
        let told = told(&typed);
        let told: Vec<_> = told.iter().map(|(label, value)| (*label, value.as_str())).collect();
        assert_eq!(
            told,
            [
                ("Backend", "crun"),
                ("Name", "job1"),
                ("Made from", "A bundle"),
                ("OCI bundle", "/b"),
                ("Start it right away", "yes")
            ]
        );
    }
}
