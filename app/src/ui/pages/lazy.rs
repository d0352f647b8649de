//! Pages whose WebAssembly is fetched when one of them is first opened, so that a first visit does not carry all of them.
//!
//! Those that lead to each other are fetched together. The splitter makes a file of what each set of parts has in common: with
//! a part for each page it made 560 files, and a guest's page waited for 364 of them.

use leptos::prelude::*;
use leptos_router::{ChooseView, LazyRoute, lazy_route};

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

/// `Part { Name: Page }`: each part one type, whose values are the views of routes.
macro_rules! parts {
    ($($(#[$doc:meta])* $part:ident { $first:ident: $first_page:ident $(, $name:ident: $page:ident)* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $part {
            $first,
            $($name,)*
        }

        #[lazy_route]
        impl LazyRoute for $part {
            /// Not asked for: each route has its value already.
            fn data() -> Self {
                Self::$first
            }

            fn view(page: Self) -> AnyView {
                match page {
                    $part::$first => view! { <$first_page /> }.into_any(),
                    $($part::$name => view! { <$page /> }.into_any(),)*
                }
            }
        }

        impl ChooseView for $part {
            async fn choose(self) -> AnyView {
                <Self as LazyRoute>::view(self).await
            }

            async fn preload(&self) {
                <Self as LazyRoute>::preload().await;
            }
        }
    )*};
}

parts! {
    /// What one sees first, and so as little as can be.
    Home { Dashboard: DashboardPage }
    /// The host, and its fellows in a cluster.
    Nodes { List: NodesPage, Node: NodePage }
    /// Many guests.
    Guests { List: GuestsPage, Plan: PlanAllPage }
    /// One guest, and how it comes to be.
    Guest {
        Tabs: GuestPage,
        Form: ActFormPage,
        Plan: PlanPage,
        New: NewGuestPage,
        CheckNew: CheckPage,
    }
    /// What was done.
    Record { History: HistoryPage, Operation: OperationPage, Again: AgainPage }
    /// Who one is, and who may do what.
    Access {
        LogIn: LogInPage,
        Factor: FactorPage,
        Password: PasswordPage,
        Account: AccountPage,
        AccountFactor: AccountFactorPage,
        Users: UsersPage,
        User: UserPage,
        Groups: GroupsPage,
        Roles: RolesPage,
        Grants: GrantsPage,
        Past: PastPage,
    }
}
