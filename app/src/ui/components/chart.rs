//! One chart of the last hour: a line for each column, drawn on the server as well as in the browser.

use leptos::{ev::PointerEvent, prelude::*};
use web_sys::HtmlElement;

use crate::{
    domain::usage::{Column, Series},
    ui::plot::{self, HEIGHT, Unit, WIDTH},
};

/// What a chart shows.
#[derive(Clone, Copy)]
pub struct Kind {
    pub title: &'static str,
    pub unit: Unit,
    pub lines: &'static [Line],
    /// All there is.
    pub most: fn(&Series) -> Option<u64>,
}

/// One line of a chart.
pub struct Line {
    /// The word that tells it from the other; empty where there is one.
    pub name: &'static str,
    pub of: fn(&Series) -> &Column,
}

impl Kind {
    fn column<'a>(&self, series: &'a Series, line: usize) -> Option<&'a Column> {
        self.lines.get(line).map(|line| (line.of)(series))
    }

    /// Whether anything was ever told.
    pub fn is_known(&self, series: &Series) -> bool {
        self.lines.iter().any(|line| (line.of)(series).iter().any(Option::is_some))
    }

    fn top(&self, series: &Series) -> u64 {
        let highest = self.lines.iter().filter_map(|line| Some(plot::range((line.of)(series))?.1)).max();
        self.unit.top(highest.unwrap_or_default(), (self.most)(series))
    }

    /// The figure of a line at this moment, or at the newest.
    pub fn figure(&self, series: &Series, line: usize, at_ms: Option<i64>) -> Option<String> {
        let index = match at_ms {
            Some(at_ms) => plot::index(series, at_ms)?,
            None => series.len().checked_sub(1)?,
        };
        let value = (*self.column(series, line)?.get(index)?)?;
        Some(self.unit.figure(value))
    }

    fn told(&self, series: &Series) -> String {
        let lines = self.lines.iter().map(|Line { name, of }| {
            let name =
                if name.is_empty() { self.title.to_owned() } else { format!("{}, {name}", self.title) };
            plot::told(&name, of(series), self.unit)
        });
        format!("The last hour. {}.", lines.collect::<Vec<_>>().join(". "))
    }
}

/// `cursor` is the moment whose figures all charts of a page show, milliseconds since 1970; the newest without one.
#[component]
pub fn Chart(kind: Kind, series: Signal<Series>, cursor: RwSignal<Option<i64>>) -> impl IntoView {
    let top = Memo::new(move |_| kind.top(&series.read()));
    let pointed = move |event: PointerEvent| {
        let plot: HtmlElement = event_target(&event);
        let permille = i64::from(event.offset_x()) * 1000 / i64::from(plot.offset_width().max(1));
        cursor.set(plot::nearest(&series.read(), permille.clamp(0, 1000)));
    };
    let most = move || {
        let most = (kind.most)(&series.read())?;
        Some(format!("of {}", kind.unit.round(most)))
    };
    let figures = (0..kind.lines.len()).map(|line| {
        let name = kind.lines[line].name;
        let figure =
            move || kind.figure(&series.read(), line, cursor.get()).unwrap_or_else(|| "–".to_owned());
        view! {
            <span class="chart-figure" class:second=line == 1>
                {(!name.is_empty()).then(|| view! { <span class="chart-key">{name}</span> })}
                <span class="figures">{figure}</span>
            </span>
        }
    });
    let lines = (0..kind.lines.len()).map(|line| {
        let d = move || {
            let series = series.read();
            kind.column(&series, line).map(|column| plot::line(&series, column, top.get()))
        };
        view! { <path class="chart-line" class:second=line == 1 d=d></path> }
    });
    let area = (kind.lines.len() == 1).then(|| {
        let d = move || {
            let series = series.read();
            kind.column(&series, 0).map(|column| plot::area(&series, column, top.get()))
        };
        view! { <path class="chart-area" d=d></path> }
    });
    let at = move || cursor.get().and_then(|at_ms| plot::across(&series.read(), at_ms));
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">{kind.title}</span>
                {figures.collect_view()}
                <span class="meta">{most}</span>
            </figcaption>
            <div
                class="plot"
                on:pointermove=pointed
                on:pointerdown=pointed
                on:pointerleave=move |_| cursor.set(None)
            >
                <span class="plot-top figures" aria-hidden="true">
                    {move || kind.unit.round(top.get())}
                </span>
                <svg
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=move || kind.told(&series.read())
                >
                    <path
                        class="chart-grid"
                        d=format!("M0 0H{WIDTH}M0 {}H{WIDTH}", HEIGHT / 2)
                    ></path>
                    {area}
                    {lines.collect_view()}
                    <path
                        class="chart-cursor"
                        d=move || at().map(|x| format!("M{x} 0V{HEIGHT}"))
                    ></path>
                </svg>
            </div>
            <div class="plot-times" aria-hidden="true">
                <span>"60 min ago"</span>
                <span>"30 min ago"</span>
                <span>"now"</span>
            </div>
        </figure>
    }
}
