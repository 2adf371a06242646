//! Which rules cover others: everything that the one names is named by the other.

use std::collections::HashMap;

use bowline_core::Verdict;
use bowline_policy::{Pattern, Rule};

/// Most rules with a star among their words that a rule is compared with one by one.
const ODD_MAX: usize = 1_000;

/// The rules of one verdict, to find those that cover a given one.
#[derive(Debug, Default)]
pub(super) struct Covers {
    /// By the text that stands for everything a rule covers.
    wide: HashMap<String, usize>,
    /// Words with a star somewhere but at the end: compared one by one.
    odd: Vec<(Vec<String>, usize)>,
    /// Rules over names with stars: tools, hosts, tools of servers.
    names: Vec<(String, usize)>,
}

impl Covers {
    /// Of all rules, those that say `verdict`; their places in `rules` are kept.
    pub(super) fn of(rules: &[&Rule], verdict: Verdict) -> Self {
        let mut covers = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            if rule.verdict == verdict {
                covers.add(&rule.pattern, at);
            }
        }
        covers
    }

    fn add(&mut self, pattern: &Pattern, at: usize) {
        match pattern {
            Pattern::Argv(words) => {
                let fixed = words.split_last().map_or(&[][..], |(_, fixed)| fixed);
                let is_odd = fixed.iter().any(|word| word.contains('*'));
                if is_odd && self.odd.len() < ODD_MAX {
                    self.odd.push((words.clone(), at));
                }
            }
            Pattern::Tool(name) if name.contains('*') => self.name("tool", name, at),
            Pattern::Host(name) if name.as_str().contains('*') => {
                self.name("host", name.as_str(), at);
            }
            Pattern::Mcp { server, tool } if server.contains('*') || tool.contains('*') => {
                self.name("mcp", &format!("{server}/{tool}"), at);
            }
            _ => {}
        }
        // The first of equal ones is the one that covers.
        self.wide.entry(key(pattern)).or_insert(at);
    }

    fn name(&mut self, kind: &str, name: &str, at: usize) {
        if self.names.len() < ODD_MAX {
            self.names.push((format!("{kind}({name})"), at));
        }
    }

    /// The place of a rule that names all that `pattern` names, but for the one at `own`.
    pub(super) fn find(&self, pattern: &Pattern, own: usize) -> Option<usize> {
        let other = |at: usize| (at != own).then_some(at);
        let wide = |text: &str| self.wide.get(text).copied().and_then(other);
        if let Some(at) = wide(&key(pattern)).or_else(|| wide("tool(*)")) {
            return Some(at);
        }
        match pattern {
            Pattern::Argv(words) => self.of_words(words, own),
            Pattern::Read(glob) => folders(glob.text()).find_map(|it| wide(&format!("read({it})"))),
            Pattern::Write(glob) => {
                folders(glob.text()).find_map(|it| wide(&format!("write({it})")))
            }
            Pattern::Send(glob) => folders(glob.text()).find_map(|it| wide(&format!("send({it})"))),
            _ => {
                let text = key(pattern);
                let mut names = self.names.iter().filter(|(_, at)| *at != own);
                names.find_map(|(name, at)| fits(name, &text).then_some(*at))
            }
        }
    }

    fn of_words(&self, words: &[String], own: usize) -> Option<usize> {
        let other = |at: &usize| *at != own;
        let fixed = match words.split_last() {
            Some((last, fixed)) if last == "*" => fixed,
            _ => words,
        };
        for length in (0..=fixed.len()).rev() {
            let mut wider = fixed[..length].join(" ");
            wider.push_str(if length == 0 { "*" } else { " *" });
            if let Some(at) = self.wide.get(&wider).copied().filter(other) {
                return Some(at);
            }
        }
        let mut odd = self.odd.iter().filter(|(_, at)| *at != own);
        odd.find_map(|(wider, at)| covers_words(wider, words).then_some(*at))
    }
}

/// A pattern as one text; equal patterns have equal ones.
fn key(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Read(glob) => format!("read({})", plain(glob.text())),
        Pattern::Write(glob) => format!("write({})", plain(glob.text())),
        Pattern::Send(glob) => format!("send({})", plain(glob.text())),
        Pattern::Tool(name) => format!("tool({name})"),
        Pattern::Host(name) => format!("host({name})"),
        Pattern::Mcp { server, tool } => format!("mcp({server}/{tool})"),
        Pattern::Argv(words) => words.join(" "),
        other => format!("{other:?}"),
    }
}

/// A glob in its usual spelling.
fn plain(glob: &str) -> String {
    let glob = glob.strip_prefix("./").unwrap_or(glob);
    match glob.strip_suffix('/') {
        Some(folder) => format!("{folder}/**"),
        None => glob.to_owned(),
    }
}

/// The globs that name everything below a folder that `glob` lies in, nearest first: for
/// `a/b/*.rs` it is `a/b/**`, `a/**` and `**`.
fn folders(glob: &str) -> impl Iterator<Item = String> {
    let glob = plain(glob);
    let steady = glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len());
    let ends: Vec<usize> = glob[..steady]
        .rmatch_indices('/')
        .map(|(at, _)| at)
        .collect();
    let mut wider: Vec<String> = ends
        .iter()
        .map(|at| format!("{}/**", &glob[..*at]))
        .collect();
    if !glob.starts_with(['/', '~']) {
        wider.push("**".to_owned());
    }
    wider.into_iter()
}

/// Whether every list of words that `narrower` names is named by `wider`.
fn covers_words(wider: &[String], narrower: &[String]) -> bool {
    let is_rest = |word: &String| word == "*";
    match (wider.split_first(), narrower.split_first()) {
        (None, None) => true,
        (Some((last, [])), _) if is_rest(last) => true,
        (Some((one, more)), Some((other, rest))) => {
            // A star at the end stands for any number of words, one elsewhere for one.
            let is_open = rest.is_empty() && is_rest(other);
            !is_open && fits(one, other) && covers_words(more, rest)
        }
        _ => false,
    }
}

/// Whether all that `narrower` names is named by `wider`; a star in it must meet a star.
fn fits(wider: &str, narrower: &str) -> bool {
    match wider.split_once('*') {
        None => wider == narrower,
        Some((head, "")) => narrower.starts_with(head),
        Some((head, rest)) => narrower.strip_prefix(head).is_some_and(|after| {
            let mut starts = after.char_indices().map(|(at, _)| at).chain([after.len()]);
            starts.any(|at| fits(rest, &after[at..]))
        }),
    }
}

#[cfg(test)]
mod tests;
