//! Recognises that a command failed because of its sandbox, says so, and says how to ask for more.

use std::path::Path;

use bowline_core::contact::{Connection, Denied};
use bowline_core::{Backend, Confinement};

mod signs;

#[cfg(test)]
mod tests;

/// Most denials that are told of one command.
const DENIED_MAX: usize = 8;

/// What a failed command was denied, as far as its output tells, and how the model is told.
pub(super) struct Denial {
    pub(super) denied: Vec<Denied>,
    pub(super) sentence: String,
}

/// What the sandbox denied a command with this output, run in `cwd`; `connections` are those that
/// its proxy refused or made. `None` if nothing reads as if anything was.
///
/// A program says the same where no sandbox is to blame, so what could have been done within the
/// limits is not counted, and the sentence does not claim to know.
pub(super) fn of(
    confinement: &Confinement,
    output: &str,
    cwd: &Path,
    connections: &[Connection],
) -> Option<Denial> {
    let refused = connections.iter().filter(|one| one.refused.is_some());
    let refused = refused.map(|one| Denied::Reach {
        host: one.host.clone(),
        port: (one.port > 0).then_some(one.port),
    });
    let mut denied: Vec<Denied> = Vec::new();
    for one in refused.chain(signs::told(confinement, output, cwd)) {
        if denied.len() < DENIED_MAX && !denied.contains(&one) {
            denied.push(one);
        }
    }
    if denied.is_empty() && !signs::is_likely(output) {
        return None;
    }
    let sentence = sentence(confinement, &denied);
    Some(Denial { denied, sentence })
}

/// What the limits were, what they denied, and how to ask for more, for the model.
fn sentence(confinement: &Confinement, denied: &[Denied]) -> String {
    let Confinement { backend, profile } = confinement;
    let temporary = match backend {
        Backend::Namespaces => "/tmp",
        Backend::Landlock => "$TMPDIR",
    };
    let writable = profile.writable.iter().chain(&profile.granted);
    let mut writable: Vec<&str> = writable.map(String::as_str).collect();
    writable.push(temporary);
    let list = match writable.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    };
    let limits = format!(
        "writable are {list}, {}, secrets and Bowline's own folders hidden",
        profile.network.words()
    );
    if denied.is_empty() {
        return format!("it ran in a sandbox, which may be why it failed: {limits}");
    }
    let what: Vec<String> = denied.iter().map(Denied::words).collect();
    let mut text = format!(
        "it ran in a sandbox, which seems to have denied {}: {limits}",
        what.join(", ")
    );
    if let Some(needs) = needs(denied) {
        text.push_str(&format!(
            ". If it is needed, call again with \"needs\": {needs}; a person is asked"
        ));
    }
    text
}

/// The input that asks for what was denied, where a person could grant it.
fn needs(denied: &[Denied]) -> Option<String> {
    let mut write: Vec<&str> = Vec::new();
    let mut hosts: Vec<String> = Vec::new();
    for one in denied {
        match one {
            Denied::Write { path } => write.push(path),
            Denied::Reach { host, port } => hosts.push(match port {
                None | Some(80 | 443) => host.clone(),
                Some(port) if host.contains(':') => format!("[{host}]:{port}"),
                Some(port) => format!("{host}:{port}"),
            }),
            Denied::Read { .. } | Denied::Other { .. } => {}
        }
    }
    let mut needs = serde_json::Map::new();
    if !write.is_empty() {
        needs.insert("write".to_owned(), write.into());
    }
    if !hosts.is_empty() {
        needs.insert("hosts".to_owned(), hosts.into());
    }
    (!needs.is_empty()).then(|| serde_json::Value::Object(needs).to_string())
}
