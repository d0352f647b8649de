//! States of the guest that were kept: taken, gone back to, deleted. Each by the plan of it.

use leptos::prelude::*;

use super::{At, Page};
use crate::{
    api::guests::{ActionChoice, SnapshotList, get_snapshots},
    domain::{
        action::{GuestAction, Refusal},
        form,
        guest::{GuestId, Snapshot},
        spec::Changes,
    },
    ui::{
        components::{
            ago::Ago,
            empty::Empty,
            guest_actions::{ActionButton, plan_href},
            icon::Glyph,
            loaded::Loaded,
            parameters::Parameters,
            table::{AddPanel, Beside, Table},
        },
        live::Live,
        reply::reply,
        typed::{Typing, of_address},
    },
};

#[component]
pub fn Snapshots(at: At) -> impl IntoView {
    let live = expect_context::<Live>();
    let asked = (at.backend.clone(), at.name.clone());
    let list =
        reply(move || (asked.clone(), live.version()), |((backend, name), _)| get_snapshots(backend, name));
    let typing = Typing::new(of_address().get_untracked(), |typed| {
        form::read(GuestAction::Snapshot, typed, &Changes::default()).err().unwrap_or_default()
    });
    let page = at.page;
    view! {
        <Loaded reply=page let:page>
            {page
                .map(|page| {
                    view! {
                        <Loaded reply=list let:found>
                            {found
                                .map(|found| view! { <Known page=page.clone() found typing /> })
                                .into_any()}
                        </Loaded>
                    }
                })
                .into_any()}
        </Loaded>
    }
}

#[component]
fn Known(page: Page, found: SnapshotList, typing: Typing) -> impl IntoView {
    let guest = page.detail.guest.id.clone();
    let lacks = match page.refusal(GuestAction::Snapshot) {
        Some(Refusal::Unsupported { reason, .. }) => Some(reason.clone()),
        _ => None,
    };
    if let Some(why) = lacks {
        let title = format!("There are no snapshots with {}", guest.backend.label());
        return view! {
            <Empty glyph=Glyph::Keep title>
                <p>{why}</p>
            </Empty>
        }
        .into_any();
    }
    let id = guest.clone();
    let choice = move |action| ActionChoice { action, refusal: page.refusal(action).cloned() };
    let SnapshotList { now_ms, snapshots } = found;
    let list = if snapshots.is_empty() {
        view! {
            <Empty glyph=Glyph::Keep title="There are no snapshots yet">
                <p>"One that is taken now is what the guest can be rolled back to later."</p>
            </Empty>
        }
        .into_any()
    } else {
        let (rollback, delete) = (choice(GuestAction::Rollback), choice(GuestAction::DeleteSnapshot));
        let row = move |(depth, snapshot): (usize, Snapshot)| {
            let (rollback, delete, guest) = (rollback.clone(), delete.clone(), guest.clone());
            view! { <Row snapshot depth guest rollback delete now_ms /> }
        };
        view! {
            <Table
                columns=&["Name", "Taken", "Description"]
                action=Some("Go back to it or delete it")
            >
                {as_tree(snapshots).into_iter().map(row).collect_view()}
            </Table>
        }
        .into_any()
    };
    let parameters = form::parameters(id.backend, GuestAction::Snapshot);
    let take = choice(GuestAction::Snapshot);
    let add = view! {
        <AddPanel id="take" title="Take a snapshot">
            <form
                class="form"
                method="get"
                action=plan_href(&id, GuestAction::Snapshot)
                on:input=move |event| typing.on_input(&event)
                on:submit=move |event| typing.check(&event)
            >
                <Parameters parameters typing />
                <span class="action">
                    <ActionButton choice=take main=true />
                </span>
            </form>
        </AddPanel>
    }
    .into_any();
    view! { <Beside add=Some(add)>{list}</Beside> }.into_any()
}

/// Each with how many came before it in its line; where the backend tells no parents they are in no line.
fn as_tree(snapshots: Vec<Snapshot>) -> Vec<(usize, Snapshot)> {
    let is_there = |name: &String| snapshots.iter().any(|snapshot| snapshot.name == *name);
    let roots: Vec<Snapshot> = snapshots
        .iter()
        .filter(|snapshot| !snapshot.parent.as_ref().is_some_and(is_there))
        .cloned()
        .collect();
    let mut told = Vec::new();
    let mut ahead: Vec<(usize, Snapshot)> = roots.into_iter().rev().map(|root| (0, root)).collect();
    while let Some((depth, snapshot)) = ahead.pop() {
        // A circle of parents would never end.
        if told.len() > snapshots.len() {
            break;
        }
        let children = snapshots.iter().rev().filter(|it| it.parent.as_ref() == Some(&snapshot.name));
        ahead.extend(children.map(|child| (depth + 1, child.clone())));
        told.push((depth, snapshot));
    }
    told
}

#[component]
fn Row(
    snapshot: Snapshot,
    depth: usize,
    guest: GuestId,
    rollback: ActionChoice,
    delete: ActionChoice,
    now_ms: i64,
) -> impl IntoView {
    let Snapshot { name, created_ms, description, memory, .. } = snapshot;
    let asks = [(rollback, "Roll back"), (delete, "Delete")].map(|(choice, label)| {
        let (name, href) = (name.clone(), plan_href(&guest, choice.action));
        view! {
            <form class="action" method="get" action=href>
                <input type="hidden" name="snapshot" value=name.clone() />
                <ActionButton choice main=false of=format!("-{name}") label />
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row" class="mono strong branch" style=format!("--depth: {}", depth.min(12))>
                {name}
                {memory.then(|| view! { <span class="chip">"with memory"</span> })}
            </th>
            <td class="when" data-label="Taken">
                {created_ms.map(|at_ms| view! { <Ago at_ms now_ms /> })}
            </td>
            <td class="lines long" data-label="Description">
                {description}
            </td>
            <td class="c-action">
                <div class="row-actions">{asks.into_iter().collect_view()}</div>
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str, parent: Option<&str>) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            created_ms: None,
            description: String::new(),
            parent: parent.map(str::to_owned),
            memory: false,
        }
    }

    fn told(snapshots: &[(&str, Option<&str>)]) -> String {
        let tree = as_tree(snapshots.iter().map(|(name, parent)| snapshot(name, *parent)).collect());
        tree.iter().map(|(depth, snapshot)| format!("{depth}{}", snapshot.name)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn snapshots_stand_under_the_one_they_were_taken_after() {
        let tree = [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a")), ("e", Some("gone"))];
        assert_eq!(told(&tree), "0a 1b 2c 1d 0e");
        assert_eq!(told(&[("snap0", None), ("snap1", None)]), "0snap0 0snap1");
    }

    #[test]
    fn a_circle_of_parents_ends() {
        assert_eq!(told(&[("a", Some("b")), ("b", Some("a"))]), "");
        assert!(told(&[("r", None), ("r", Some("r"))]).len() < 40);
    }
}
