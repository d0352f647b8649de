//! What a tool said, made fit to be shown: a log can hold any byte, and none of them may act on the page or hide.

/// Colours and cursor movements (ANSI escape sequences) are dropped, a lone carriage return begins a new line,
/// every other control character becomes its visible picture.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' => {
                if rest.peek() != Some(&'\n') {
                    shown.push('\n');
                }
            }
            '\u{1b}' => skip_escape(&mut rest),
            '\u{7f}' => shown.push('\u{2421}'),
            // U+2400 and following are the pictures of the control characters, in their order.
            c if c < ' ' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            // Direction marks could make one text look like another; the C1 controls are escapes as well.
            '\u{80}'..='\u{9f}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                shown.push('\u{fffd}');
            }
            c => shown.push(c),
        }
    }
    shown
}

/// Leaves the iterator behind an escape sequence whose ESC has just been taken.
fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.peek() {
        // Control sequence: parameters, then one final character from @ to ~.
        Some('[') => {
            rest.next();
            while rest.next_if(|c| (' '..'@').contains(c)).is_some() {}
            rest.next_if(|c| ('@'..='~').contains(c));
        }
        // Operating system command: up to BEL or ESC \. Never past the line, lest a broken one swallow a log.
        Some(']') => {
            rest.next();
            while rest.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n')).is_some() {}
            if rest.next_if_eq(&'\u{1b}').is_some() {
                rest.next_if_eq(&'\\');
            } else {
                rest.next_if_eq(&'\u{7}');
            }
        }
        Some(c) if c.is_ascii_graphic() => {
            rest.next();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(visible("a\tb\n<b>ü</b>\n"), "a\tb\n<b>ü</b>\n");
    }

    #[test]
    fn colours_and_titles_are_dropped() {
        assert_eq!(visible("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(visible("\u{1b}]0;title\u{7}x\u{1b}]0;t\u{1b}\\y"), "xy");
        assert_eq!(visible("\u{1b}]never ended\nnext"), "\nnext");
        assert_eq!(visible("\u{1b}"), "");
    }

    #[test]
    fn nothing_hides() {
        assert_eq!(visible("a\0b\u{8}c\u{7f}"), "a␀b␈c␡");
        assert_eq!(visible("10%\r20%\r\n"), "10%\n20%\n");
        assert_eq!(visible("\u{202e}evil\u{9b}"), "\u{fffd}evil\u{fffd}");
    }
}
