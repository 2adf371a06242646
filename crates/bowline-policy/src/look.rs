//! What lies at paths that shell text names: the analysis asks, somebody who can look answers.

mod described;

use std::collections::HashMap;

pub use described::Described;

use bowline_core::look::{LookFact, Seen};
use bowline_core::{Kept, PathFact};

/// What stands for a configuration of git that cannot be read: it takes in another one, which nobody
/// knows.
pub const UNREADABLE_GIT_CONFIG: &str = "[include]\npath = ?\n";

/// Longest text of a script that is looked at, in bytes.
pub const CONTENT_BYTES_MAX: usize = 64 << 10;

/// Most names that a glob is resolved to; beyond, it counts as not known.
pub const NAMES_MAX: usize = 1_024;

/// Most facts of one judgement; what would be one more counts as not known.
const FACTS_MAX: usize = 4_096;

/// Answers what lies at absolute paths. Must not change anything, and never follows a link.
pub trait Look {
    /// What lies at `path`.
    fn at(&self, path: &str) -> Seen;

    /// The names in `folder` that match the glob `pattern` (one segment, bash's rules), sorted;
    /// `None` if that cannot be known or there are more than [`NAMES_MAX`].
    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>>;

    /// The text of the regular file at `path`, if it has at most [`CONTENT_BYTES_MAX`] bytes and is
    /// UTF-8.
    fn content(&self, path: &str) -> Option<String>;

    /// The text of git's configuration at `path`; `None` if there is none. One that is there and
    /// cannot be read whole is given as [`UNREADABLE_GIT_CONFIG`].
    fn git_config(&self, path: &str) -> Option<String> {
        self.content(path)
    }

    /// The facts of an earlier judgement, if these are looked up instead of the world.
    fn recorded(&self) -> Option<&[LookFact]> {
        None
    }
}

/// Knows of nothing: what a path names is an ordinary file if it lies in the workspace.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLook;

impl Look for NoLook {
    fn at(&self, _path: &str) -> Seen {
        Seen::File
    }

    fn names(&self, _folder: &str, _pattern: &str) -> Option<Vec<String>> {
        Some(Vec::new())
    }

    fn content(&self, _path: &str) -> Option<String> {
        None
    }
}

/// Sees what an earlier judgement saw: judged again under the same policy and the same version of
/// the code, a call comes to the same.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a>(pub &'a [LookFact]);

impl Look for Recorded<'_> {
    fn at(&self, path: &str) -> Seen {
        let fact = self.0.iter().find_map(|fact| match fact {
            LookFact::At { path: at, seen } if at == path => Some(seen.clone()),
            _ => None,
        });
        fact.unwrap_or(Seen::Unknown)
    }

    fn names(&self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        self.0.iter().find_map(|fact| match fact {
            LookFact::Names {
                folder: of,
                pattern: by,
                names,
            } if of == folder && by == pattern => names.clone(),
            _ => None,
        })
    }

    fn content(&self, _path: &str) -> Option<String> {
        None
    }

    fn recorded(&self) -> Option<&[LookFact]> {
        Some(self.0)
    }
}

/// Follows the path `text` from the folder `cwd` (absolute, links resolved) by what `look` sees;
/// what leads to a folder of `roots` is not looked at.
#[must_use]
pub fn located(cwd: &str, text: &str, roots: &[String], look: &dyn Look) -> PathFact {
    crate::shell::follow(cwd, text, roots, &mut Eyes::new(look))
}

/// Where the call is made, and who can look there.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The working folder: absolute, links resolved.
    pub cwd: &'a str,
    /// Who looks.
    pub look: &'a dyn Look,
    /// Where content came from that may speak to the model for somebody else, if any is in the
    /// session.
    pub outside: Option<&'a str>,
    /// Which model the result goes to.
    pub recipient: Recipient<'a>,
}

