//! Globs over paths: `*` stays within a segment, `**` crosses segments.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::place::{below, is_within};
use crate::policy::Policy;
use crate::protected::fold::composed;

/// A compiled glob of a `read(..)` or `write(..)` rule: absolute, below home (`~/..`) or relative
/// to the workspace roots. Upper and lower case differ.
#[derive(Debug, Clone)]
pub struct PathGlob {
    text: String,
    base: Base,
    whole: Matcher,
    /// For `x/**`: what `x` matches, so that the folder itself is covered, too.
    folder: Option<Matcher>,
    /// The same with its letters composed, where they are not.
    composed: Option<Box<Self>>,
}

/// One glob. It is compiled when a path comes along that begins as it does: of a hundred thousand
/// rules most never meet one.
#[derive(Debug, Clone)]
struct Matcher {
    glob: Arc<str>,
    /// How many bytes stand before its first special character; all of them if it has none.
    plain: usize,
    compiled: Arc<OnceLock<Option<GlobMatcher>>>,
}

impl Matcher {
    fn new(glob: &str) -> Result<Self, String> {
        built(glob)?;
        Ok(Self {
            glob: Arc::from(glob),
            plain: glob.find(SPECIAL).unwrap_or(glob.len()),
            compiled: Arc::default(),
        })
    }

    fn is_plain(&self) -> bool {
        self.plain == self.glob.len()
    }

    fn is_match(&self, name: &str) -> bool {
        if self.is_plain() {
            return *self.glob == *name;
        }
        if !name.starts_with(&self.glob[..self.plain]) {
            return false;
        }
        // It was built once before, so there is one.
        let compile = || built(&self.glob).ok().map(|glob| glob.compile_matcher());
        let compiled = self.compiled.get_or_init(compile);
        compiled.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

/// What has a meaning of its own in a glob.
const SPECIAL: [char; 5] = ['*', '?', '[', '{', '\\'];

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
            whole: Matcher::new(&rest)?,
            folder: folder.map(Matcher::new).transpose()?,
            composed: match composed(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(Box::new(Self::parse(&text)?)),
            },
        })
    }

    /// The text as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names one path and no pattern.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.whole.is_plain()
    }

    /// Whether it matches the absolute `path`.
    pub(crate) fn matches(&self, path: &str, policy: &Policy) -> bool {
        self.candidates(path, policy).any(|name| self.fits(name))
    }

    /// Whether it matches the absolute `path`, or names a folder that it lies below, however the
    /// letters of either are composed: for rules that are matched generously.
    pub(crate) fn may_mean(&self, path: &str, policy: &Policy) -> bool {
        let glob = self.composed.as_deref().unwrap_or(self);
        self.candidates(path, policy).any(|name| {
            self.fits(name) || self.is_folder_of(name) || {
                let name = composed(name);
                glob.fits(&name) || glob.is_folder_of(&name)
            }
        })
    }

    /// Where what it names begins, absolute: the place itself for a literal, the folder for `x/**`,
    /// else the folder before its first special character. The flag says whether all that lies
    /// there is meant.
    pub(crate) fn places(&self, policy: &Policy) -> Vec<(String, bool)> {
        let glob = &*self.whole.glob;
        let (start, is_whole) = match &self.folder {
            Some(folder) if folder.is_plain() => (&*folder.glob, true),
            _ if self.is_literal() => (glob, true),
            _ => {
                let plain = &glob[..self.whole.plain];
                (
                    plain.rsplit_once('/').map_or("", |(folder, _)| folder),
                    false,
                )
            }
        };
        let below = |folder: &String| {
            let folder = folder.trim_end_matches('/');
            match start {
                "" if folder.is_empty() => "/".to_owned(),
                "" => folder.to_owned(),
                start => format!("{folder}/{start}"),
            }
        };
        let bases: Vec<String> = match self.base {
            Base::Absolute if start.is_empty() => vec!["/".to_owned()],
            Base::Absolute => vec![start.to_owned()],
            Base::Home => policy.home.iter().map(below).collect(),
            Base::Roots => policy.roots.iter().map(below).collect(),
        };
        bases.into_iter().map(|base| (base, is_whole)).collect()
    }

    fn fits(&self, name: &str) -> bool {
        let is_folder = |folder: &Matcher| folder.is_match(name);
        self.whole.is_match(name) || self.folder.as_ref().is_some_and(is_folder)
    }

    /// Whether it names, without any pattern, a folder that `name` lies below.
    fn is_folder_of(&self, name: &str) -> bool {
        let folder = self.text.trim_start_matches("~/").trim_start_matches("./");
        self.is_literal() && is_within(name, folder)
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

fn built(text: &str) -> Result<Glob, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    glob.map_err(|error| error.kind().to_string())
}
