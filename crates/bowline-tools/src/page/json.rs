//! Lays JSON out for reading, without a change of any of its words.

/// A document that would grow more than so many times is left as it is.
const GROWTH_MAX: usize = 4;

/// Lines longer than this are laid out, in bytes.
const LINE_BYTES_MAX: usize = 400;

/// `text` with a line for every value; as it is where it has lines already, or is no JSON.
pub(super) fn laid_out(text: String) -> String {
    let is_long = text.lines().any(|line| line.len() > LINE_BYTES_MAX);
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
    if !is_long || !is_json() {
        return text;
    }
    indented(&text).unwrap_or(text)
}

fn indented(text: &str) -> Option<String> {
    let most = text.len().saturating_mul(GROWTH_MAX).saturating_add(1_024);
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth: usize = 0;
    let mut in_string = false;
    let mut is_escaped = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if out.len() > most {
            return None;
        }
        if in_string {
            out.push(letter);
            in_string = is_escaped || letter != '"';
            is_escaped = !is_escaped && letter == '\\';
            continue;
        }
        match letter {
            ' ' | '\t' | '\n' | '\r' => {}
            '"' => {
                in_string = true;
                out.push(letter);
            }
            '{' | '[' => {
                out.push(letter);
                depth += 1;
                while letters.next_if(char::is_ascii_whitespace).is_some() {}
                if !matches!(letters.peek(), Some('}' | ']')) {
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    line(&mut out, depth);
                }
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push(letter),
        }
    }
    Some(out)
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}
