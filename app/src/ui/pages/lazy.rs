//! Pages whose WebAssembly is fetched when they are first opened, so that a first visit carries one page and not all.

use leptos::prelude::*;
use leptos_router::{Lazy, LazyRoute, lazy_route};

use super::{
    access::{GrantsPage, GroupsPage, PastPage, RolesPage, UserPage, UsersPage},
    account::AccountPage,
    account_factor::AccountFactorPage,
    act_form::ActFormPage,
    again::AgainPage,
    dashboard::DashboardPage,
    factor::FactorPage,
    guest::GuestPage,
    guest_new::{CheckPage, NewGuestPage},
    guests::GuestsPage,
    history::HistoryPage,
    login::LogInPage,
    nodes::{NodePage, NodesPage},
    operation::OperationPage,
    password::PasswordPage,
    plan::PlanPage,
    plan_all::PlanAllPage,
};

/// `Name = Route: Page`, where a route is a type of its own.
macro_rules! lazy {
    ($($name:ident = $route:ident: $page:ident),* $(,)?) => {$(
        pub type $name = Lazy<$route>;

        pub struct $route;

        #[lazy_route]
        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> AnyView {
                view! { <$page /> }.into_any()
            }
        }
    )*};
}

lazy! {
    Account = AccountRoute: AccountPage,
    AccountFactor = AccountFactorRoute: AccountFactorPage,
    ActForm = ActFormRoute: ActFormPage,
    Again = AgainRoute: AgainPage,
    Dashboard = DashboardRoute: DashboardPage,
    CheckNewGuest = CheckNewGuestRoute: CheckPage,
    Factor = FactorRoute: FactorPage,
    Grants = GrantsRoute: GrantsPage,
    Groups = GroupsRoute: GroupsPage,
    Guest = GuestRoute: GuestPage,
    Guests = GuestsRoute: GuestsPage,
    History = HistoryRoute: HistoryPage,
    LogIn = LogInRoute: LogInPage,
    NewGuest = NewGuestRoute: NewGuestPage,
    Node = NodeRoute: NodePage,
    Nodes = NodesRoute: NodesPage,
    Operation = OperationRoute: OperationPage,
    Password = PasswordRoute: PasswordPage,
    Past = PastRoute: PastPage,
    Plan = PlanRoute: PlanPage,
    PlanAll = PlanAllRoute: PlanAllPage,
    Roles = RolesRoute: RolesPage,
    User = UserRoute: UserPage,
    Users = UsersRoute: UsersPage,
}
