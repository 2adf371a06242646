//! What a command asks for beyond its sandbox: planned as acts of its own, so that rules and people
//! judge them.

use bowline_core::Action;
use bowline_core::host::Host;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::path::locate;
use crate::tool::{InputError, PlanCx};

#[cfg(test)]
mod tests;

/// Most paths and hosts of one call.
const ENTRIES_MAX: usize = 16;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Needs {
    /// Outside the workspace
    write: Option<Vec<String>>,
    // `host` or `host:port`; not said to the model, which writes it so by itself.
    hosts: Option<Vec<String>>,
}

impl Needs {
    /// What is asked for, as acts.
    pub(super) fn actions(&self, cx: &PlanCx) -> Result<Vec<Action>, InputError> {
        let write = self.write.iter().flatten();
        let hosts = self.hosts.iter().flatten();
        if write.clone().count() + hosts.clone().count() > ENTRIES_MAX {
            let message = format!("\"needs\" has more than {ENTRIES_MAX} entries");
            return Err(InputError::new(message));
        }
        let write =
            write.map(|asked| locate(asked, &cx.cwd).map(|path| Action::WritePath { path }));
        let hosts = hosts.map(|text| {
            if text.contains('/') {
                let message =
                    format!("\"needs\": `{text}` is more than a host: give its name alone");
                return Err(InputError::new(message));
            }
            let (host, port) = Host::with_port(text)
                .map_err(|error| InputError::new(format!("\"needs\": {error}")))?;
            let shown = match port {
                Some(port) => host.at_port(port),
                None => host.as_str().to_owned(),
            };
            Ok(Action::reach(shown))
        });
        write.chain(hosts).collect()
    }
}
