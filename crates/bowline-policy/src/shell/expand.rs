//! From words to arguments, as far as they are known: braces, tilde, variables, substitutions that
//! are known enough, splitting, globs. Nothing is judged here.

mod brace;
mod fits;
mod glob;
mod parameter;

use super::argument::{Argument, Value};
use super::effect::{Lines, effect};
use super::scope::{Scope, any_number};
use super::tree::{CommandKind, Piece, Script, Span, Word};
use crate::look::Eyes;
use crate::policy::Policy;

pub use self::fits::name_fits;
pub(super) use self::glob::asks_for_protected;

/// Most arguments that one word comes to.
const ARGUMENTS_MAX: usize = 1_024;

/// Most texts that a word with several possible values comes to.
const TEXTS_MAX: usize = 256;

/// Longest text that a word comes to, in bytes.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Expands words of one place in the text.
pub(super) struct Expander<'w, 'a> {
    pub(super) policy: &'w Policy,
    pub(super) scope: &'w Scope,
    pub(super) eyes: &'w mut Eyes<'a>,
    /// Where everything stands, if the text is not the one that people see.
    pub(super) at: Option<Span>,
}

/// One character of a word: `is_live` if it may mean something (`*`, `?`, `[`, `~`, `{`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sign {
    character: char,
    is_live: bool,
}

/// A part of a word whose variables are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bit {
    /// Text.
    Text(Vec<Sign>),
    /// One of these texts, as one argument; split at blanks if `is_split`.
    OneOf { texts: Vec<String>, is_split: bool },
    /// Paths in the workspace.
    Paths { written: String },
    /// One text that is not known.
    One { written: String },
    /// Any text, perhaps split.
    Any { written: String },
    /// Here one argument ends and the next begins.
    Break,
    /// Nothing, but quoted: an argument even if it is all there is.
    Empty,
}

impl Expander<'_, '_> {
    /// The arguments that a command's words come to.
    pub(super) fn arguments(&mut self, words: &[Word]) -> Vec<Argument> {
        let mut all = Vec::new();
        for word in words {
            let span = self.at.unwrap_or(word.span);
            for value in self.values(word) {
                all.push(Argument { value, span });
            }
        }
        all
    }

    /// What one word comes to: braces, splitting, globs and all.
    pub(super) fn values(&mut self, word: &Word) -> Vec<Value> {
        // Most words are one plain text.
        if let [Piece::Bare(text)] = &word.pieces[..]
            && !text.contains(['*', '?', '[', '{', '~'])
        {
            return vec![Value::Known(text.clone())];
        }
        let Some(alternatives) = brace::expand(&word.pieces, ARGUMENTS_MAX) else {
            let written = written(&word.pieces);
            return vec![Value::Unknown { written }];
        };
        let mut values = Vec::new();
        for pieces in alternatives {
            let bits = self.bits(&pieces, Place::Argument);
            self.fields(bits, &mut values);
            if values.len() > ARGUMENTS_MAX {
                let written = written(&word.pieces);
                return vec![Value::Unknown { written }];
            }
        }
        values
    }

    /// What a word comes to where it is neither split nor a glob: in assignments, `[[ ]]`, `case`.
    pub(super) fn value(&mut self, word: &Word) -> Value {
        let bits = self.bits(&word.pieces, Place::Assigned);
        whole(bits, &written(&word.pieces))
    }

    /// What the body of a here-document or a here-string comes to.
    pub(super) fn body(&mut self, word: &Word) -> Value {
        let bits = self.bits(&word.pieces, Place::Body);
        whole(bits, &written(&word.pieces))
    }

