//! Values that stand beside a sensitive name: assignments, fields, options, calls.

use crate::auth;
use crate::bytes::{
    Alphabet, before, byte_at, find, holds_any_case, is_blank, is_quote, is_word, skip_blanks,
};
use crate::formats::{Hit, token_at};
use crate::likeness::{is_chosen, is_random, is_sign, is_wordy};
use crate::names::{Name, Promise};
use crate::placeholder::{is_common, is_placeholder, is_reference};
use crate::value::{Extent, value_at};

/// Longest name of a setting that is looked at, in bytes.
pub(crate) const LONGEST_NAME: usize = 64;

/// How a name and its value are joined; the looser, the more a value must look like a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joint {
    /// A sign, or an option in front: `name=`, `"name":`, `<name>`, `--name`.
    Firm,
    /// A call: `name("..")`, `set("name", "..")`. The value must be a string.
    Called,
    /// Blanks alone, or a comma: `name ..`, `"name", ".."`.
    Loose,
}

/// Where the value of a name is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// On this line, at this place.
    Here(usize, Joint),
    /// Alone on the next line.
    NextLine,
    /// In the field `value` of the next line.
    NextField,
    /// In the field `default` of one of the next lines.
    Default,
}

/// Returns where the value of a name is.
pub(crate) fn slot(text: &[u8], name: &Name) -> Option<Slot> {
    let end = name.end;
    let close = skip_closers(text, end);
    let closed = close > end;
    let at = skip_blanks(text, close);
    if let Some(value) = (closed || at > close)
        .then(|| value_field(text, at))
        .flatten()
    {
        return Some(Slot::Here(value, Joint::Firm));
    }
    let firm = |from| Some(firm_slot(text, from));
    if let Some(value) = fallback(text, at, closed) {
        return Some(Slot::Here(value, Joint::Called));
    }
    match byte_at(text, at) {
        _ if at >= text.len() || matches!(text[at], b'\r' | b'\n') => {
            names_a_field(text, name.start).then_some(Slot::NextField)
        }
        b'=' => firm(
            at + text[at..]
                .iter()
                .take_while(|byte| matches!(byte, b'=' | b'>'))
                .count(),
        ),
        b'-' if byte_at(text, at + 1) == b'>' => Some(Slot::Here(at + 2, Joint::Loose)),
        b'%' if text[at..].starts_with(b"%3D") || text[at..].starts_with(b"%3d") => firm(at + 3),
        b'?' if matches!(byte_at(text, at + 1), b':' | b'=') => firm(at + 2),
        b':' => match byte_at(text, at + 1) {
            b':' => None,
            b'/' if byte_at(text, at + 2) == b'/' => None,
            _ if before(text, name.start) == b':' && !closed => None,
            b'=' => firm(at + 2),
            _ => firm(after_type(text, at + 1)),
        },
        b'>' if at == close && (closed || matches!(before(text, name.start), b'<' | b':')) => {
            firm(at + 1)
        }
        b'(' if at == end => Some(Slot::Here(at + 1, Joint::Called)),
        b',' if closed && is_first_argument(text, name.start) => {
            Some(Slot::Here(at + 1, Joint::Called))
        }
        b',' if closed => Some(Slot::Here(at + 1, Joint::Loose)),
        b'{' if text[at..].starts_with(b"{ get") => firm(property(text, at)?),
        b'{' if closed && text[at + 1..].trim_ascii().is_empty() => Some(Slot::Default),
        b'|' if at > close && is_blank(byte_at(text, at + 1)) => {
            Some(Slot::Here(at + 1, Joint::Firm))
        }
        b'\\' if is_option(text, name.start) => Some(Slot::NextLine),
        b'<' if closed || text[at..].starts_with(b"</") => {
            names_a_field(text, name.start).then_some(Slot::NextField)
        }
        _ if at > close && is_option(text, name.start) => Some(Slot::Here(at, Joint::Firm)),
        _ if at > close && !closed && !is_setting(text, at) => {
            Some(Slot::Here(skip_fillers(text, at), loose_joint(text, name)))
        }
        _ => None,
    }
}

