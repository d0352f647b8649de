//! What goes to standard output: a table for people, JSON for programs. The names of JSON's fields are stable: they
//! are only ever added to.

use std::io::{self, Write as _};

use serde::Serialize;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Jsonl,
}

/// What can be printed in each format.
pub trait Row: Serialize {
    /// Column titles, upper case.
    const COLUMNS: &'static [&'static str];

    fn cells(&self) -> Vec<String>;
}

/// Prints a list.
pub fn list<T: Row>(format: Format, rows: &[T]) -> io::Result<()> {
    match format {
        Format::Table => print(&table(T::COLUMNS, rows.iter().map(Row::cells).collect())),
        Format::Json => print(&json(&rows)?),
        Format::Jsonl => rows.iter().try_for_each(|row| print(&line(row)?)),
    }
}

/// Prints one thing: for people as lines of label and value.
pub fn one<T: Serialize>(format: Format, value: &T, lines: &[(String, String)]) -> io::Result<()> {
    match format {
        Format::Table => {
            let width = lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
            let text = lines.iter().map(|(label, value)| {
                // A text of several lines stays in its column.
                let value = value.lines().map(visible).collect::<Vec<_>>();
                format!("{label:width$}  {}\n", value.join(&format!("\n{:width$}  ", "")))
            });
            print(&text.collect::<String>())
        }
        Format::Json => print(&json(value)?),
        Format::Jsonl => print(&line(value)?),
    }
}

/// To standard output. A reader that has gone (`| head`) is no failure.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// A piece of a file to standard output. False if its reader has gone.
pub fn pass_on(piece: &[u8]) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(piece).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(e),
    }
}

/// A message for a person, to standard error, where nobody may be reading.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn json<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

fn line<T: Serialize + ?Sized>(value: &T) -> io::Result<String> {
    Ok(format!("{}\n", serde_json::to_string(value)?))
}

fn table(columns: &[&str], rows: Vec<Vec<String>>) -> String {
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([columns[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let padded = |cells: &mut dyn Iterator<Item = &str>| {
        let line = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>();
        format!("{}\n", line.join("  ").trim_end())
    };
    let head = padded(&mut columns.iter().copied());
    rows.iter().fold(head, |text, row| text + &padded(&mut row.iter().map(String::as_str)))
}

/// Control characters written out: nothing from a guest or tool steers the terminal.
pub fn visible(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A cell for what may not be there.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_steer_no_terminal() {
        let rows = vec![
            vec!["web1".to_owned(), "running".to_owned()],
            vec!["d\u{1b}[2J".to_owned(), "x".to_owned()],
        ];
        assert_eq!(
            table(&["NAME", "STATUS"], rows),
            "NAME        STATUS\nweb1        running\nd\\u{1b}[2J  x\n"
        );
    }
}
