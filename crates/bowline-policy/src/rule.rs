//! Rules as people write them.

use bowline_core::Tier;
use bowline_core::decision::{Layer, RuleSource, Verdict};

use crate::glob::PathGlob;

/// One rule: what it names, what it says about it, where it stands.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What it says.
    pub verdict: Verdict,
    /// What it names.
    pub pattern: Pattern,
    /// Where it stands; `source.rule` is its text.
    pub source: RuleSource,
}

/// What a rule names.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Pattern {
    /// `read(GLOB)`: reading a path.
    Read(PathGlob),
    /// `write(GLOB)`: writing a path.
    Write(PathGlob),
    /// `tool(NAME)`: whatever the tool does; `*` stands for any characters.
    Tool(String),
    /// Words of a command, such as `git push *`. Nothing is matched against them before shell
    /// text is analysed; until then they only say what cannot be ruled out.
    Argv(Vec<String>),
}

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// There is nothing in it.
    #[error("a rule is empty: write read(GLOB), write(GLOB), tool(NAME) or the words of a command")]
    Empty,
    /// It looks like `kind(..)`, but there is no such kind.
    #[error("rule `{rule}`: there is no `{kind}(..)`; use read(GLOB), write(GLOB) or tool(NAME)")]
    UnknownKind {
        /// The rule.
        rule: String,
        /// The unknown kind.
        kind: String,
    },
    /// What stands between the brackets is of no use.
    #[error("rule `{rule}`: {why}")]
    Unusable {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Rule {
    /// Reads the rule whose text is `source.rule`.
    ///
    /// # Errors
    /// [`RuleError`] names the rule, what is wrong and how to write it.
    pub fn parse(verdict: Verdict, source: RuleSource) -> Result<Self, RuleError> {
        let pattern = Pattern::parse(&source.rule)?;
        Ok(Self {
            verdict,
            pattern,
            source,
        })
    }

    /// Reads a rule given on the command line.
    ///
    /// # Errors
    /// As [`Rule::parse`].
    pub fn on_command_line(verdict: Verdict, text: &str) -> Result<Self, RuleError> {
        let source = RuleSource {
            layer: Layer::CommandLine,
            tier: Tier::BuiltIn,
            rule: text.to_owned(),
            file: None,
            line: None,
        };
        Self::parse(verdict, source)
    }

    /// Whether it may loosen anything: rules of the project, of plug-ins and of skills only
    /// tighten.
    pub(crate) fn may_loosen(&self) -> bool {
        self.source.layer != Layer::Project && self.source.tier == Tier::BuiltIn
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, RuleError> {
        let rule = text.trim();
        if rule.is_empty() {
            return Err(RuleError::Empty);
        }
        let unusable = |why: String| RuleError::Unusable {
            rule: rule.to_owned(),
            why,
        };
        if let Some((kind, inside)) = rule.strip_suffix(')').and_then(|rule| rule.split_once('('))
            && !kind.contains(char::is_whitespace)
        {
            let inside = inside.trim();
            return match kind {
                "read" => PathGlob::parse(inside).map(Self::Read).map_err(unusable),
                "write" => PathGlob::parse(inside).map(Self::Write).map_err(unusable),
                "tool" if inside.is_empty() => Err(unusable("it names no tool".to_owned())),
                "tool" => Ok(Self::Tool(inside.to_owned())),
                _ => Err(RuleError::UnknownKind {
                    rule: rule.to_owned(),
                    kind: kind.to_owned(),
                }),
            };
        }
        if ["read(", "write(", "tool("]
            .iter()
            .any(|kind| rule.starts_with(kind))
        {
            return Err(unusable("its closing parenthesis is missing".to_owned()));
        }
        let words: Vec<String> = rule.split(' ').map(str::to_owned).collect();
        if words.iter().any(String::is_empty) {
            return Err(unusable("separate its words by one blank".to_owned()));
        }
        Ok(Self::Argv(words))
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
pub(crate) fn name_fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(name) = name.strip_prefix(head) else {
        return false;
    };
    let mut starts = name.char_indices().map(|(at, _)| at).chain([name.len()]);
    starts.any(|at| name_fits(rest, &name[at..]))
}

#[cfg(test)]
mod tests;