    fn bits(&mut self, pieces: &[Piece], place: Place) -> Vec<Bit> {
        let mut bits = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Bare(text) => {
                    let is_last = at + 1 == pieces.len();
                    let mut signs = Vec::new();
                    match place {
                        Place::Body => signs.extend(text.chars().map(live)),
                        Place::Argument | Place::Assigned => {
                            match self.tilde(text, at == 0, is_last, place) {
                                Some(found) => signs = found,
                                None => {
                                    let written = text.clone();
                                    bits.push(Bit::One { written });
                                    continue;
                                }
                            }
                        }
                    }
                    bits.push(Bit::Text(signs));
                }
                Piece::Quoted(text) if text.is_empty() => bits.push(Bit::Empty),
                Piece::Quoted(text) => bits.push(Bit::Text(text.chars().map(quiet).collect())),
                Piece::Parameter {
                    parameter,
                    is_quoted,
                } => {
                    let is_whole = *is_quoted || place != Place::Argument;
                    self.parameter(parameter, is_whole, &mut bits);
                }
                Piece::Command { script, is_quoted } => {
                    let written = "$(..)".to_owned();
                    bits.push(if self.output(script) == Lines::WorkspacePaths {
                        Bit::Paths { written }
                    } else if *is_quoted || place != Place::Argument {
                        Bit::One { written }
                    } else {
                        Bit::Any { written }
                    });
                }
                Piece::Arithmetic { .. } => {
                    let Value::OneOf(texts) = any_number() else {
                        continue;
                    };
                    let is_split = false;
                    bits.push(Bit::OneOf { texts, is_split });
                }
                // The name of a pipe: nothing that could be protected.
                Piece::Process { .. } => bits.push(Bit::Paths {
                    written: "<(..)".to_owned(),
                }),
                Piece::Array(_) => bits.push(Bit::Any {
                    written: "(..)".to_owned(),
                }),
            }
        }
        bits
    }

    /// What the output of a substitution holds, as far as one pipeline of known commands says.
    fn output(&mut self, script: &Script) -> Lines {
        let [list] = &script.lists[..] else {
            return Lines::Unknown;
        };
        let [pipeline] = &list.pipelines[..] else {
            return Lines::Unknown;
        };
        let mut lines = Lines::Unknown;
        for command in &pipeline.commands {
            let CommandKind::Simple { assignments, words } = &command.kind else {
                return Lines::Unknown;
            };
            if !assignments.is_empty() || !self.is_plain_command(words) {
                return Lines::Unknown;
            }
            let arguments = self.arguments(words);
            if glob::asks_for_protected(&arguments) {
                return Lines::Unknown;
            }
            lines = match effect(&arguments, lines).output {
                Lines::OfInput => lines,
                other => other,
            };
        }
        lines
    }

    /// Whether a command is named by its bare name and no function has that name.
    fn is_plain_command(&self, words: &[Word]) -> bool {
        match words.first().map(|word| &word.pieces[..]) {
            Some([Piece::Bare(name)]) => {
                !name.contains('/') && !self.scope.functions.contains_key(name)
            }
            _ => false,
        }
    }

    /// Bare text with its tilde resolved; `None` if it names a folder that is not known.
    fn tilde(&self, text: &str, is_first: bool, is_last: bool, place: Place) -> Option<Vec<Sign>> {
        let mut signs: Vec<Sign> = Vec::new();
        let mut rest = text;
        // `NAME=~/x` is expanded in arguments, too.
        let assigned = text.find('=').filter(|at| is_name(&text[..*at]));
        let mut may_begin = is_first;
        if place == Place::Argument
            && is_first
            && let Some(at) = assigned
        {
            signs.extend(text[..=at].chars().map(live));
            rest = &text[at + 1..];
        }
        let is_assignment = place == Place::Assigned || assigned.is_some();
        loop {
            let (part, more) = match rest.find(':').filter(|_| is_assignment) {
                Some(at) => (&rest[..at], Some(&rest[at + 1..])),
                None => (rest, None),
            };
            let ends = part.find('/').map_or(part.len(), |at| at);
            let is_whole = ends < part.len() || more.is_some() || is_last;
            if may_begin && part.starts_with('~') && is_whole {
                signs.extend(self.home_of(&part[1..ends])?.chars().map(quiet));
                signs.extend(part[ends..].chars().map(live));
            } else {
                signs.extend(part.chars().map(live));
            }
            let Some(more) = more else { break };
            signs.push(live(':'));
            rest = more;
            may_begin = true;
        }
        Some(signs)
    }

    fn home_of(&self, user: &str) -> Option<String> {
        match user {
            "" => self.policy.home.clone(),
            "+" => match self.scope.places.as_deref() {
                Some([place]) => Some(place.logical.clone()),
                _ => None,
            },
            "root" => Some("/root".to_owned()),
            _ => None,
        }
    }

    /// Cuts bits into arguments.
    fn fields(&mut self, bits: Vec<Bit>, values: &mut Vec<Value>) {
        let mut field: Vec<Bit> = Vec::new();
        for bit in bits {
            if bit == Bit::Break {
                self.field(std::mem::take(&mut field), values);
            } else {
                field.push(bit);
            }
        }
        self.field(field, values);
    }

    fn field(&mut self, bits: Vec<Bit>, values: &mut Vec<Value>) {
        let is_empty = |bit: &Bit| matches!(bit, Bit::Text(signs) if signs.is_empty());
        if bits.iter().all(is_empty) {
            return;
        }
        if let Some(signs) = text_of(&bits) {
            if glob::is_glob(&signs) {
                self.glob(&signs, values);
            } else {
                values.push(Value::Known(plain(&signs)));
            }
            return;
        }
        values.push(mixed(&bits));
    }
}

