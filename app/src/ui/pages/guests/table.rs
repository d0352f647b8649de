//! The table of guests. Of a long one only the rows in sight exist: those above and below are one empty row each, as high as
//! they would be.

use std::sync::Arc;

use leptos::{ev, html, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    choose::{Actions, Choose, ChooseAll, Chosen},
    row::Row,
};
use crate::{
    api::guests::{Act, GuestRow},
    domain::{
        guest::GuestId,
        list::{Column, Heading, ListLine, ListQuery},
    },
    ui::components::badge::StatusBadge,
};

/// Rows that exist above and below those in sight, so that a quick hand finds them there.
const AROUND: usize = 12;
/// The rows in sight change by so many at once.
const STEP: usize = 6;
/// Until the first row was measured, pixels.
const ROW: f64 = 36.0;
/// A table of so many lines is there whole.
const SHORT: usize = 120;

/// A line with what tells it from the others while the list changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Heading(Heading),
    /// With the heading that it is under: with tags a guest has several lines.
    Guest(Arc<str>, GuestId),
}

impl Line {
    fn key(&self) -> (Arc<str>, Option<GuestId>) {
        match self {
            // What it counts may change: then it is another line.
            Self::Heading(heading) => (format!("{heading:?}").into(), None),
            Self::Guest(under, id) => (under.clone(), Some(id.clone())),
        }
    }
}

/// Names the guests of what was arranged, so that they are found when the list has changed.
pub fn lines<'a>(arranged: &[ListLine], guest: impl Fn(usize) -> Option<&'a GuestRow>) -> Vec<Line> {
    let mut under: Arc<str> = "".into();
    let line = |line: &ListLine| match line {
        ListLine::Heading(heading) => {
            under = heading.title.as_str().into();
            Some(Line::Heading(heading.clone()))
        }
        ListLine::Guest(at) => Some(Line::Guest(under.clone(), guest(*at)?.guest.id.clone())),
    };
    arranged.iter().filter_map(line).collect()
}

/// What a table shows, and how its rows are found.
#[derive(Clone, Copy)]
pub struct Shown {
    pub lines: Signal<Arc<Vec<Line>>>,
    pub row: StoredValue<RowOf>,
    pub now_ms: Signal<i64>,
}

/// Tracks the row's changes.
pub type RowOf = Arc<dyn Fn(&GuestId) -> Option<Arc<GuestRow>> + Send + Sync>;

#[component]
pub fn Table(shown: Shown, act: ServerAction<Act>, chosen: Chosen) -> impl IntoView {
    let body = NodeRef::<html::Tbody>::new();
    let sight = Sight::new(body, Signal::derive(move || shown.lines.read().len()));
    let all = Memo::new(move |_| {
        let lines = shown.lines.read();
        let mut guests: Vec<GuestId> = Vec::with_capacity(lines.len());
        let ids = lines.iter().filter_map(|line| match line {
            Line::Guest(_, id) => Some(id.clone()),
            Line::Heading(_) => None,
        });
        guests.extend(ids);
        guests
    });
    let in_sight = move || {
        let lines = shown.lines.read();
        let (from, to) = sight.range(lines.len());
        lines[from..to].iter().cloned().enumerate().map(|(at, line)| (from + at, line)).collect::<Vec<_>>()
    };
    let line = move |(at, line): (usize, Line)| match line {
        Line::Heading(heading) => view! { <HeadingRow heading /> }.into_any(),
        Line::Guest(_, id) => {
            let Some(first) = (shown.row.get_value())(&id) else { return ().into_any() };
            let label = first.guest.label().to_owned();
            let page = id.href();
            let of = id.clone();
            // One that has just gone shows what it was for the moment until its line goes.
            let row = Memo::new(move |before: Option<&Arc<GuestRow>>| {
                (shown.row.get_value())(&of).or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
            });
            view! {
                <tr data-row=page aria-rowindex=(at + 2).to_string()>
                    <td class="c-choose">
                        <Choose guest=id label chosen all />
                    </td>
                    <Row row now_ms=shown.now_ms act />
                </tr>
            }
            .into_any()
        }
    };
    view! {
        <table class="guests" aria-rowcount=move || (shown.lines.read().len() + 1).to_string()>
            <thead>
                <tr>
                    <td class="c-choose">
                        <ChooseAll chosen all />
                    </td>
                    <Head column=Column::Status class="c-state" label="State" />
                    <Head column=Column::Name class="c-name" label="Name" />
                    <Head column=Column::Cpu class="c-cpu" label="CPU" />
                    <Head column=Column::Memory class="c-memory" label="Memory" />
                    <Head column=Column::Address class="c-address" label="Address" />
                    <Head column=Column::Uptime class="c-uptime" label="Uptime" />
                    <Head column=Column::Last class="c-last" label="Last operation" />
                    <th scope="col" class="c-action">
                        <span class="unseen">"Action"</span>
                    </th>
                </tr>
            </thead>
            <tbody node_ref=body>
                {move || sight.space(sight.before())}
                <For each=in_sight key=|(_, line)| line.key() children=line />
                {move || sight.space(sight.after(shown.lines.read().len()))}
            </tbody>
        </table>
        <Actions chosen />
    }
}