fn firm_slot(text: &[u8], from: usize) -> Slot {
    let rest = &text[skip_blanks(text, from)..];
    let rest = if rest.len() <= 4 {
        rest.trim_ascii_end()
    } else {
        rest
    };
    match rest {
        b"" | b"|" | b">" | b"|-" | b">-" | b"\\" | b"\"" | b"(" => Slot::NextLine,
        _ => Slot::Here(from, Joint::Firm),
    }
}

/// Returns where the value begins that is used if the named one is not set (`getenv("NAME") ?: ..`,
/// `process.env.NAME || ..`), or that a method of the named thing is given (`("NAME").type(..)`).
fn fallback(text: &[u8], at: usize, closed: bool) -> Option<usize> {
    let called = closed && byte_at(text, at) == b')';
    if called && byte_at(text, at + 1) == b'.' {
        let method = Alphabet::WORD.run_within(text, at + 2, LONGEST_NAME);
        let argument = after_closure(text, method + 1);
        return (byte_at(text, method) == b'(').then_some(argument);
    }
    let sign = skip_blanks(text, if called { at + 1 } else { at });
    let rest = &text[sign..];
    let signs: [&[u8]; 4] = [b"?: ", b"|| ", b"?? ", b"or "];
    signs
        .iter()
        .find(|sign| rest.starts_with(sign))
        .map(|found| sign + found.len())
}

/// Skips the parameters of a closure: `|_| ..`.
fn after_closure(text: &[u8], at: usize) -> usize {
    match text.get(at..).unwrap_or_default() {
        [b'|', b'|', ..] => skip_blanks(text, at + 2),
        [b'|', _, b'|', ..] => skip_blanks(text, at + 3),
        _ => at,
    }
}

/// Returns where the value of a property of C# begins: `{ get; set; } = ..`.
fn property(text: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 40;
    let head = &text[at..text.len().min(at + LONGEST)];
    let close = head.iter().position(|byte| *byte == b'}')?;
    let sign = skip_blanks(text, at + close + 1);
    (byte_at(text, sign) == b'=').then_some(sign + 1)
}

/// Skips what may stand between a name and the sign: closing quotes and brackets.
fn skip_closers(text: &[u8], end: usize) -> usize {
    let mut at = end;
    loop {
        match byte_at(text, at) {
            b'\\' if matches!(byte_at(text, at + 1), b'"' | b'\'' | b'\\') => at += 1,
            b'"' | b'\'' | b'`' | b']' => at += 1,
            b'*' if byte_at(text, at + 1) == b'*' => at += 2,
            _ => return at,
        }
    }
}

/// Whether a quoted name is the first argument of a call.
fn is_first_argument(text: &[u8], start: usize) -> bool {
    let call = text[..start.saturating_sub(1)].trim_ascii_end();
    is_quote(before(text, start)) && call.last() == Some(&b'(')
}

/// Whether the name is a command-line option.
fn is_option(text: &[u8], start: usize) -> bool {
    let name = &text[start..];
    name.starts_with(b"-") && is_blank(before(text, start))
        || before(text, start) == b'-' && is_blank(before(text, start.saturating_sub(1)))
}

/// Whether another `name=value` begins here.
pub(crate) fn is_setting(text: &[u8], at: usize) -> bool {
    let end = Alphabet::DOTTED.run_within(text, at, LONGEST_NAME);
    byte_at(text, end) == b'=' && end + 2 < text.len() && end - at >= 4 && is_wordy(&text[at..end])
}

