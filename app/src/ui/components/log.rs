//! What a step's tool said, in the order it was said.

use leptos::{html, prelude::*};

use crate::{
    domain::{operation::OutputChunk, plan::Stream},
    ui::text,
};

/// Pieces of one stream that follow each other are one: an escape sequence may be cut anywhere between them.
fn joined(chunks: Vec<OutputChunk>) -> Vec<(Stream, String)> {
    let mut pieces: Vec<(Stream, String)> = Vec::new();
    for chunk in chunks {
        match pieces.last_mut() {
            Some((stream, text)) if *stream == chunk.stream => text.push_str(&chunk.text),
            _ => pieces.push((chunk.stream, chunk.text)),
        }
    }
    pieces
}

/// Nothing where nothing was said. `follow` holds whether the log keeps to its end; scrolling up lets go of it. It belongs to the page, as the log
/// is drawn anew with each answer.
#[component]
pub fn Log(
    #[prop(into)] chunks: Signal<Vec<OutputChunk>>,
    dropped_bytes: u64,
    live: bool,
    follow: RwSignal<bool>,
) -> impl IntoView {
    let element = NodeRef::<html::Pre>::new();
    Effect::new(move |_| {
        chunks.track();
        if let Some(log) = element.get().filter(|_| live && follow.get_untracked()) {
            log.set_scroll_top(log.scroll_height());
        }
    });
    let on_scroll = move |_| {
        if let Some(log) = element.get_untracked() {
            follow.set(log.scroll_top() + log.client_height() >= log.scroll_height() - 24);
        }
    };
    let piece = |(stream, said): (Stream, String)| {
        let class = match stream {
            Stream::Stdout => "",
            Stream::Stderr => "stderr",
            Stream::Log => "log",
        };
        view! {
            <span class=class title=stream.as_str()>
                {text::visible(&said)}
            </span>
        }
    };
    view! {
        <Show when=move || !chunks.read().is_empty()>
            <pre
                class="output"
                tabindex="0"
                aria-label="Output"
                node_ref=element
                on:scroll=on_scroll
            >
                {move || joined(chunks.get()).into_iter().map(piece).collect_view()}
            </pre>
        </Show>
        {(dropped_bytes > 0)
            .then(|| {
                view! {
                    <p class="meta">
                        {format!(
                            "{dropped_bytes} more bytes of output were dropped: it was longer than is kept.",
                        )}
                    </p>
                }
            })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_one_stream_are_joined_and_keep_their_order() {
        let chunk = |stream, text: &str| OutputChunk { step: 0, stream, at_ms: 0, text: text.to_owned() };
        let pieces = joined(vec![
            chunk(Stream::Stdout, "a\u{1b}["),
            chunk(Stream::Stdout, "0mb"),
            chunk(Stream::Stderr, "c"),
        ]);
        assert_eq!(pieces, [(Stream::Stdout, "a\u{1b}[0mb".to_owned()), (Stream::Stderr, "c".to_owned())]);
        assert_eq!(text::visible(&pieces[0].1), "ab");
    }
}
