//! One line into the words of a command.

/// By the rules of a shell's words: blanks part them, quotes and backslashes keep them together. Nothing is expanded, and
/// no shell ever reads it.
pub fn split(text: &str) -> Result<Vec<String>, &'static str> {
    shell_words::split(text)
        .map_err(|_| "A quotation mark is not closed, or the last backslash stands alone.")
}