/// Skips the words of prose between a name and its value: `password was reset to VALUE`,
/// `password for USER: VALUE`.
fn skip_fillers(text: &[u8], from: usize) -> usize {
    const FILLERS: [&str; 16] = [
        "is",
        "was",
        "to",
        "set",
        "reset",
        "changed",
        "by",
        "as",
        "now",
        "be",
        "=",
        "been",
        "has",
        "generated",
        "for",
        "of",
    ];
    let mut at = from;
    for _ in 0..6 {
        let end = at
            + text[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'=')
                .count();
        let word = &text[at..end];
        let is = |filler: &&str| word.eq_ignore_ascii_case(filler.as_bytes());
        if !is_blank(byte_at(text, end)) || !FILLERS.iter().any(is) {
            break;
        }
        at = skip_blanks(text, end);
        if is(&"for") || is(&"of") {
            let reach = text.len().min(at + LONGEST_NAME);
            let whose = text[at..reach].iter().position(|byte| is_blank(*byte));
            at = whose.map_or(at, |whose| skip_blanks(text, at + whose));
        }
    }
    at
}

/// A blank joins firmly in a few places: `.netrc`, SQL, configuration commands.
fn loose_joint(text: &[u8], name: &Name) -> Joint {
    let line = &text[name.start.saturating_sub(256)..name.start];
    let keyed = [
        "machine ",
        "login ",
        "identified ",
        " user ",
        " role ",
        "set ",
        "env ",
        "arg ",
        "config ",
    ];
    if keyed.iter().any(|word| holds_any_case(line, word)) || line.trim_ascii().is_empty() {
        Joint::Firm
    } else {
        Joint::Loose
    }
}

/// Whether the name at `start` is itself the value of a field `name` or `key`.
fn names_a_field(text: &[u8], start: usize) -> bool {
    let line = text[start.saturating_sub(32)..start].trim_ascii_end();
    let line = line
        .strip_suffix(b"\"")
        .or_else(|| line.strip_suffix(b"'"))
        .unwrap_or(line)
        .trim_ascii_end();
    let Some((b':' | b'=' | b'>', line)) = line.split_last() else {
        return false;
    };
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    line.to_ascii_lowercase().ends_with(b"name") || line.to_ascii_lowercase().ends_with(b"key")
}

/// Returns where the value of a field `value` begins, if that field is next.
pub(crate) fn value_field(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while matches!(byte_at(text, at), b',' | b'"' | b'\'' | b'\\' | b'<')
        || is_blank(byte_at(text, at))
    {
        at += 1;
        if at >= text.len() || at - from > 8 {
            return None;
        }
    }
    let rest = &text[at..];
    if !rest.get(..5)?.eq_ignore_ascii_case(b"value") {
        return None;
    }
    let sign = skip_blanks(text, skip_closers(text, at + 5));
    matches!(byte_at(text, sign), b':' | b'=' | b'>').then_some(sign + 1)
}

/// Skips a type between a name and its value: `: &str = "..."`.
fn after_type(text: &[u8], from: usize) -> usize {
    const LONGEST_TYPE: usize = 48;
    let reach = text.len().min(from + LONGEST_TYPE);
    let of_type = |byte: &u8| {
        is_word(*byte)
            || matches!(
                byte,
                b' ' | b'&' | b'<' | b'>' | b'[' | b']' | b'\'' | b'|' | b'?' | b'.' | b':'
            )
    };
    let end = from
        + text[from..reach]
            .iter()
            .take_while(|byte| of_type(byte))
            .count();
    let value = skip_blanks(text, end + 1);
    let typed = byte_at(text, end) == b'='
        && byte_at(text, end + 1) == b' '
        && is_quote(byte_at(text, value));
    if typed { value } else { from }
}

/// What frameworks put in front of a random value.
const MARKERS: [&str; 2] = ["django-insecure-", "base64:"];

/// Whether the line is this one setting.
fn extent(text: &[u8], name: &Name, joint: Joint) -> Extent {
    let line = text[name.start.saturating_sub(16)..name.start].trim_ascii();
    let opens = name.start < 16 && matches!(line, b"" | b"+" | b"-" | b"export" | b"ENV" | b"\"");
    if opens && joint == Joint::Firm {
        Extent::Setting
    } else {
        Extent::Word
    }
}

