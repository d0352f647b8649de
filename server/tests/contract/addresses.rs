//! Every address of the web, and which right it asks for.

use app::domain::{
    access::Privilege::{self, Audit, Create, History, Power, See, Users},
    account::Owed,
};
use http::Method;

/// Which right an address asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, not even a log-in.
    Nothing,
    /// As [`Nothing`](Self::Nothing); whoever still has a one-time password is sent to where to replace it.
    LogInPage,
    /// A log-in, whatever has to be done before anything else.
    AnySession,
    /// A log-in, also of somebody who has just this to do first.
    Owing(Owed),
    /// A log-in; what is answered is what that person may see.
    Session,
    Somewhere(Privilege),
    Everything(Privilege),
    /// Either of them.
    EitherOnEverything(Privilege, Privilege),
    /// On the guest that is asked about.
    Guest(Privilege),
    /// On the guest of the operation that is asked about, whose history one must see.
    Operation(Privilege),
    /// To make a guest of that name, which has no tags yet, by an operation whose history one must see.
    Again,
}

/// How it is called. `{backend}`, `{name}` and `{operation}` stand for those of the guest that is asked about; fields are sent
/// as a form. Whoever may do it gets an answer that changes nothing: the values are wrong in some other way.
#[derive(Debug, Clone)]
pub struct Address {
    /// As the router has it.
    pub path: &'static str,
    pub method: Method,
    pub call: &'static str,
    pub fields: &'static [(&'static str, &'static str)],
    pub needs: Needs,
}

const fn get(path: &'static str, call: &'static str, needs: Needs) -> Address {
    Address { path, method: Method::GET, call, fields: &[], needs }
}

const fn post(path: &'static str, fields: &'static [(&'static str, &'static str)], needs: Needs) -> Address {
    Address { path, method: Method::POST, call: path, fields, needs }
}

pub const PAGES: &[Address] = &[
    get("/", "/", Needs::Session),
    get("/login", "/login", Needs::LogInPage),
    get("/login/factor", "/login/factor", Needs::LogInPage),
    get("/account/password", "/account/password", Needs::Owing(Owed::Password)),
    get("/account/factor", "/account/factor", Needs::Owing(Owed::Factor)),
    get("/account", "/account", Needs::Session),
    get("/guests", "/guests", Needs::Session),
    get("/guests/new", "/guests/new", Needs::Session),
    get("/guests/new/plan", "/guests/new/plan?backend=lxc&name=-", Needs::Session),
    get("/guests/plan", "/guests/plan?action=stop&guest={backend}/{name}", Needs::Session),
    get("/guests/{backend}/{name}", "/guests/{backend}/{name}", Needs::Guest(See)),
    get("/guests/{backend}/{name}/timeline", "/guests/{backend}/{name}/timeline", Needs::Guest(See)),
    get(
        "/guests/{backend}/{name}/configuration",
        "/guests/{backend}/{name}/configuration",
        Needs::Guest(See),
    ),
    get("/guests/{backend}/{name}/snapshots", "/guests/{backend}/{name}/snapshots", Needs::Guest(See)),
    get("/guests/{backend}/{name}/exec", "/guests/{backend}/{name}/exec", Needs::Guest(See)),
    get("/guests/{backend}/{name}/do/{action}", "/guests/{backend}/{name}/do/clone", Needs::Guest(See)),
    get("/guests/{backend}/{name}/plan/{action}", "/guests/{backend}/{name}/plan/stop", Needs::Guest(See)),
    get("/nodes", "/nodes", Needs::Session),
    get("/nodes/{name}", "/nodes/no-such", Needs::Session),
    get("/history", "/history", Needs::Session),
    get("/history/{id}", "/history/{operation}", Needs::Operation(History)),
    get("/history/{id}/again", "/history/{operation}/again", Needs::Operation(History)),
    get("/access", "/access", Needs::Session),
    get("/access/users/{name}", "/access/users/newcomer", Needs::Session),
    get("/access/groups", "/access/groups", Needs::Session),
    get("/access/roles", "/access/roles", Needs::Session),
    get("/access/grants", "/access/grants", Needs::Session),
    get("/access/history", "/access/history", Needs::Session),
    get("/history/export", "/history/export?format=csv", Needs::Session),
    get("/events", "/events", Needs::Session),
    get("/events/operations/{id}", "/events/operations/{operation}", Needs::Operation(History)),
    post("/theme", &[("theme", "dark")], Needs::Nothing),
    post("/rail", &[("rail", "narrow")], Needs::Nothing),
];

