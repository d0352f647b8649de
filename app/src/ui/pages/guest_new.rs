//! A new guest: what, how big, and what will run. The first two steps are one form, and what was typed stands in the address.

mod check;
mod fields;
mod start;
mod summary;

pub use check::CheckPage;

use leptos::{ev, prelude::*};
use leptos_meta::Title;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use fields::Fields;
use summary::Summary;

use crate::{
    api::guests::{CreateChoices, CreateGuest, get_choices},
    domain::{
        action::Field,
        form::{self, Typed},
    },
    ui::{
        components::{
            banner::{Banner, Tone},
            loaded::{ActionProblem, Loaded},
        },
        reply::reply,
        typed::{Typing, of_address},
    },
};

/// Where the form leads.
const CHECK: &str = "/guests/new/plan";
const HERE: &str = "/guests/new";
/// The second step, in the address.
const HOW_BIG: &str = "size";

#[component]
pub fn NewGuestPage() -> impl IntoView {
    // What was refused without JavaScript comes back here.
    let create = ServerAction::<CreateGuest>::new();
    let choices = reply(|| (), |()| get_choices());
    view! {
        <Title text="New guest" />
        <header class="head">
            <h1>"New guest"</h1>
        </header>
        <Loaded reply=choices let:choices>
            {view! { <NewGuest choices create /> }.into_any()}
        </Loaded>
    }
}

#[component]
fn NewGuest(choices: CreateChoices, create: ServerAction<CreateGuest>) -> impl IntoView {
    let address = of_address();
    let refused = create.value().get_untracked().and_then(Result::err);
    let asked = refused.as_ref().map_or_else(|| address.get_untracked(), |refused| refused.form.clone());
    let typing = Typing::new(start::start(&choices, &asked), |typed| {
        form::create(&typed.clone().without(Field::WithPassword), None).err().unwrap_or_default()
    });
    let at_size = Memo::new(move |_| address.read().text(Field::Step) == HOW_BIG);
    let navigate = use_navigate();
    let to_step = move |step: &str| {
        let query = typing.typed.get_untracked().with(Field::Step, step);
        navigate(&query.at(HERE), NavigateOptions::default());
    };
    let back = to_step.clone();
    let on_submit = move |event: ev::SubmitEvent| {
        if at_size.get_untracked() {
            if typing.on_submit(&event).is_some_and(|field| start::is_in_what(field, &typing)) {
                to_step("");
            }
        } else {
            event.prevent_default();
            if !typing.tell(|field| start::is_in_what(field, &typing)) {
                to_step(HOW_BIG);
            }
        }
    };
    // What is wrong with a field stands at that; what only the server knows, above the form.
    let is_told = refused.is_some() && typing.tell_all();
    let error = Signal::stored(refused.filter(|_| !is_told).map(|refused| refused.error));
    let denied = choices.refusal.clone();
    view! {
        {denied
            .map(|refusal| {
                view! {
                    <Banner tone=Tone::Warning title="You cannot create guests now">
                        <p>{refusal.to_string()}</p>
                    </Banner>
                }
            })}
        <ActionProblem error />
        <Steps at=Signal::derive(move || usize::from(at_size.get())) />
        <div class="with-summary">
            <form
                class=move || {
                    if at_size.get() { "form create at-size" } else { "form create at-what" }
                }
                method="get"
                action=CHECK
                on:input=move |event| typing.on_input(&event)
                on:submit=on_submit
            >
                <Fields choices typing />
                <div class="buttons">
                    <button class="button primary" type="submit">
                        <span class="next">"Next"</span>
                        <span class="last">"Show what will run"</span>
                    </button>
                    <button class="button back" type="button" on:click=move |_| back("")>
                        "Back"
                    </button>
                    <a class="button" href="/guests">
                        "Cancel"
                    </a>
                </div>
            </form>
            <Summary typing />
        </div>
    }
}

/// Which step one is at, from 0.
#[component]
fn Steps(#[prop(into)] at: Signal<usize>) -> impl IntoView {
    let step = move |(number, label): (usize, &'static str)| {
        view! {
            <li aria-current=move || (at.get() == number).then_some("step")>
                <span class="step-number">{number + 1}</span>
                {label}
            </li>
        }
    };
    view! {
        <ol class="wizard" aria-label="Steps">
            {["What", "How big", "Check"].into_iter().enumerate().map(step).collect_view()}
        </ol>
    }
}

/// The form as the address of another page has it: without where in it one was.
fn asked_for(typed: &Typed) -> Typed {
    typed.clone().without(Field::Step).without(Field::Password)
}
