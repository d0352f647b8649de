//! What is kept of one output stream: bytes into text, piece by piece, up to the cap.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::domain::plan::Stream;

use super::super::{OUTPUT_CAP, OutputSink};

/// Collects one stream and hands each piece on at once.
pub struct Capture<'a> {
    stream: Stream,
    sink: &'a OutputSink,
    text: String,
    /// The beginning of a character whose other bytes are still to come.
    pending: Vec<u8>,
    /// Nothing is kept after the first drop, so that the text is a true beginning.
    full: bool,
    dropped: u64,
}

impl<'a> Capture<'a> {
    pub fn new(stream: Stream, sink: &'a OutputSink) -> Self {
        Self { stream, sink, text: String::new(), pending: Vec::new(), full: false, dropped: 0 }
    }

    /// Reads to the end of the pipe. May be dropped in between without losing what was read.
    pub async fn read(&mut self, pipe: Option<impl AsyncRead + Unpin>) {
        let Some(mut pipe) = pipe else { return };
        let mut buffer = vec![0; 16 * 1024];
        // A pipe that cannot be read any more has ended, whatever the reason.
        while let Ok(length @ 1..) = pipe.read(&mut buffer).await {
            self.push(&buffer[..length]);
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // A full one goes on reading, as the tool would block on a pipe that nobody empties.
        if self.full {
            self.dropped += bytes.len() as u64;
            return;
        }
        self.pending.extend_from_slice(bytes);
        let mut piece = String::new();
        let mut rest = Vec::new();
        let mut chunks = self.pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            piece.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if chunks.peek().is_none() && is_beginning(invalid) {
                rest = invalid.to_vec();
            } else if !invalid.is_empty() {
                piece.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.pending = rest;
        self.keep(piece);
    }

    fn keep(&mut self, mut piece: String) {
        let room = OUTPUT_CAP - self.text.len();
        if piece.len() > room {
            let cut = piece.floor_char_boundary(room);
            self.dropped += (piece.len() - cut) as u64;
            self.full = true;
            piece.truncate(cut);
        }
        if !piece.is_empty() {
            self.text.push_str(&piece);
            // The receiver may be gone; the text is kept all the same.
            let _ = self.sink.send((self.stream, piece));
        }
    }

    /// The text kept, and the bytes dropped.
    pub fn finish(mut self) -> (String, u64) {
        if self.full {
            self.dropped += self.pending.len() as u64;
        } else if !self.pending.is_empty() {
            self.keep(char::REPLACEMENT_CHARACTER.to_string());
        }
        (self.text, self.dropped)
    }
}

/// Could more bytes still make a character of these?
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn captured<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, u64, Vec<String>) {
        let (sink, mut seen) = unbounded_channel();
        let mut capture = Capture::new(Stream::Stdout, &sink);
        pieces.into_iter().for_each(|piece| capture.push(piece));
        let (text, dropped) = capture.finish();
        let streamed = std::iter::from_fn(|| seen.try_recv().ok().map(|(_, piece)| piece)).collect();
        (text, dropped, streamed)
    }

    #[test]
    fn a_character_split_anywhere_arrives_whole() {
        let whole = "aé€😀z";
        for cut in 0..=whole.len() {
            let (text, dropped, streamed) = captured([&whole.as_bytes()[..cut], &whole.as_bytes()[cut..]]);
            assert_eq!((text.as_str(), dropped), (whole, 0), "cut at {cut}");
            assert_eq!(streamed.concat(), whole);
        }
        let (text, ..) = captured(whole.as_bytes().chunks(1));
        assert_eq!(text, whole, "byte by byte");
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        assert_eq!(captured([&b"a\xffb"[..]]).0, "a\u{fffd}b");
        assert_eq!(captured([&b"a\xe2\x82"[..], b"b"]).0, "a\u{fffd}b");
        assert_eq!(captured([&b"a\xe2\x82"[..]]).0, "a\u{fffd}", "an end inside a character");
    }

    #[test]
    fn the_cap_cuts_between_characters_and_counts_what_it_drops() {
        let filler = "x".repeat(OUTPUT_CAP - 1);
        let (text, dropped, streamed) = captured([filler.as_bytes(), "€".as_bytes(), b"more"]);
        assert_eq!((text.len(), dropped), (OUTPUT_CAP - 1, 7));
        assert_eq!(streamed.concat(), text);
        assert_eq!(captured(["x".repeat(OUTPUT_CAP).as_bytes()]).1, 0, "exactly the cap is no drop");
    }
}