/// What every change of a second factor takes.
const WRONG_PROOF: &[(&str, &str)] = &[("current", "x"), ("code", "y")];

pub const FUNCTIONS: &[Address] = &[
    get("/api/account/realms", "/api/account/realms", Needs::Nothing),
    post("/api/account/factor", &[("code", "x")], Needs::Nothing),
    get("/api/account/frame", "/api/account/frame", Needs::Session),
    post("/api/account/log_in", &[("username", "x"), ("password", "y")], Needs::Nothing),
    post("/api/account/log_out", &[], Needs::Nothing),
    post("/api/account/password", &[("current", "x"), ("new", "y"), ("repeat", "y")], Needs::AnySession),
    get("/api/account/factor-info", "/api/account/factor-info", Needs::Owing(Owed::Factor)),
    post("/api/account/factor-add", WRONG_PROOF, Needs::Owing(Owed::Factor)),
    post("/api/account/factor-codes", WRONG_PROOF, Needs::Owing(Owed::Factor)),
    post("/api/account/factor-remove", WRONG_PROOF, Needs::Owing(Owed::Factor)),
    get("/api/account/sessions", "/api/account/sessions", Needs::Session),
    post("/api/account/session-end", &[("id", "987654")], Needs::Session),
    post("/api/account/sessions-end-others", &[], Needs::Session),
    // None was made in that session.
    get("/api/account/token-told", "/api/account/token-told", Needs::Session),
    get("/api/account/tokens", "/api/account/tokens", Needs::Session),
    post("/api/account/token-add", &[("name", "")], Needs::Session),
    post("/api/account/token-remove", &[("id", "987654")], Needs::Session),
    get("/api/views/list", "/api/views/list", Needs::Session),
    post("/api/views/save", &[("name", "")], Needs::Session),
    post("/api/views/remove", &[("id", "987654")], Needs::Session),
    get("/api/users/sessions", "/api/users/sessions?name=newcomer", Needs::EitherOnEverything(Users, Audit)),
    post("/api/users/session-end", &[("name", "no-such"), ("id", "1")], Needs::Everything(Users)),
    post("/api/users/sessions-end", &[("name", "no-such")], Needs::Everything(Users)),
    get("/api/users/tokens", "/api/users/tokens?name=newcomer", Needs::EitherOnEverything(Users, Audit)),
    post("/api/users/token-remove", &[("name", "no-such"), ("id", "1")], Needs::Everything(Users)),
    get("/api/dashboard/get", "/api/dashboard/get", Needs::Session),
    get("/api/palette/find", "/api/palette/find?text=1", Needs::Session),
    get("/api/nodes/list", "/api/nodes/list", Needs::Somewhere(See)),
    get("/api/guests/list", "/api/guests/list", Needs::Session),
    get("/api/guests/page", "/api/guests/page?q=status:running", Needs::Session),
    get("/api/guests/get", "/api/guests/get?backend={backend}&name={name}", Needs::Guest(See)),
    get(
        "/api/guests/preview",
        "/api/guests/preview?backend={backend}&name={name}&action=stop",
        Needs::Guest(See),
    ),
    get("/api/guests/snapshots", "/api/guests/snapshots?backend={backend}&name={name}", Needs::Guest(See)),
    get("/api/guests/form", "/api/guests/form?backend={backend}&name={name}&action=clone", Needs::Guest(See)),
    // It is not running.
    post(
        "/api/guests/act",
        &[("backend", "{backend}"), ("name", "{name}"), ("action", "stop")],
        Needs::Guest(Power),
    ),
    get(
        "/api/guests/preview-all",
        "/api/guests/preview-all?action=stop&guests%5B%5D={backend}/{name}",
        Needs::Session,
    ),
    // All of them are left out, for want of a right or as they do not run, so the first one's refusal is the answer.
    post(
        "/api/guests/act-on-all",
        &[("action", "stop"), ("guests[]", "{backend}/{name}")],
        Needs::Guest(Power),
    ),
    post("/api/guests/create", &[("form[backend]", "lxc"), ("form[name]", "-")], Needs::Somewhere(Create)),
    get(
        "/api/guests/preview-create",
        "/api/guests/preview-create?form[backend]=lxc&form[name]=-",
        Needs::Somewhere(Create),
    ),
    get("/api/guests/choices", "/api/guests/choices", Needs::Somewhere(See)),
    get("/api/usage/guest", "/api/usage/guest?backend={backend}&name={name}", Needs::Guest(See)),
    get("/api/usage/node", "/api/usage/node?name=no-such", Needs::Somewhere(See)),
    get("/api/operations/list", "/api/operations/list", Needs::Session),
    get(
        "/api/operations/of-guest",
        "/api/operations/of-guest?backend={backend}&name={name}",
        Needs::Operation(History),
    ),
    get("/api/operations/get", "/api/operations/get?id={operation}", Needs::Operation(History)),
    get("/api/operations/plan-again", "/api/operations/plan-again?id={operation}", Needs::Operation(History)),
    post("/api/operations/again", &[("id", "{operation}"), ("plan", "x")], Needs::Again),
    // It has ended.
    post("/api/operations/cancel", &[("id", "{operation}")], Needs::Operation(Create)),
    get("/api/access/get", "/api/access/get", Needs::EitherOnEverything(Users, Audit)),
    get("/api/access/user", "/api/access/user?name=newcomer", Needs::EitherOnEverything(Users, Audit)),
    get("/api/access/past", "/api/access/past", Needs::EitherOnEverything(Users, Audit)),
    post("/api/access/add-user", &[("name", "a b")], Needs::Everything(Users)),
    post("/api/access/reset-password", &[("name", "no-such")], Needs::Everything(Users)),
    post(
        "/api/access/require-factor",
        &[("name", "no-such"), ("required", "true")],
        Needs::Everything(Users),
    ),
    post("/api/access/remove-factor", &[("name", "no-such")], Needs::Everything(Users)),
    post("/api/access/disable-user", &[("name", "no-such"), ("disabled", "true")], Needs::Everything(Users)),
    post("/api/access/expire-user", &[("name", "no-such")], Needs::Everything(Users)),
    post("/api/access/remove-user", &[("name", "no-such")], Needs::Everything(Users)),
    post("/api/access/add-group", &[("name", "a b")], Needs::Everything(Users)),
    post("/api/access/remove-group", &[("name", "no-such")], Needs::Everything(Users)),
    post(
        "/api/access/set-member",
        &[("group", "no-such"), ("user", "no-such"), ("member", "true")],
        Needs::Everything(Users),
    ),
    post("/api/access/save-role", &[("name", "A b"), ("privileges[]", "see")], Needs::Everything(Users)),
    post("/api/access/remove-role", &[("name", "no-such")], Needs::Everything(Users)),
    post(
        "/api/access/add-grant",
        &[("holder", "user:no-such"), ("role", "viewer"), ("scope", "everything")],
        Needs::Everything(Users),
    ),
    post("/api/access/remove-grant", &[("id", "987654")], Needs::Everything(Users)),
];