/// A column's name, which sorts by it.
#[component]
fn Head(column: Column, class: &'static str, label: &'static str) -> impl IntoView {
    let search = use_query_map();
    let query = move || {
        let search = search.read();
        let word = |key| search.get_str(key).unwrap_or_default();
        ListQuery::of(word("q"), word("sort"), word("group"))
    };
    let sorted = move || {
        let sort = query().sort;
        (sort.column == column).then_some(if sort.is_down { "descending" } else { "ascending" })
    };
    let href = move || {
        let query = query();
        format!("/guests{}", ListQuery { sort: query.sort.by(column), ..query }.search(1))
    };
    view! {
        <th scope="col" class=class aria-sort=sorted>
            <a class="sort" href=href>
                {label}
            </a>
        </th>
    }
}

/// What stands over guests that are put together.
#[component]
fn HeadingRow(heading: Heading) -> impl IntoView {
    let Heading { title, counts } = heading;
    // Under a state there is that one alone.
    let is_state = matches!(counts.as_slice(), [(status, _)] if status.as_str() == title);
    let counts = counts
        .into_iter()
        .map(|(status, count)| {
            view! {
                <span class="group-count">
                    {(!is_state).then(|| view! { <StatusBadge status /> })}
                    <span class="figures">{count}</span>
                </span>
            }
        })
        .collect_view();
    view! {
        <tr class="group">
            <th scope="rowgroup" colspan="9">
                <div class="group-line">
                    <span class="group-title">{title}</span>
                    {counts}
                </div>
            </th>
        </tr>
    }
}

/// Which rows are in sight.
#[derive(Clone, Copy)]
struct Sight {
    /// The first row that exists and one past the last; `None`: all do.
    rows: RwSignal<Option<(usize, usize)>>,
    height: RwSignal<f64>,
}

impl Sight {
    /// Looks after every scroll and whenever the number of lines changes.
    fn new(body: NodeRef<html::Tbody>, count: Signal<usize>) -> Self {
        let sight = Self { rows: RwSignal::new(None), height: RwSignal::new(ROW) };
        Effect::new(move |_| {
            let is_waiting = StoredValue::new(false);
            let look = move || {
                let _gone = is_waiting.try_set_value(false);
                let _gone = sight.look(body, count.try_get_untracked().unwrap_or_default());
            };
            // Once a frame, however many events there are.
            let soon = move || {
                if !is_waiting.get_value() {
                    is_waiting.set_value(true);
                    request_animation_frame(look);
                }
            };
            let scroll = window_event_listener(ev::scroll, move |_| soon());
            let resize = window_event_listener(ev::resize, move |_| soon());
            on_cleanup(move || {
                scroll.remove();
                resize.remove();
            });
            let _count = count.get();
            look();
        });
        sight
    }

    fn look(self, body: NodeRef<html::Tbody>, count: usize) -> Option<()> {
        if count <= SHORT {
            if self.rows.try_get_untracked()?.is_some() {
                self.rows.set(None);
            }
            return Some(());
        }
        let body = body.try_get_untracked()??;
        if let Ok(Some(row)) = body.query_selector("tr[data-row]") {
            let height = row.get_bounding_client_rect().height();
            if height > 1.0 && (height - self.height.get_untracked()).abs() > 0.5 {
                self.height.set(height);
            }
        }
        let height = self.height.get_untracked();
        let above = -body.get_bounding_client_rect().top();
        let tall = window().inner_height().ok()?.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are at least 0, and whole rows are meant"
        )]
        let (first, fit) = ((above / height).max(0.0) as usize, (tall / height).max(0.0) as usize + 1);
        let from = first.saturating_sub(AROUND) / STEP * STEP;
        let to = ((first + fit + AROUND) / STEP + 1) * STEP;
        let rows = Some((from, to));
        if self.rows.try_get_untracked()? != rows {
            self.rows.set(rows);
        }
        Some(())
    }

    fn range(self, count: usize) -> (usize, usize) {
        let (from, to) = self.rows.get().unwrap_or((0, count));
        // Where the list has just become shorter.
        (from.min(count), to.min(count))
    }

    /// How many rows there would be above those that exist.
    fn before(self) -> usize {
        self.rows.get().map_or(0, |(from, _)| from)
    }

    fn after(self, count: usize) -> usize {
        self.rows.get().map_or(0, |(_, to)| count.saturating_sub(to))
    }

    /// As high as so many rows.
    fn space(self, rows: usize) -> Option<impl IntoView> {
        #[expect(clippy::cast_precision_loss, reason = "a list is not that long")]
        let height = move || format!("{}px", rows as f64 * self.height.get());
        (rows > 0).then(|| {
            view! {
                <tr class="space" aria-hidden="true" style:height=height>
                    <td colspan="9"></td>
                </tr>
            }
        })
    }
}