/// Returns the secret in a slot on this line.
pub(crate) fn secret_in(text: &[u8], name: &Name, at: usize, joint: Joint) -> Option<Hit> {
    let at = after_tag(text, skip_blanks(text, at));
    if is_setting(text, at) {
        return None;
    }
    let value = value_at(text, at, extent(text, name, joint))?;
    if joint == Joint::Called && !value.quoted {
        return None;
    }
    let of_function = byte_at(text, name.end) == b'(' && name.promise == Promise::Random;
    let strict = joint == Joint::Loose || of_function;
    if let Some(token) = token_at(text, value.start) {
        return Some(token);
    }
    if name.is_header(text) {
        return auth::credential_at(text, value.start);
    }
    let marker = MARKERS
        .iter()
        .find(|marker| text[value.start..value.end].starts_with(marker.as_bytes()));
    let range = value.start + marker.map_or(0, |marker| marker.len())..value.end;
    let bytes = &text[range.clone()];
    let secret =
        is_secret(bytes, name.promise, value.quoted) && (!strict || is_strict(bytes, value.quoted));
    secret.then(|| Hit {
        range,
        kind: name.kind(text),
    })
}

/// Skips the type that YAML may put in front of a value: `!!str`, or `!unsafe` of a string.
fn after_tag(text: &[u8], at: usize) -> usize {
    let signs = text[at..].iter().take_while(|byte| **byte == b'!').count();
    if signs == 0 || signs > 2 {
        return at;
    }
    let end = Alphabet::WORD.run_within(text, at + signs, LONGEST_NAME);
    let value = skip_blanks(text, end);
    if signs == 2 || is_quote(byte_at(text, value)) {
        value
    } else {
        at
    }
}

/// Whether a value would be called a secret without a sign between it and its name.
pub(crate) fn is_strict(value: &[u8], quoted: bool) -> bool {
    let of_token = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || is_sign(byte)
            || quoted && matches!(byte, b'-' | b'/' | b'.' | b'=' | b'_')
    };
    let digits = value.iter().any(u8::is_ascii_digit);
    let cases =
        value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    let padding = value.iter().rev().take_while(|byte| **byte == b'=').count();
    is_random(value)
        && !value[..value.len() - padding].contains(&b'=')
        && value.iter().all(of_token)
        && (digits && value.len() >= 10 || cases && value.len() >= 14)
}

/// Whether a value with blanks is random all the same, as the salts of WordPress are.
fn is_salt(value: &[u8]) -> bool {
    const OF_TEXT: [&[u8]; 5] = [b"=\"", b"${", b"%s", b"\": ", b"('"];
    let count = |of: fn(&u8) -> bool| value.iter().filter(|byte| of(byte)).count();
    value.len() >= 32
        && count(is_sign) * 6 >= value.len()
        && count(u8::is_ascii_digit) >= 3
        && count(u8::is_ascii_uppercase) >= 3
        && count(u8::is_ascii_lowercase) >= 3
        && !OF_TEXT.iter().any(|part| find(value, part, 0).is_some())
}

/// Whether a value under a sensitive name is a secret.
pub(crate) fn is_secret(value: &[u8], promise: Promise, quoted: bool) -> bool {
    let of_identifier = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    let identifier = !quoted && value.contains(&b'_') && value.iter().all(of_identifier);
    if quoted && value.contains(&b' ') {
        return is_salt(value) && !is_placeholder(value);
    }
    let likely = match promise {
        Promise::Password => is_random(value) || is_chosen(value),
        Promise::Random => value.len() >= 10 && is_random(value),
    };
    likely
        && !identifier
        && !value.contains(&b' ')
        && !is_reference(value, quoted)
        && !is_common(value)
        && !is_placeholder(value)
}

#[cfg(test)]
mod tests;
