//! A list of descriptions, found by name. It holds no functions, so reading it runs nothing.

use crate::spec::Named;

/// An ordered set of descriptions with unique names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry<S> {
    entries: Vec<S>,
}

/// Two descriptions share one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is registered twice: give one of them another name")]
pub struct DuplicateName {
    /// The name both have.
    pub name: String,
}

impl<S: Named> Registry<S> {
    /// Builds a registry; the order of `entries` is the order of listings.
    ///
    /// # Errors
    /// [`DuplicateName`] when two entries share a name.
    pub fn new(entries: Vec<S>) -> Result<Self, DuplicateName> {
        for (index, entry) in entries.iter().enumerate() {
            if entries[..index]
                .iter()
                .any(|earlier| earlier.name() == entry.name())
            {
                return Err(DuplicateName {
                    name: entry.name().to_owned(),
                });
            }
        }
        Ok(Self { entries })
    }

    /// All entries, in order.
    #[must_use]
    pub fn list(&self) -> &[S] {
        &self.entries
    }

    /// The entry of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&S> {
        self.entries.iter().find(|entry| entry.name() == name)
    }
}
