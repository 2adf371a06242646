//! Recognises that a command failed because of its sandbox, and says so.

use bowline_core::{Backend, Confinement};

#[cfg(test)]
mod tests;

/// What programs say, in lower case, when the system denies them something. They say the same
/// where no sandbox is to blame, so the sentence for the model does not claim to know.
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

/// Whether the output of a failed command reads as if something was denied.
pub(super) fn is_likely(output: &str) -> bool {
    let output = output.to_lowercase();
    SIGNS.iter().any(|sign| output.contains(sign))
}

/// What the limits were, for the model.
pub(super) fn sentence(confinement: &Confinement) -> String {
    let Confinement { backend, profile } = confinement;
    let temporary = match backend {
        Backend::Namespaces => "/tmp",
        Backend::Landlock => "$TMPDIR",
    };
    let network = profile.network.words();
    format!(
        "it ran in a sandbox, which may be why it failed: writable are {} and {temporary}, {network}, \
         secrets and Bowline's own folders hidden",
        profile.writable.join(", ")
    )
}