/// The model that a call's result goes to, and what its session holds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Recipient<'a> {
    /// Whether it is local: what rules keep to local models is open to it.
    pub is_local: bool,
    /// What the session holds of that.
    pub held: Option<&'a Kept>,
    /// The places that a shell command cannot read in its sandbox; `None` where it runs in none.
    pub hidden: Option<&'a [String]>,
}

impl<'a> Surroundings<'a> {
    /// In a session that holds no content from elsewhere and asks a model that is not local.
    #[must_use]
    pub const fn new(cwd: &'a str, look: &'a dyn Look) -> Self {
        Self {
            cwd,
            look,
            outside: None,
            recipient: Recipient {
                is_local: false,
                held: None,
                hidden: None,
            },
        }
    }
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings")
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

/// Looks, and keeps what was seen in the order first asked.
pub(crate) struct Eyes<'a> {
    look: &'a dyn Look,
    facts: Vec<LookFact>,
    seen: HashMap<String, Seen>,
    names: HashMap<(String, String), Option<Vec<String>>>,
    scripts: HashMap<(String, String), Option<String>>,
}

impl<'a> Eyes<'a> {
    pub(crate) fn new(look: &'a dyn Look) -> Self {
        Self {
            look,
            facts: Vec::new(),
            seen: HashMap::new(),
            names: HashMap::new(),
            scripts: HashMap::new(),
        }
    }

    /// What was consulted.
    pub(crate) fn into_facts(self) -> Vec<LookFact> {
        self.facts
    }

    pub(crate) fn at(&mut self, path: &str) -> Seen {
        if let Some(seen) = self.seen.get(path) {
            return seen.clone();
        }
        if self.facts.len() >= FACTS_MAX {
            return Seen::Unknown;
        }
        let seen = self.look.at(path);
        self.seen.insert(path.to_owned(), seen.clone());
        self.facts.push(LookFact::At {
            path: path.to_owned(),
            seen: seen.clone(),
        });
        seen
    }

    pub(crate) fn names(&mut self, folder: &str, pattern: &str) -> Option<Vec<String>> {
        let key = (folder.to_owned(), pattern.to_owned());
        if let Some(names) = self.names.get(&key) {
            return names.clone();
        }
        if self.facts.len() >= FACTS_MAX {
            return None;
        }
        let names = self.look.names(folder, pattern);
        let names = names.filter(|names| names.len() <= NAMES_MAX);
        self.facts.push(LookFact::Names {
            folder: key.0.clone(),
            pattern: key.1.clone(),
            names: names.clone(),
        });
        self.names.insert(key, names.clone());
        names
    }

    /// What the part `part` of the script at `path` publishes, as `find` tells from its text. The
    /// text itself is not kept, only what was found.
    pub(crate) fn script(
        &mut self,
        path: &str,
        part: &str,
        find: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        self.found(path, part, find, |look| look.content(path))
    }

    /// What `find` says of a configuration of git.
    pub(crate) fn git_config(
        &mut self,
        path: &str,
        find: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        self.found(path, "git", find, |look| look.git_config(path))
    }

    fn found(
        &mut self,
        path: &str,
        part: &str,
        find: impl FnOnce(&str) -> Option<String>,
        read: impl FnOnce(&dyn Look) -> Option<String>,
    ) -> Option<String> {
        let key = (path.to_owned(), part.to_owned());
        if let Some(found) = self.scripts.get(&key) {
            return found.clone();
        }
        if self.facts.len() >= FACTS_MAX {
            return None;
        }
        let found = match self.look.recorded() {
            Some(facts) => facts.iter().find_map(|fact| match fact {
                LookFact::Script {
                    path: at,
                    part: of,
                    publishes,
                } if at == path && of == part => Some(publishes.clone()),
                _ => None,
            }),
            None => read(self.look).map(|text| find(&text)),
        };
        if let Some(publishes) = found.clone() {
            self.facts.push(LookFact::Script {
                path: key.0.clone(),
                part: key.1.clone(),
                publishes,
            });
        }
        let found = found.flatten();
        self.scripts.insert(key, found.clone());
        found
    }
}
