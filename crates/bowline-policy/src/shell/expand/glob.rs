//! Globs among the arguments: what they surely name is looked at, and of what they find only what
//! is out of the ordinary becomes an argument of its own.

use super::fits::name_fits;
use super::{Expander, Sign, plain};
use crate::place::is_within;
use crate::protected::{protects_read, protects_write};
use crate::rule::Pattern;
use crate::safeguard::{Safeguard, is_on};
use crate::shell::argument::{Argument, Value};
use crate::shell::path::{by_name, follow};
use bowline_core::Verdict;
use bowline_core::action::PathKind;

/// Most paths that are followed for one glob.
const PATHS_MAX: usize = 1_024;

/// Names that a glob which spells out a part of them is taken to find, listed or not.
const TELLING_NAMES: [&str; 16] = [
    ".env",
    ".env.local",
    ".env.production",
    ".npmrc",
    ".netrc",
    ".git",
    ".envrc",
    ".mcp.json",
    ".vscode",
    ".bashrc",
    ".profile",
    ".bash_history",
    ".bowline",
    "x.pem",
    "x.key",
    "workflows",
];

/// Whether signs hold a live glob.
pub(super) fn is_glob(signs: &[Sign]) -> bool {
    signs.iter().enumerate().any(|(at, sign)| {
        sign.is_live
            && match sign.character {
                '*' | '?' => true,
                '[' => signs[at + 1..].iter().any(|later| later.character == ']'),
                _ => false,
            }
    })
}

/// A path found so far: from the working folder, as an argument shows it.
type Found = String;

impl Expander<'_, '_> {
    /// Adds what a glob comes to.
    pub(super) fn glob(&mut self, signs: &[Sign], values: &mut Vec<Value>) {
        let written = plain(signs);
        let Some(places) = self.scope.places.clone() else {
            values.push(Value::Unknown { written });
            return;
        };
        let segments: Vec<&[Sign]> = signs.split(|sign| sign.character == '/').collect();
        let first = segments.iter().position(|segment| is_glob(segment));
        let first = first.unwrap_or_default();
        let climbs = |segment: &&[Sign]| plain(segment) == "..";
        if segments[first..].iter().any(climbs) {
            values.push(Value::Unknown { written });
            return;
        }
        let mut telling = Vec::new();
        for place in &places {
            let start: Vec<String> = segments[..first].iter().map(|one| plain(one)).collect();
            let start = start.join("/");
            let folder = if first > 0 && start.is_empty() {
                "/".to_owned()
            } else {
                start.clone()
            };
            let fact = follow(&place.real, &folder, &self.policy.roots, self.eyes);
            let is_inside = |root: &String| is_within(&fact.resolved, root);
            if !self.policy.roots.iter().any(is_inside) {
                // It is judged as the path outside that it is.
                values.push(Value::Known(written));
                return;
            }
            let start = if first > 0 {
                format!("{start}/")
            } else {
                String::new()
            };
            if !self.search(&place.real, start, &segments[first..], &mut telling) {
                values.push(Value::Unknown { written });
                return;
            }
        }
        if !is_on(Safeguard::Globs) {
            telling.clear();
        }
        telling.sort();
        telling.dedup();
        values.extend(telling.into_iter().map(Value::Known));
        values.push(Value::WorkspacePaths { written });
    }

    /// Follows the rest of a glob and keeps the paths that tell; `false` if what it finds cannot be
    /// known.
    fn search(
        &mut self,
        cwd: &str,
        start: Found,
        rest: &[&[Sign]],
        telling: &mut Vec<Found>,
    ) -> bool {
        let mut found: Vec<Found> = vec![start];
        for (at, segment) in rest.iter().enumerate() {
            let mut next = Vec::new();
            for before in &found {
                if !is_glob(segment) {
                    next.push(format!("{before}{}", plain(segment)));
                    continue;
                }
                let folder = by_name(cwd, before);
                let folder = follow(&folder, "", &self.policy.roots, self.eyes).resolved;
                let pattern = escaped(segment);
                let Some(names) = self.eyes.names(&folder, &pattern) else {
                    return false;
                };
                let guessed = self.guessed(&folder, &pattern);
                let all = names.iter().chain(guessed.iter());
                next.extend(all.map(|name| format!("{before}{name}")));
            }
            next.sort();
            next.dedup();
            if next.len() > PATHS_MAX {
                return false;
            }
            let is_last = at + 1 == rest.len();
            found = next
                .into_iter()
                .map(|path| if is_last { path } else { format!("{path}/") })
                .collect();
        }
        for path in found {
            if self.is_telling(cwd, &path) {
                telling.push(path);
            }
        }
        true
    }