/// Where a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Among the arguments of a command.
    Argument,
    /// Where it is neither split nor a glob.
    Assigned,
    /// In the body of a here-document: no tilde either.
    Body,
}

const fn live(character: char) -> Sign {
    Sign {
        character,
        is_live: true,
    }
}

const fn quiet(character: char) -> Sign {
    Sign {
        character,
        is_live: false,
    }
}

fn plain(signs: &[Sign]) -> String {
    signs.iter().map(|sign| sign.character).collect()
}

/// The signs of bits that are all text.
fn text_of(bits: &[Bit]) -> Option<Vec<Sign>> {
    let mut all = Vec::new();
    for bit in bits {
        match bit {
            Bit::Text(signs) => all.extend_from_slice(signs),
            Bit::Empty => {}
            _ => return None,
        }
    }
    Some(all)
}

/// The value of a word that is not split.
fn whole(bits: Vec<Bit>, written: &str) -> Value {
    if let Some(signs) = text_of(&bits) {
        return Value::Known(plain(&signs));
    }
    if let [Bit::Any { .. }] = &bits[..] {
        // What it holds is one text, but it may be split where it is used.
        return Value::Unknown {
            written: written.to_owned(),
        };
    }
    mixed(&bits)
}

/// The value of a word with parts that are not simply text.
fn mixed(bits: &[Bit]) -> Value {
    let written: String = bits.iter().map(shown).collect();
    let unknown = |written| Value::Unknown { written };
    if bits.iter().any(|bit| matches!(bit, Bit::Any { .. })) {
        return unknown(written);
    }
    let is_glob = |bit: &Bit| matches!(bit, Bit::Text(signs) if glob::is_glob(signs));
    if bits.iter().any(is_glob) {
        return unknown(written);
    }
    if bits.iter().any(|bit| matches!(bit, Bit::One { .. })) {
        let known = bits.iter().take_while(|bit| matches!(bit, Bit::Text(_)));
        let prefix = known.map(shown).collect();
        return Value::UnknownOne { prefix, written };
    }
    if bits.iter().any(|bit| matches!(bit, Bit::Paths { .. })) {
        return paths(bits, written);
    }
    one_of(bits).unwrap_or_else(|| unknown(written))
}

