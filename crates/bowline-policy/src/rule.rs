//! Rules as people write them.

use bowline_core::decision::{Layer, RuleSource, Verdict};
use bowline_core::{HostPattern, RuleInForce, Tier, TrustState};

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
    /// When it goes out of force, in milliseconds since 1970.
    pub expires_at_ms: Option<u64>,
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
    /// `host(NAME)`: reaching a host; `*` stands for any characters. Ports other than 80 and 443
    /// are meant by `host(NAME:PORT)`.
    Host(HostPattern),
    /// `mcp(SERVER/TOOL)`: calling a tool of an MCP server; `*` stands for any characters of either.
    Mcp {
        /// The server.
        server: String,
        /// Its tool.
        tool: String,
    },
    /// `spend(USD)`: the most that a session may spend, in millionths of a dollar. No action is
    /// held against it: it tightens the cap on the session's money.
    Spend(u64),
    /// `send(GLOB)`: sending what lies at a path to a model that is not local. While such a model is
    /// asked, the path is neither read nor written.
    Send(PathGlob),
    /// Words of a command, such as `git push *`. Nothing is matched against them before shell
    /// text is analysed; until then they only say what cannot be ruled out.
    Argv(Vec<String>),
}

/// How every kind of rule is written that is no command.
const KINDS: &str =
    "read(GLOB), write(GLOB), send(GLOB), tool(NAME), host(NAME), mcp(SERVER/TOOL) and spend(USD)";

/// Longest rule, in bytes.
pub const RULE_BYTES_MAX: usize = 4_096;

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// There is nothing in it.
    #[error("a rule is empty: write the words of a command, or one of {KINDS}")]
    Empty,
    /// It looks like `kind(..)`, but there is no such kind.
    #[error("rule `{rule}`: there is no `{kind}(..)`; there are {KINDS}")]
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
        if matches!(pattern, Pattern::Spend(_)) && verdict != Verdict::Deny {
            return Err(RuleError::Unusable {
                rule: source.rule,
                why: "money can only be denied: `deny = \"spend(USD)\"` is the most that a \
                      session may spend, and nothing allows more than its caps do"
                    .to_owned(),
            });
        }
        if matches!(pattern, Pattern::Send(_)) && verdict != Verdict::Deny {
            return Err(RuleError::Unusable {
                rule: source.rule,
                why:
                    "sending can only be denied: `deny = \"send(GLOB)\"` keeps what lies there to \
                      local models, and what no rule keeps may be sent"
                        .to_owned(),
            });
        }
        Ok(Self {
            verdict,
            pattern,
            source,
            expires_at_ms: None,
        })
    }

    /// Reads a rule as it was recorded.
    ///
    /// # Errors
    /// As [`Rule::parse`].
    pub fn in_force(rule: &RuleInForce) -> Result<Self, RuleError> {
        let expires_at_ms = rule.expires_at_ms;
        let rule = Self::parse(rule.verdict, rule.source.clone())?;
        Ok(Self {
            expires_at_ms,
            ..rule
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

    /// Whether it is out of force at `now_ms`.
    #[must_use]
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|expires| now_ms >= expires)
    }

    /// Whether it may loosen anything: rules of plug-ins, of skills and of a project that nobody
    /// trusts only tighten.
    pub(crate) fn may_loosen(&self, trust: &TrustState) -> bool {
        let is_weak = self.source.layer == Layer::Project && trust.is_untrusted();
        !is_weak && self.source.tier == Tier::BuiltIn
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
        if rule.len() > RULE_BYTES_MAX {
            return Err(RuleError::Unusable {
                rule: rule.chars().take(80).chain(['…']).collect(),
                why: format!("it is longer than {RULE_BYTES_MAX} bytes"),
            });
        }
        if rule.contains(char::is_control) {
            return Err(unusable("it holds a control character".to_owned()));
        }
        if let Some((kind, inside)) = rule.strip_suffix(')').and_then(|rule| rule.split_once('('))
            && !kind.contains(char::is_whitespace)
        {
            let inside = inside.trim();
            return match kind {
                "read" => PathGlob::parse(inside).map(Self::Read).map_err(unusable),
                "write" => PathGlob::parse(inside).map(Self::Write).map_err(unusable),
                "send" => PathGlob::parse(inside).map(Self::Send).map_err(unusable),
                "tool" if inside.is_empty() => Err(unusable("it names no tool".to_owned())),
                "tool" => Ok(Self::Tool(inside.to_owned())),
                "host" => host(inside).map(Self::Host).map_err(unusable),
                "mcp" => mcp(inside).map_err(unusable),
                "spend" => micro_usd(inside).map(Self::Spend).map_err(unusable),
                _ => Err(RuleError::UnknownKind {
                    rule: rule.to_owned(),
                    kind: kind.to_owned(),
                }),
            };
        }
        if [
            "read(", "write(", "send(", "tool(", "host(", "mcp(", "spend(",
        ]
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

/// The hosts that a rule names.
fn host(text: &str) -> Result<HostPattern, String> {
    let alone = || "give the host's name alone, such as `docs.rs` or `*.docs.rs`".to_owned();
    if text.contains(['/', '@']) || text.contains(char::is_whitespace) {
        return Err(alone());
    }
    let pattern = HostPattern::parse(text).map_err(|error| error.to_string())?;
    match pattern.port() {
        Some(80 | 443) => Err(format!(
            "{}: ports 80 and 443 are meant without saying so",
            alone()
        )),
        _ => Ok(pattern),
    }
}

fn mcp(text: &str) -> Result<Pattern, String> {
    match text.split_once('/') {
        Some((server, tool)) if !server.is_empty() && !tool.is_empty() => Ok(Pattern::Mcp {
            server: server.to_owned(),
            tool: tool.to_owned(),
        }),
        _ => Err("write it as SERVER/TOOL, such as `issues/list` or `issues/*`".to_owned()),
    }
}

/// An amount of money in millionths of a dollar.
fn micro_usd(text: &str) -> Result<u64, String> {
    let wrong = || "give dollars with at most six decimals, such as 2.50".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 6 || !is_digits(whole) || !is_digits(part) {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
    whole
        .checked_mul(1_000_000)
        .and_then(|micro| micro.checked_add(part))
        .ok_or_else(wrong)
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
#[must_use]
pub fn name_fits(pattern: &str, name: &str) -> bool {
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
