//! What programs say when the system denies them something.

use std::path::Path;

use bowline_core::contact::Denied;
use bowline_core::host::{Host, Private};
use bowline_core::{Backend, Confinement, Network};

use crate::path::normalise;

/// What programs say, in lower case, when the system denies them something. They say the same
/// where no sandbox is to blame.
const SIGNS: [&str; 10] = [
    "read-only file system",
    "permission denied",
    "operation not permitted",
    "network is unreachable",
    "network unreachable",
    "could not resolve",
    "name resolution",
    "name or service not known",
    "enetunreach",
    "bwrap: ",
];

/// Signs, in lower case, that a path lies on a mount that is not written.
const READ_ONLY: [&str; 2] = ["read-only file system", "erofs"];

/// Signs, in lower case, that a path is closed.
const CLOSED: [&str; 2] = ["permission denied", "eacces"];

/// What stands before the name of a host that could not be reached, in lower case.
const BEFORE_HOSTS: [&str; 16] = [
    "could not resolve host: ",
    "could not resolve hostname ",
    "unable to resolve host address ",
    "getaddrinfo enotfound ",
    "getaddrinfo eai_again ",
    "failed to resolve ",
    "failed to lookup address information for ",
    "could not resolve proxy: ",
    "failed to connect to ",
    "unable to look up ",
    "dial tcp: lookup ",
    "unknown host ",
    "connect to host ",
    "could not resolve ",
    "name resolution of ",
    "connecting to ",
];

/// Most lines of an output that are looked at: the last ones, where errors stand.
const LINES_MAX: usize = 400;

/// Whether the output of a failed command reads as if something was denied.
pub(super) fn is_likely(output: &str) -> bool {
    let output = output.to_lowercase();
    SIGNS.iter().any(|sign| output.contains(sign))
}

/// What the lines of the output name as denied that the limits deny indeed.
pub(super) fn told(confinement: &Confinement, output: &str, cwd: &Path) -> Vec<Denied> {
    let mut found = Vec::new();
    let lines = output.lines().rev().take(LINES_MAX).collect::<Vec<_>>();
    for line in lines.into_iter().rev() {
        let lower = line.to_ascii_lowercase();
        if confinement.profile.network != Network::Open {
            found.extend(host(line, &lower));
        }
        let says = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
        let is_read_only = says(&READ_ONLY);
        if is_read_only || says(&CLOSED) {
            let denied = |text| denied_path(confinement, text, cwd, is_read_only);
            found.extend(paths(line).find_map(denied));
        }
    }
    found
}

/// The host that a line says could not be reached.
fn host(line: &str, lower: &str) -> Option<Denied> {
    let after = BEFORE_HOSTS.iter().find_map(|before| {
        let at = lower.find(before)?;
        line.get(at + before.len()..)
    })?;
    let after = after.trim_start_matches(['\'', '"', '`', '‘', '“', '(']);
    let end = after
        .find(|c: char| !(c.is_alphanumeric() || ".-_:[]".contains(c)))
        .unwrap_or(after.len());
    let text = after[..end].trim_end_matches([':', '.']);
    // A word without a dot is more often a word than a host.
    let (host, port) = Host::with_port(text).ok()?;
    let is_name = text.contains('.') || text.contains(':');
    let rest = &after[end..];
    let port = port.or_else(|| {
        let (_, port) = rest.split_once(" port ")?;
        let digits: String = port.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    // Its own machine a command reaches in any sandbox.
    let is_own = host.private() == Some(Private::Loopback);
    (is_name && !is_own).then(|| Denied::Reach {
        host: host.as_str().to_owned(),
        port,
    })
}

/// What could be paths in a line: in quotes, or between blanks and colons.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    const QUOTES: [(char, char); 5] = [
        ('\'', '\''),
        ('"', '"'),
        ('‘', '’'),
        ('`', '\''),
        ('“', '”'),
    ];
    let quoted = QUOTES.into_iter().filter_map(|(open, close)| {
        let (_, after) = line.split_once(open)?;
        let (inside, _) = after.split_once(close)?;
        Some(inside)
    });
    let split = |c: char| c.is_whitespace() || ":,;()'\"‘’`“”".contains(c);
    quoted
        .chain(line.split(": "))
        .chain(line.split(split))
        .filter(|text| text.contains('/') && text.len() < 4_096)
        .filter(|text| !text.contains("://"))
}

/// What of the limits denies a path, if any does.
fn denied_path(
    confinement: &Confinement,
    text: &str,
    cwd: &Path,
    is_read_only: bool,
) -> Option<Denied> {
    let path = normalise(&cwd.join(text));
    let profile = &confinement.profile;
    let lies_in = |places: &[String]| places.iter().any(|place| path.starts_with(place));
    let shown = path.to_str()?.to_owned();
    if lies_in(&profile.hidden) {
        return Some(Denied::Read { path: shown });
    }
    // Namespaces close nothing else: whom the path belongs to does.
    let is_by_limits = is_read_only || confinement.backend == Backend::Landlock;
    if !is_by_limits || lies_in(&profile.granted) || is_temporary(&path) {
        return None;
    }
    let is_protected = profile.writable.iter().any(|folder| {
        let mut names = profile.protected.iter();
        names.any(|name| path.starts_with(Path::new(folder).join(name)))
    });
    let is_free = lies_in(&profile.writable) || lies_in(&profile.caches);
    (is_protected || !is_free).then_some(Denied::Write { path: shown })
}

fn is_temporary(path: &Path) -> bool {
    ["/tmp", "/var/tmp", "/dev", "/proc", "/sys", "/run"]
        .iter()
        .any(|place| path.starts_with(place))
}