/// Paths in the workspace with text around them: still such paths if the text only adds folders
/// before or something ordinary after.
fn paths(bits: &[Bit], written: String) -> Value {
    let at = bits.iter().position(|bit| matches!(bit, Bit::Paths { .. }));
    let at = at.unwrap_or_default();
    let (before, after) = (text_of(&bits[..at]), text_of(&bits[at + 1..]));
    let (Some(before), Some(after)) = (before, after) else {
        return Value::Unknown { written };
    };
    let (before, after) = (plain(&before), plain(&after));
    let is_climbing = |text: &str| text.split('/').any(|part| part == "..");
    let is_folder = before.is_empty() || (before.ends_with('/') && !before.starts_with('/'));
    let is_odd = before.starts_with(['-', '~']) || is_climbing(&before) || is_climbing(&after);
    let is_name = !after.contains(char::is_whitespace) && !before.contains(char::is_whitespace);
    let sample = format!("/{before}x{after}");
    let is_protected = crate::protected::protects_read(&sample, None).is_some()
        || crate::protected::protects_write(&sample).is_some();
    if is_folder && !is_odd && is_name && !is_protected {
        Value::WorkspacePaths { written }
    } else if before.is_empty() || is_folder {
        Value::Unknown { written }
    } else {
        Value::UnknownOne {
            prefix: before,
            written,
        }
    }
}

/// Every combination of texts, if there are few.
fn one_of(bits: &[Bit]) -> Option<Value> {
    let mut texts = vec![String::new()];
    let is_alone = bits.iter().filter(|bit| **bit != Bit::Empty).count() == 1;
    for bit in bits {
        match bit {
            Bit::Text(signs) => {
                let more = plain(signs);
                for text in &mut texts {
                    text.push_str(&more);
                }
            }
            Bit::OneOf {
                texts: some,
                is_split,
            } => {
                let needs_split = |text: &String| {
                    text.is_empty() || text.contains([' ', '\t', '\n', '*', '?', '['])
                };
                if *is_split && some.iter().any(needs_split) {
                    return is_alone.then(|| split(some)).flatten();
                }
                if texts.len() * some.len() > TEXTS_MAX {
                    return None;
                }
                texts = texts
                    .iter()
                    .flat_map(|text| some.iter().map(move |more| format!("{text}{more}")))
                    .collect();
            }
            Bit::Empty | Bit::Break => {}
            Bit::Paths { .. } | Bit::One { .. } | Bit::Any { .. } => return None,
        }
        if texts.iter().map(String::len).sum::<usize>() > TEXT_BYTES_MAX {
            return None;
        }
    }
    Some(Value::OneOf(texts))
}

/// The parts of texts that are split at blanks.
fn split(texts: &[String]) -> Option<Value> {
    let parts: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split([' ', '\t', '\n']))
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let is_glob = parts.iter().any(|part| part.contains(['*', '?', '[']));
    (!is_glob).then_some(Value::OneOf(parts))
}

fn shown(bit: &Bit) -> String {
    match bit {
        Bit::Text(signs) => plain(signs),
        Bit::OneOf { texts, .. } => texts.join("|"),
        Bit::Paths { written } | Bit::One { written } | Bit::Any { written } => written.clone(),
        Bit::Break => " ".to_owned(),
        Bit::Empty => String::new(),
    }
}

/// A word as people see it, quotes left out.
pub(super) fn written(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Bare(text) | Piece::Quoted(text) => text.clone(),
            Piece::Parameter { parameter, .. } => format!("${}", parameter.name),
            Piece::Command { .. } => "$(..)".to_owned(),
            Piece::Arithmetic { .. } => "$((..))".to_owned(),
            Piece::Process { .. } => "<(..)".to_owned(),
            Piece::Array(_) => "(..)".to_owned(),
        })
        .collect()
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|other| other.is_ascii_alphanumeric() || other == '_')
}

#[cfg(test)]
mod tests;
