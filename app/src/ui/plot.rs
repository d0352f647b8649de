//! From figures to lines: where a chart's points are, how high it goes, and what is said of it. Pure.
//!
//! Whole numbers throughout: a unit across is a second, so that no point falls between two.

use crate::domain::{
    limits::Cpus,
    usage::{Column, KEPT_MS, Series, height},
    words,
};

/// A chart is an hour wide, to the newest moment at its right.
pub const WIDTH: i64 = KEPT_MS / 1000;
pub const HEIGHT: i64 = 1000;
/// Two moments further apart than so many intervals are not joined: something in between was not measured.
const APART: i64 = 3;

/// What the figures of a chart are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Thousandths of a core.
    Cores,
    Bytes,
    /// Bytes a second.
    Rate,
}

impl Unit {
    /// "0.35 cores", "1.5 GiB", "12.0 KiB/s"
    pub fn figure(self, value: u64) -> String {
        match self {
            Self::Cores => format!("{}.{:02} cores", value / 1000, value % 1000 / 10),
            Self::Bytes => words::bytes(value),
            Self::Rate => words::bytes(value) + "/s",
        }
    }

    /// As [`figure`](Self::figure), without decimals where there are none.
    pub fn round(self, value: u64) -> String {
        match self {
            Self::Cores => {
                let cpus = Cpus(u32::try_from(value).unwrap_or(u32::MAX));
                format!("{cpus} {}", if cpus.0 == 1000 { "core" } else { "cores" })
            }
            Self::Bytes | Self::Rate => self.figure(value).replace(".0 ", " "),
        }
    }

    /// How high a chart goes: to all there is if that leaves something to be seen, else a round figure above the
    /// highest.
    pub fn top(self, highest: u64, most: Option<u64>) -> u64 {
        if let Some(most) = most.filter(|most| *most > 0 && highest.saturating_mul(4) >= *most) {
            return most.max(highest);
        }
        match self {
            Self::Cores => {
                let steps = (0..).map(|power| 10_u64.pow(power)).take(9);
                let steps = steps.flat_map(|ten| [100, 200, 500].map(|step| step * ten));
                steps.into_iter().find(|step| *step >= highest).unwrap_or(highest)
            }
            Self::Bytes => highest.max(1 << 20).checked_next_power_of_two().unwrap_or(u64::MAX),
            Self::Rate => highest.max(1 << 14).checked_next_power_of_two().unwrap_or(u64::MAX),
        }
    }
}

/// The moments of a column of which something is known: x and y by the chart's own measure. Where moments are missing
/// there is a `None` between them.
fn points(series: &Series, column: &Column, top: u64) -> Vec<Option<(i64, i64)>> {
    let Some(end_ms) = series.end_ms() else { return Vec::new() };
    let apart = APART * i64::from(series.interval_ms.max(1));
    let mut points = Vec::with_capacity(column.len());
    let mut before = None;
    for (index, value) in column.iter().enumerate() {
        let (Some(at), Some(value)) = (series.time(index), *value) else { continue };
        let x = WIDTH - (end_ms - at) / 1000;
        if before.is_some_and(|before| at - before > apart) {
            points.push(None);
        }
        before = Some(at);
        if x >= 0 {
            points.push(Some((x, HEIGHT - part(value, top))));
        }
    }
    points
}

/// Of the height, at most all of it.
fn part(value: u64, top: u64) -> i64 {
    let part = u128::from(value) * u128::from(HEIGHT.unsigned_abs()) / u128::from(top.max(1));
    i64::try_from(part).unwrap_or(HEIGHT).min(HEIGHT)
}

/// A path along these points, broken where there is none. One between two gaps is a dot.
fn path(points: impl IntoIterator<Item = Option<(i64, i64)>>) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for point in points {
        match point {
            // A stroke without length is drawn as its round end.
            Some((x, y)) if pen == 'M' => path.push_str(&format!("M{x} {y}h0")),
            Some((x, y)) => path.push_str(&format!("L{x} {y}")),
            None => {}
        }
        pen = if point.is_some() { 'L' } else { 'M' };
    }
    path
}

/// The line of a column.
pub fn line(series: &Series, column: &Column, top: u64) -> String {
    path(points(series, column, top))
}

/// What is below that line.
pub fn area(series: &Series, column: &Column, top: u64) -> String {
    let points = points(series, column, top);
    let mut area = String::new();
    for run in points.split(Option::is_none) {
        let run: Vec<(i64, i64)> = run.iter().copied().flatten().collect();
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else { continue };
        area.push_str(&format!("M{first} {HEIGHT}"));
        run.iter().for_each(|(x, y)| area.push_str(&format!("L{x} {y}")));
        area.push_str(&format!("L{last} {HEIGHT}Z"));
    }
    area
}

/// The newest moments of a spark as a line, 63 high and a unit for each; the newest at the right end of `width`.
pub fn spark(levels: &str, width: usize) -> String {
    let from = (width + 1).saturating_sub(levels.chars().count());
    let point = |(index, level): (usize, char)| {
        Some((i64::try_from(from + index).ok()?, 63 - i64::from(height(level)?)))
    };
    path(levels.chars().enumerate().map(point))
}

/// Where on the chart a moment is.
pub fn across(series: &Series, at_ms: i64) -> Option<i64> {
    let x = WIDTH - (series.end_ms()? - at_ms) / 1000;
    (0..=WIDTH).contains(&x).then_some(x)
}

