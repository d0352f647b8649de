//! The second factor of one's own account: set it up, new recovery codes, take it off.

use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

use crate::{
    api::{
        AccountError, ApiError,
        account::{AddFactor, FactorInfo, RemoveOwnFactor, RenewRecoveryCodes, get_factor},
    },
    domain::{
        account::{FactorSetup, QrCode},
        action::Field,
    },
    ui::{
        components::{
            account::LogOutForm,
            ago::Exact,
            banner::{Banner, Tone},
            command::Copy,
            field::{FieldError, TextField},
            loaded::{ActionProblem, Loaded},
            sheet::Sheet,
        },
        reply::reply,
    },
};

/// Light modules around a code, which readers need.
const QUIET: usize = 4;

#[component]
pub fn AccountFactorPage() -> impl IntoView {
    let add = ServerAction::<AddFactor>::new();
    let renew = ServerAction::<RenewRecoveryCodes>::new();
    let remove = ServerAction::<RemoveOwnFactor>::new();
    let changed = move || add.version().get() + renew.version().get() + remove.version().get();
    let factor = reply(changed, |_| get_factor());
    let add_error = move || add.value().get().and_then(Result::err);
    let renew_error = move || renew.value().get().and_then(Result::err);
    let remove_error = move || remove.value().get().and_then(Result::err);
    let problem = Signal::derive(move || {
        let error = add_error().or_else(renew_error).or_else(remove_error)?;
        error.field().is_none().then_some(error)
    });
    let (add_at, renew_at, remove_at) = (at(add_error), at(renew_error), at(remove_error));
    view! {
        <Title text="Second factor" />
        <Sheet title="Second factor">
            {move || problem.get().map(problem_banner)} <Loaded reply=factor let:factor>
                {match factor {
                    FactorInfo::AtProxmox => at_proxmox().into_any(),
                    FactorInfo::Off { is_required, setup } => {
                        view! { <SetUp is_required setup add error_at=add_at /> }.into_any()
                    }
                    FactorInfo::On { is_required, since_ms, codes_left, codes } => {
                        view! {
                            {(!codes.is_empty()).then(|| told(codes))}
                            <On is_required since_ms codes_left />
                            <details class="more">
                                <summary>"New recovery codes"</summary>
                                <ActionForm action=renew attr:class="form">
                                    <Proof ids=("renew-password", "renew-code") error_at=renew_at />
                                    <button class="button primary" type="submit">
                                        "Make new codes"
                                    </button>
                                </ActionForm>
                            </details>
                            <details class="more">
                                <summary>"Turn off"</summary>
                                <ActionForm action=remove attr:class="form">
                                    <Proof
                                        ids=("remove-password", "remove-code")
                                        error_at=remove_at
                                    />
                                    <button class="button danger-text" type="submit">
                                        "Turn off"
                                    </button>
                                </ActionForm>
                            </details>
                        }
                            .into_any()
                    }
                }}
            </Loaded> <div class="sheet-foot">
                <a href="/account">"Back to the account"</a>
                <LogOutForm>
                    <button class="link" type="submit">
                        "Log out"
                    </button>
                </LogOutForm>
            </div>
        </Sheet>
    }
}

type ErrorAt = Callback<Field, Option<String>>;

/// The error of a form, if it belongs to that field.
fn at(error: impl Fn() -> Option<AccountError> + Send + Sync + 'static) -> ErrorAt {
    Callback::new(move |field| {
        error().filter(|error| error.field() == Some(field)).map(|error| error.to_string())
    })
}

fn problem_banner(error: AccountError) -> AnyView {
    match error {
        AccountError::Other(error) => {
            let error = Signal::stored(Some::<ApiError>(error));
            view! { <ActionProblem error /> }.into_any()
        }
        error => view! {
            <Banner tone=Tone::Bad title="Nothing was changed">
                <p>{error.to_string()}</p>
            </Banner>
        }
        .into_any(),
    }
}

fn at_proxmox() -> impl IntoView {
    view! {
        <p class="lead">
            "Proxmox checks the password of this account, and asks for its second factor as well. Set one up there, under Permissions, Two Factor."
        </p>
    }
}

/// Password and code: what each change takes.
#[component]
fn Proof(
    ids: (&'static str, &'static str),
    #[prop(default = "Of your authenticator; a recovery code does as well where it is lost.")]
    hint: &'static str,
    error_at: ErrorAt,
) -> impl IntoView {
    let error = move |field| -> FieldError { Signal::derive(move || error_at.run(field)) };
    view! {
        <TextField
            id=ids.0
            name="current"
            label="Current password"
            kind="password"
            autocomplete="current-password"
            error=error(Field::CurrentPassword)
        />
        <TextField
            id=ids.1
            name="code"
            label="Code"
            autocomplete="one-time-code"
            hint=hint
            error=error(Field::Code)
        />
    }
}

#[component]
fn SetUp(
    is_required: bool,
    setup: FactorSetup,
    add: ServerAction<AddFactor>,
    error_at: ErrorAt,
) -> impl IntoView {
    view! {
        <p class="lead">
            {is_required
                .then_some(
                    "Your account must have a second factor before it may do anything else. ",
                )}
            "Scan this with an authenticator on your phone, or type the key into it; then tell the code it shows. Whoever else is logged in with this account is logged out by it."
        </p>
        <Qr code=setup.qr />
        <p class="factor-key">
            <code>{setup.key.clone()}</code>
            <Copy text=setup.key.replace(' ', "") what="the key" />
        </p>
        <ActionForm action=add attr:class="form">
            <Proof
                ids=("current", "code")
                hint="The six digits that the authenticator shows now."
                error_at
            />
            <button
                class="button primary wide"
                type="submit"
                aria-busy=move || add.pending().get().then_some("true")
            >
                "Turn on"
            </button>
        </ActionForm>
    }
}

/// Always dark on light, whatever the theme: not every reader knows the other way round.
#[component]
fn Qr(code: QrCode) -> impl IntoView {
    let side = code.side + 2 * QUIET;
    view! {
        <svg
            class="qr"
            viewBox=format!("-{QUIET} -{QUIET} {side} {side}")
            role="img"
            aria-label="QR code of the key below"
            shape-rendering="crispEdges"
        >
            <path d=code.path />
        </svg>
    }
}

fn told(codes: Vec<String>) -> impl IntoView {
    let all = codes.join("\n");
    view! {
        <Banner tone=Tone::Info title="Your recovery codes">
            <p>
                "Keep them where your phone is not: each lets you in once in place of a code. They are shown in this session alone, for two minutes, and kept nowhere."
            </p>
            <ul class="recovery-codes" aria-label="Recovery codes">
                {codes.into_iter().map(|code| view! { <li>{code}</li> }).collect_view()}
            </ul>
            <Copy text=all what="all codes" />
        </Banner>
    }
}

#[component]
fn On(is_required: bool, since_ms: i64, codes_left: u32) -> impl IntoView {
    let left = match codes_left {
        0 => "no recovery code is left".to_owned(),
        1 => "one recovery code is left".to_owned(),
        count => format!("{count} recovery codes are left"),
    };
    view! {
        <p class="lead">
            "On since " <Exact at_ms=since_ms /> "; " {left} ". "
            {is_required
                .then_some(
                    "Your account must have one: when it is turned off, another is set up before anything else.",
                )}
        </p>
    }
}
