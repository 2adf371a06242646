//! Where a path of a command really leads: component by component, links followed.

use bowline_core::PathFact;
use bowline_core::action::PathKind;
use bowline_core::look::Seen;

use crate::look::Eyes;
use crate::place::is_within;

/// Most links that are followed for one path.
const LINKS_MAX: usize = 40;

/// Most components that are walked for one path, those of links' targets included.
const COMPONENTS_MAX: usize = 1_024;

/// Joins `text` to the absolute folder `folder` and resolves `.` and `..` by name only.
pub(super) fn by_name(folder: &str, text: &str) -> String {
    let whole = if text.starts_with('/') {
        text.to_owned()
    } else {
        format!("{folder}/{text}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Follows `text` from the folder `cwd` (absolute, links resolved). Nothing below a folder of
/// `roots` is looked at above that folder: they are known to hold no links.
pub(crate) fn follow(cwd: &str, text: &str, roots: &[String], eyes: &mut Eyes<'_>) -> PathFact {
    let (resolved, kind) = walk(cwd, text, roots, eyes);
    PathFact {
        asked: text.to_owned(),
        resolved,
        by_name: by_name(cwd, text),
        kind,
        links: 1,
    }
}

fn walk(cwd: &str, text: &str, roots: &[String], eyes: &mut Eyes<'_>) -> (String, PathKind) {
    let mut at = if text.starts_with('/') {
        String::new()
    } else {
        cwd.trim_end_matches('/').to_owned()
    };
    let mut left: Vec<String> = parts(text);
    let mut kind = PathKind::Folder;
    let (mut links, mut steps) = (0, 0);
    while let Some(part) = left.pop() {
        steps += 1;
        if steps > COMPONENTS_MAX {
            return (by_name(cwd, text), PathKind::Unknown);
        }
        if part == ".." {
            at.truncate(at.rfind('/').unwrap_or(0));
            kind = PathKind::Folder;
            continue;
        }
        let next = format!("{at}/{part}");
        // A workspace folder is given with its links resolved, so what leads to it is no link.
        if roots.iter().any(|root| is_within(root, &next)) {
            at = next;
            kind = PathKind::Folder;
            continue;
        }
        kind = match eyes.at(&next) {
            Seen::Link(target) => {
                links += 1;
                if links > LINKS_MAX {
                    return (next, PathKind::Unknown);
                }
                if target.starts_with('/') {
                    at.clear();
                }
                left.extend(parts(&target));
                PathKind::Folder
            }
            seen => {
                at = next;
                match seen {
                    Seen::Missing => PathKind::Missing,
                    Seen::Folder => PathKind::Folder,
                    Seen::Special => PathKind::Special,
                    Seen::Unknown => PathKind::Unknown,
                    Seen::File | Seen::Link(_) => PathKind::File,
                }
            }
        };
    }
    let at = if at.is_empty() { "/".to_owned() } else { at };
    (at, kind)
}

/// The components of a path, last first; `.` and empty ones left out.
fn parts(text: &str) -> Vec<String> {
    let parts = text.split('/').rev();
    parts
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect()
}
