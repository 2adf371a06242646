//! All tools of a session, found by name.

use std::sync::Arc;

use bowline_core::registry::DuplicateName;
use bowline_core::{Registry, ToolSpec};

use crate::tool::{InputError, Tool};

#[cfg(test)]
mod tests;

/// Likeness from which on a name counts as a slip of the pen (Jaro-Winkler, 0 to 1).
const LIKELY: f64 = 0.7;

/// Tools by name, with their descriptions.
#[derive(Clone)]
pub struct Toolbox {
    tools: Vec<Arc<dyn Tool>>,
    specs: Registry<ToolSpec>,
}

impl Toolbox {
    /// Collects tools; their order is the order of listings and of declarations to a model.
    ///
    /// # Errors
    /// [`DuplicateName`] when two tools share a name.
    pub fn new(tools: Vec<Arc<dyn Tool>>) -> Result<Self, DuplicateName> {
        let specs = Registry::new(tools.iter().map(|tool| tool.spec().clone()).collect())?;
        Ok(Self { tools, specs })
    }

    /// The descriptions: data only, reading them runs nothing.
    #[must_use]
    pub const fn specs(&self) -> &Registry<ToolSpec> {
        &self.specs
    }

    /// The tool of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.iter().find(|tool| tool.spec().name == name)
    }

    /// The tool of that name.
    ///
    /// # Errors
    /// [`InputError`] for the model: the likeliest name and all names there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Tool>, InputError> {
        self.find(name).ok_or_else(|| {
            let names: Vec<&str> = self
                .specs
                .list()
                .iter()
                .map(|spec| spec.name.as_str())
                .collect();
            let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), other);
            let nearest = names
                .iter()
                .copied()
                .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
                .filter(|nearest| likeness(nearest) >= LIKELY);
            let hint = nearest.map_or_else(String::new, |name| format!(" Did you mean `{name}`?"));
            let all = names.join(", ");
            InputError::new(format!(
                "There is no tool `{name}`.{hint} The tools are: {all}."
            ))
        })
    }
}

impl std::fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.specs.list().iter().map(|spec| &spec.name))
            .finish()
    }
}
