//! The flat search for a closing parenthesis, as bash does it before it knows what stands between:
//! parentheses are counted, quotes skipped, nothing else is understood.

use super::super::parse::NotUnderstood;
use super::Lexer;

impl Lexer<'_> {
    /// Where the parenthesis closes that was opened before `from`.
    pub(in super::super) fn scan_parenthesis(&self, from: usize) -> Result<usize, NotUnderstood> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        let mut open = 1_usize;
        let no_end = || self.not_understood("a `(` without its end");
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => at += 1,
                b'\'' => {
                    let has_escapes = at > from && bytes[at - 1] == b'$';
                    at = skip_quoted(bytes, at, has_escapes).ok_or_else(no_end)?;
                }
                b'"' => {
                    let end = skip_quoted(bytes, at, true).ok_or_else(no_end)?;
                    if has_substitution(&bytes[at..end]) {
                        return Err(self.not_understood("a substitution in quotes in `((`"));
                    }
                    at = end;
                }
                b'`' => at = skip_quoted(bytes, at, true).ok_or_else(no_end)?,
                _ => {}
            }
            if open == 0 {
                self.budget.spend(at - from);
                return Ok(at);
            }
            at += 1;
        }
        Err(no_end())
    }
}

/// The closing quote that answers the one at `open`.
fn skip_quoted(bytes: &[u8], open: usize, has_escapes: bool) -> Option<usize> {
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && has_escapes {
            at += 1;
        } else if *byte == bytes[open] {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether text in double quotes holds something with quotes of its own.
fn has_substitution(quoted: &[u8]) -> bool {
    let pairs = quoted.windows(2);
    quoted.contains(&b'`')
        || pairs
            .into_iter()
            .any(|pair| matches!(pair, b"$(" | b"${" | b"$["))
}