/// The moment that is nearest to this part of the chart's width, in thousandths.
pub fn nearest(series: &Series, permille: i64) -> Option<i64> {
    let wanted = series.end_ms()? - KEPT_MS + permille * KEPT_MS / 1000;
    (0..series.len()).filter_map(|index| series.time(index)).min_by_key(|at| at.abs_diff(wanted))
}

/// The number of the moment at this time, or of the last before it.
pub fn index(series: &Series, at_ms: i64) -> Option<usize> {
    (0..series.len()).rev().find(|index| series.time(*index).is_some_and(|at| at <= at_ms))
}

/// Lowest, highest and newest of a column.
pub fn range(column: &Column) -> Option<(u64, u64, Option<u64>)> {
    let known = || column.iter().copied().flatten();
    Some((known().min()?, known().max()?, column.last().copied().flatten()))
}

/// A column in words, for one who cannot see the chart.
pub fn told(name: &str, column: &Column, unit: Unit) -> String {
    let Some((least, most, now)) = range(column) else { return format!("{name}: nothing was measured") };
    let now = now.map_or_else(|| "not measured".to_owned(), |now| unit.figure(now));
    format!("{name}: now {now}, at least {}, at most {}", unit.figure(least), unit.figure(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(at: &[u32], memory: &[Option<u64>]) -> Series {
        Series {
            start_ms: 1_000_000,
            interval_ms: 10_000,
            at: at.to_vec(),
            memory: memory.to_vec(),
            ..Series::default()
        }
    }

    #[test]
    fn a_line_ends_at_the_right_and_breaks_where_nothing_was_measured() {
        let all = series(&[0, 10_000, 20_000, 60_000, 70_000], &[Some(0), Some(5), None, Some(10), Some(20)]);
        assert_eq!(
            line(&all, &all.memory, 10),
            "M3530 1000h0L3540 500M3590 0h0L3600 0",
            "never above the top"
        );
        assert_eq!(
            area(&all, &all.memory, 10),
            "M3530 1000L3530 1000L3540 500L3540 1000ZM3590 1000L3590 0L3600 0L3600 1000Z"
        );
        let one_missing = series(&[0, 10_000, 20_000], &[Some(5), None, Some(5)]);
        assert_eq!(
            line(&one_missing, &one_missing.memory, 10),
            "M3580 500h0L3600 500",
            "one alone is no gap"
        );
        let none = Series::default();
        assert_eq!(
            (line(&none, &none.memory, 10), area(&none, &none.memory, 0)),
            (String::new(), String::new())
        );
    }

    #[test]
    fn what_is_older_than_the_chart_is_not_drawn() {
        let all = series(&[0, 3_600_000, 3_605_000], &[Some(1), Some(1), Some(1)]);
        assert_eq!(line(&all, &all.memory, 2), "M3595 500h0L3600 500");
    }

    #[test]
    fn a_chart_goes_to_the_limit_unless_little_of_it_is_used() {
        assert_eq!(Unit::Cores.top(600, Some(2000)), 2000);
        assert_eq!(
            [0, 90, 150, 499, 1300].map(|cpu| Unit::Cores.top(cpu, Some(64_000))),
            [100, 100, 200, 500, 2000]
        );
        assert_eq!(Unit::Cores.top(u64::MAX, None), u64::MAX);
        assert_eq!(Unit::Bytes.top(3 << 30, Some(8 << 30)), 8 << 30);
        assert_eq!(
            [Unit::Bytes.top(5 << 20, Some(8 << 30)), Unit::Bytes.top(0, Some(0))],
            [8 << 20, 1 << 20]
        );
        assert_eq!([Unit::Rate.top(0, None), Unit::Rate.top(u64::MAX, None)], [1 << 14, u64::MAX]);
    }

    #[test]
    fn figures_are_told_in_their_units() {
        assert_eq!(Unit::Cores.figure(1234), "1.23 cores");
        assert_eq!([1000, 1500, 100].map(|cpu| Unit::Cores.round(cpu)), ["1 core", "1.5 cores", "0.1 cores"]);
        assert_eq!(
            (Unit::Bytes.round(2 << 30), Unit::Rate.round(3 << 19)),
            ("2 GiB".into(), "1.5 MiB/s".into())
        );
    }

    #[test]
    fn a_moment_is_found_by_its_place_and_its_place_by_the_moment() {
        let all = series(&[0, 10_000, 20_000], &[Some(1), Some(2), Some(3)]);
        assert_eq!((nearest(&all, 1000), nearest(&all, 0)), (Some(1_020_000), Some(1_000_000)));
        assert_eq!((across(&all, 1_010_000), across(&all, 1_020_000 - KEPT_MS - 1000)), (Some(3590), None));
        assert_eq!([index(&all, 1_015_000), index(&all, 0)], [Some(1), None]);
        assert_eq!((nearest(&Series::default(), 5), across(&Series::default(), 5)), (None, None));
    }

    #[test]
    fn a_spark_keeps_to_the_right_and_has_gaps() {
        assert_eq!(spark("A_", 23), "M22 63h0L23 0");
        assert_eq!(spark("A.A", 2), "M0 63h0M2 63h0");
        assert_eq!(spark("", 23), "");
    }

    #[test]
    fn a_column_is_told_in_words() {
        assert_eq!(
            told("Memory", &vec![Some(1 << 20), Some(1 << 30), None], Unit::Bytes),
            "Memory: now not measured, at least 1.0 MiB, at most 1.0 GiB"
        );
        assert_eq!(told("Memory", &Column::new(), Unit::Bytes), "Memory: nothing was measured");
    }
}
