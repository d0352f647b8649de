//! What a task or a process in a guest says, up to the cap.

use crate::{
    backend::{OUTPUT_CAP, OutputSink},
    domain::plan::Stream,
};

/// Hands one stream on while it comes.
pub struct Output<'a> {
    stream: Stream,
    sink: &'a OutputSink,
    left: usize,
    is_full: bool,
}

impl<'a> Output<'a> {
    pub fn new(stream: Stream, sink: &'a OutputSink) -> Self {
        Self { stream, sink, left: OUTPUT_CAP, is_full: false }
    }

    /// Hands on as much as there is room for. The receiver may be gone; what is done goes on all the same.
    pub fn push(&mut self, mut text: String) {
        if self.is_full || text.is_empty() {
            return;
        }
        if text.len() > self.left {
            text.truncate(text.floor_char_boundary(self.left));
            self.is_full = true;
        }
        self.left -= text.len();
        let _ = self.sink.send((self.stream, text));
        if self.is_full {
            note(self.sink, &format!("what follows is not kept: it is more than {OUTPUT_CAP} bytes"));
        }
    }

    /// Where it goes.
    pub fn sink(&self) -> &'a OutputSink {
        self.sink
    }

    /// Nothing more is kept; it need not be fetched.
    pub fn is_full(&self) -> bool {
        self.is_full
    }
}

/// A remark of Paddock's own among the output.
pub fn note(sink: &OutputSink, text: &str) {
    let _ = sink.send((Stream::Log, format!("[Paddock: {text}]\n")));
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn the_cap_cuts_between_characters_and_says_so() {
        let (sink, mut seen) = unbounded_channel();
        let mut output = Output::new(Stream::Stdout, &sink);
        output.push("x".repeat(OUTPUT_CAP - 1));
        assert!(!output.is_full());
        output.push("€".to_owned());
        output.push("more".to_owned());
        assert!(output.is_full());
        let pieces: Vec<_> = std::iter::from_fn(|| seen.try_recv().ok()).collect();
        let kept: usize =
            pieces.iter().filter(|(s, _)| *s == Stream::Stdout).map(|(_, text)| text.len()).sum();
        assert_eq!(kept, OUTPUT_CAP - 1);
        assert!(
            pieces.last().is_some_and(|(s, text)| *s == Stream::Log && text.contains("not kept")),
            "one note"
        );
        assert_eq!(pieces.iter().filter(|(s, _)| *s == Stream::Log).count(), 1);
    }

    #[test]
    fn exactly_the_cap_is_kept_without_a_remark() {
        let (sink, mut seen) = unbounded_channel();
        let mut output = Output::new(Stream::Log, &sink);
        output.push("x".repeat(OUTPUT_CAP));
        assert!(!output.is_full());
        assert_eq!(seen.try_recv().unwrap().1.len(), OUTPUT_CAP);
        assert!(seen.try_recv().is_err());
    }
}
