//! A task's log, page by page.

use serde::Deserialize;

use crate::backend::{
    Error,
    proxmox::{
        num::{Rows, text},
        upid::Upid,
    },
};

use super::{Client, output::Output, segment};

/// Log lines asked for at once.
const PAGE: usize = 500;
/// Most pages that are read of a log at once: even lines without a word have an end.
const MOST_PAGES: usize = 400;

/// A task's log as far as it has been handed on.
pub(super) struct Log<'a> {
    pub output: Output<'a>,
    next: usize,
}

impl<'a> Log<'a> {
    pub fn new(output: Output<'a>) -> Self {
        Self { output, next: 0 }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LogLine {
    #[serde(deserialize_with = "text")]
    t: Option<String>,
}

impl Client {
    /// What a task has said so far, at most `limit` bytes of it, and whether there is more.
    pub async fn log(&self, upid: &Upid, limit: usize) -> Result<(String, bool), Error> {
        let (mut text, mut next) = (String::new(), 0);
        for _ in 0..MOST_PAGES {
            let lines = self.log_page(upid, next).await?;
            next += lines.len();
            let is_last = lines.len() < PAGE;
            for line in lines {
                text.push_str(&line);
                if text.len() > limit {
                    text.truncate(text.floor_char_boundary(limit));
                    return Ok((text, true));
                }
            }
            if is_last {
                return Ok((text, false));
            }
        }
        Ok((text, true))
    }

    /// Hands on what has been added to the task's log.
    pub(super) async fn read_log(&self, upid: &Upid, log: &mut Log<'_>) -> Result<(), Error> {
        for _ in 0..MOST_PAGES {
            if log.output.is_full() {
                break;
            }
            let lines = self.log_page(upid, log.next).await?;
            log.next += lines.len();
            let is_last = lines.len() < PAGE;
            lines.into_iter().for_each(|line| log.output.push(line));
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Lines from this one on, each with its line break.
    async fn log_page(&self, upid: &Upid, start: usize) -> Result<Vec<String>, Error> {
        let path = format!("/nodes/{}/tasks/{}/log", segment(upid.node()), segment(upid.as_str()));
        let (from, limit) = (start.to_string(), PAGE.to_string());
        let Rows(lines) = self.get::<Rows<LogLine>>(&path, &[("start", &from), ("limit", &limit)]).await?;
        // How Proxmox says that there is nothing yet; the true first line is going to have the same number.
        if start == 0 && matches!(lines.as_slice(), [line] if line.t.as_deref() == Some("no content")) {
            return Ok(Vec::new());
        }
        Ok(lines.into_iter().map(|line| line.t.unwrap_or_default() + "\n").collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_may_lack_everything_and_holds_no_control_characters() {
        let Rows(lines): Rows<LogLine> = serde_json::from_str(
            r#"[{"n":1,"t":"a"},{"n":99999999999999999999},{},{"t":5},{"t":"\u001b[31mred\tx"}]"#,
        )
        .unwrap();
        let told: Vec<_> = lines.iter().map(|line| line.t.as_deref().unwrap_or_default()).collect();
        assert_eq!(told, ["a", "", "", "5", "[31mred\tx"]);
    }
}