    /// Names that the pattern spells a part of, and names that deny and ask rules close.
    fn guessed(&self, folder: &str, pattern: &str) -> Vec<String> {
        let is_open =
            pattern.chars().all(|one| matches!(one, '*' | '?' | '.')) && !pattern.starts_with('.');
        let telling = TELLING_NAMES
            .iter()
            .filter(|name| !is_open && name_fits(pattern, name) && spells(pattern, name));
        let mut all: Vec<String> = telling.map(|name| (*name).to_owned()).collect();
        // Whatever stands before, such an end is a key's.
        if let Some((_, end)) = pattern.rsplit_once('.')
            && end.contains(char::is_alphanumeric)
        {
            let keys = ["pem", "key"].into_iter().filter(|key| name_fits(end, key));
            all.extend(keys.map(|key| format!("x.{key}")));
        }
        for rule in &self.policy.rules {
            let glob = match &rule.pattern {
                Pattern::Read(glob) | Pattern::Write(glob) | Pattern::Send(glob)
                    if rule.verdict != Verdict::Allow =>
                {
                    glob
                }
                _ => continue,
            };
            let text = glob.text().trim_start_matches("./");
            for root in &self.policy.roots {
                let whole = by_name(root, text);
                let name = crate::place::below(&whole, folder)
                    .and_then(|rest| rest.split('/').next())
                    .filter(|name| !name.is_empty() && !name.contains(['*', '?', '[', '{']));
                if let Some(name) = name
                    && name_fits(pattern, name)
                {
                    all.push(name.to_owned());
                }
            }
        }
        all
    }

    /// Whether a path that a glob found must be an argument of its own: it looks like an option,
    /// leads outside, is protected, or a rule closes it.
    fn is_telling(&mut self, cwd: &str, path: &str) -> bool {
        if path.starts_with('-') {
            return true;
        }
        let fact = follow(cwd, path, &self.policy.roots, self.eyes);
        let home = self.policy.home.as_deref();
        let is_inside = |root: &String| is_within(&fact.resolved, root);
        let names = [&fact.resolved, &fact.by_name];
        let is_protected = names
            .iter()
            .any(|name| protects_read(name, home).is_some() || protects_write(name).is_some());
        let is_closed = self.policy.rules.iter().any(|rule| match &rule.pattern {
            Pattern::Read(glob) | Pattern::Write(glob) | Pattern::Send(glob)
                if rule.verdict != Verdict::Allow =>
            {
                names.iter().any(|name| glob.may_mean(name, self.policy))
            }
            _ => false,
        });
        !self.policy.roots.iter().any(is_inside)
            || is_protected
            || is_closed
            || matches!(fact.kind, PathKind::Special | PathKind::Unknown)
    }
}

/// Whether an argument of a command that lists paths asks for something protected by name.
pub(in crate::shell) fn asks_for_protected(arguments: &[Argument]) -> bool {
    let mut known = arguments.iter().skip(1).filter_map(|one| match &one.value {
        Value::Known(text) => Some(text.as_str()),
        Value::WorkspacePaths { written } => Some(written.as_str()),
        _ => None,
    });
    known.any(|text| {
        let name = text.rsplit(['/', '=', ':']).next().unwrap_or_default();
        let name = name.trim_start_matches(['!', '^']);
        let is_glob = name.contains(['*', '?', '[']);
        protects_read(&format!("/{name}"), None).is_some()
            || (is_glob
                && TELLING_NAMES
                    .iter()
                    .any(|telling| spells(name, telling) && name_fits(name, telling)))
    })
}

/// Whether the pattern says more of a name than how long it is: `*.p?m` of `x.pem` does, `*.*` does
/// not.
fn spells(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') {
        // The leading dot had to be spelled.
        return true;
    }
    let tail = pattern.rsplit('.').next().unwrap_or_default();
    pattern.contains('.') && tail.chars().any(char::is_alphanumeric)
}

/// A segment as a pattern: what is not live loses its meaning.
fn escaped(segment: &[Sign]) -> String {
    let mut text = String::new();
    for sign in segment {
        if !sign.is_live
            && matches!(
                sign.character,
                '*' | '?' | '[' | ']' | '\\' | '!' | '-' | '^'
            )
        {
            text.push('\\');
        }
        text.push(sign.character);
    }
    text
}
