//! Which session does a person mean by a few digits?

use std::path::Path;

use bowline_core::SessionId;

use crate::Error;
use crate::layout::sessions;

/// The one session of `all` whose id begins or ends with `text`.
pub(super) fn resolve(home: &Path, all: &[SessionId], text: &str) -> Result<SessionId, Error> {
    let digits: String = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let matches = |id: &&SessionId| {
        let simple = id.uuid().simple().to_string();
        simple.starts_with(&digits) || simple.ends_with(&digits)
    };
    let found: Vec<SessionId> = if digits.is_empty() {
        Vec::new()
    } else {
        all.iter().filter(matches).copied().collect()
    };
    match found.as_slice() {
        [] => Err(Error::NotFound {
            asked: text.to_owned(),
            path: sessions(home),
        }),
        [one] => Ok(*one),
        several => Err(Error::Ambiguous {
            asked: text.to_owned(),
            candidates: several.iter().map(ToString::to_string).collect(),
        }),
    }
}
