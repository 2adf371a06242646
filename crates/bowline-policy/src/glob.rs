//! Globs over paths: `*` stays within a segment, `**` crosses segments.

use globset::{GlobBuilder, GlobMatcher};

use crate::place::{below, is_within};
use crate::policy::Policy;

/// A compiled glob of a `read(..)` or `write(..)` rule: absolute, below home (`~/..`) or relative
/// to the workspace roots. Upper and lower case differ.
#[derive(Debug, Clone)]
pub struct PathGlob {
    text: String,
    base: Base,
    matcher: GlobMatcher,
    /// For `x/**`: what `x` matches, so that the folder itself is covered, too.
    folder: Option<GlobMatcher>,
    is_literal: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    Roots,
    Home,
    Absolute,
}

impl PathGlob {
    /// Compiles `text`.
    ///
    /// # Errors
    /// What is wrong with it, in a few words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.split('/').any(|segment| segment == "..") {
            return Err("`..` has no meaning in it: write an absolute path".to_owned());
        }
        let (base, rest) = match text.strip_prefix('~') {
            Some("") => (Base::Home, ""),
            Some(rest) if rest.starts_with('/') => (Base::Home, &rest[1..]),
            Some(_) => return Err("`~name` is not known: write an absolute path".to_owned()),
            None if text.starts_with('/') => (Base::Absolute, text),
            None => (Base::Roots, text.strip_prefix("./").unwrap_or(text)),
        };
        // `x/` means the folder and what is in it, as `x/**` does.
        let rest = rest
            .strip_suffix('/')
            .map_or_else(|| rest.to_owned(), |x| format!("{x}/**"));
        let folder = match rest.as_str() {
            "**" => Some(""),
            other => other.strip_suffix("/**"),
        };
        Ok(Self {
            text: text.to_owned(),
            base,
            matcher: compile(&rest)?,
            folder: folder.map(compile).transpose()?,
            is_literal: !rest.contains(['*', '?', '[', '{', '\\']),
        })
    }

    /// The text as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names one path and no pattern.
    #[must_use]
    pub const fn is_literal(&self) -> bool {
        self.is_literal
    }

    /// Whether it matches the absolute `path`.
    pub(crate) fn matches(&self, path: &str, policy: &Policy) -> bool {
        self.candidates(path, policy).any(|name| {
            self.matcher.is_match(name)
                || self
                    .folder
                    .as_ref()
                    .is_some_and(|folder| folder.is_match(name))
        })
    }

    /// Whether it names, without any pattern, a folder that `path` lies below.
    pub(crate) fn names_folder_of(&self, path: &str, policy: &Policy) -> bool {
        let name = self.text.trim_start_matches("~/").trim_start_matches("./");
        self.is_literal
            && self
                .candidates(path, policy)
                .any(|path| is_within(path, name))
    }

    /// The texts of `path` that a glob of this base is held against.
    fn candidates<'p>(
        &self,
        path: &'p str,
        policy: &Policy,
    ) -> impl Iterator<Item = &'p str> + use<'p> {
        let found: Vec<&str> = match self.base {
            Base::Absolute => vec![path],
            Base::Home => policy
                .home
                .iter()
                .filter_map(|home| below(path, home))
                .collect(),
            Base::Roots => policy
                .roots
                .iter()
                .filter_map(|root| below(path, root))
                .collect(),
        };
        found.into_iter()
    }
}

fn compile(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}
