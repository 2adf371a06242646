//! Shell text cut into simple commands and their words: roughly, and rather one too many.
//!
//! This is no parser: it is not asked what a text means, only which words may name what it runs.
//! Quotes, comments, operators, redirections and substitutions are known; everything else is a
//! word. A text with quotes that never end is one long word at its end.

use std::iter::Peekable;
use std::str::Chars;

#[cfg(test)]
mod tests;

/// Deepest nesting of texts within texts that is looked into.
const DEPTH_MAX: usize = 8;

/// A word of a simple command.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// The word without its quotes.
    pub(super) text: String,
    /// Whether the shell takes it as it stands: nothing in it is expanded.
    pub(super) is_literal: bool,
    /// Whether it is the file that the command reads its input from.
    pub(super) is_input: bool,
}

/// The simple commands of `text`, those in substitutions last.
pub(super) fn commands(text: &str) -> Vec<Vec<Word>> {
    let mut found = Vec::new();
    let mut texts = vec![(text.to_owned(), 0)];
    let mut next = 0;
    while let Some((text, depth)) = texts.get(next).cloned() {
        let mut scanner = Scanner::new(&text);
        scanner.run();
        found.append(&mut scanner.commands);
        if depth < DEPTH_MAX {
            let inner = scanner.inner.into_iter();
            texts.extend(inner.map(|text| (text, depth + 1)));
        }
        next += 1;
    }
    found
}

/// What the next word is to the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Argument,
    Input,
    /// A file that is written, or the end mark of a text.
    Skipped,
}

struct Scanner<'t> {
    letters: Peekable<Chars<'t>>,
    word: Option<Word>,
    role: Role,
    command: Vec<Word>,
    commands: Vec<Vec<Word>>,
    /// Texts that are run to make a word.
    inner: Vec<String>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            letters: text.chars().peekable(),
            word: None,
            role: Role::Argument,
            command: Vec::new(),
            commands: Vec::new(),
            inner: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(letter) = self.letters.next() {
            match letter {
                '\n' | ';' | '&' | '|' | '(' | ')' => self.end_command(),
                ' ' | '\t' | '\r' => self.end_word(),
                '#' if self.word.is_none() => {
                    while self.letters.next_if(|letter| *letter != '\n').is_some() {}
                }
                '<' | '>' => self.redirect(letter),
                '\'' => self.single(),
                '"' => self.double(),
                '\\' => match self.letters.next() {
                    Some('\n') | None => {}
                    Some(letter) => self.push(letter),
                },
                '$' => self.dollar(),
                '`' => self.backticks(),
                '*' | '?' | '[' | '{' | '}' | '~' => {
                    // Alone they are words of the language, not patterns.
                    let is_within = self.word.is_some()
                        || self
                            .letters
                            .peek()
                            .is_some_and(|next| !next.is_whitespace());
                    self.push(letter);
                    if is_within {
                        self.word().is_literal = false;
                    }
                }
                letter => self.push(letter),
            }
        }
        self.end_command();
    }

    fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_with(|| Word {
            is_literal: true,
            ..Word::default()
        })
    }

    fn push(&mut self, letter: char) {
        self.word().text.push(letter);
    }

    fn end_word(&mut self) {
        let Some(mut word) = self.word.take() else {
            return;
        };
        let role = std::mem::replace(&mut self.role, Role::Argument);
        word.is_input = role == Role::Input;
        if role != Role::Skipped {
            self.command.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.role = Role::Argument;
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }

    fn redirect(&mut self, sign: char) {
        let is_number = |word: &Word| word.text.bytes().all(|byte| byte.is_ascii_digit());
        if self.word.as_ref().is_some_and(is_number) {
            self.word = None;
        }
        self.end_word();
        if self.letters.next_if_eq(&'(').is_some() {
            let inner = self.until_closed();
            self.inner.push(inner);
            self.word().is_literal = false;
            return;
        }
        let mut signs = 1;
        while self.letters.next_if_eq(&sign).is_some() {
            signs += 1;
        }
        while self
            .letters
            .next_if(|next| matches!(next, '&' | '|' | '>' | '-'))
            .is_some()
        {}
        self.role = match (sign, signs) {
            ('<', 1 | 3) => Role::Input,
            _ => Role::Skipped,
        };
    }

    fn single(&mut self) {
        self.word();
        while let Some(letter) = self.letters.next().filter(|letter| *letter != '\'') {
            self.push(letter);
        }
    }

    fn double(&mut self) {
        self.word();
        while let Some(letter) = self.letters.next() {
            match letter {
                '"' => return,
                '\\' => match self.letters.next() {
                    Some('\n') | None => {}
                    Some(letter @ ('"' | '\\' | '$' | '`')) => self.push(letter),
                    Some(letter) => {
                        self.push('\\');
                        self.push(letter);
                    }
                },
                '$' if self.letters.peek() != Some(&'"') => self.dollar(),
                '`' => self.backticks(),
                letter => self.push(letter),
            }
        }
    }

    /// What follows a `$`, in quotes or not.
    fn dollar(&mut self) {
        match self.letters.peek() {
            Some('\'') => {
                self.letters.next();
                self.word();
                let mut is_escaped = false;
                while let Some(letter) = self.letters.next() {
                    match letter {
                        '\'' if !is_escaped => return,
                        '\\' if !is_escaped => {
                            is_escaped = true;
                            self.word().is_literal = false;
                        }
                        letter => {
                            is_escaped = false;
                            self.push(letter);
                        }
                    }
                }
            }
            Some('"') => {}
            Some('(') => {
                self.letters.next();
                let inner = self.until_closed();
                self.inner.push(inner);
                self.word().is_literal = false;
            }
            _ => {
                self.push('$');
                self.word().is_literal = false;
            }
        }
    }

    fn backticks(&mut self) {
        let mut inner = String::new();
        while let Some(letter) = self.letters.next().filter(|letter| *letter != '`') {
            let escaped = (letter == '\\').then(|| self.letters.next()).flatten();
            inner.push(escaped.unwrap_or(letter));
        }
        self.inner.push(inner);
        self.word().is_literal = false;
    }

    /// The text up to the parenthesis that closes it.
    fn until_closed(&mut self) -> String {
        let mut inner = String::new();
        let (mut open, mut quote) = (1, None);
        while let Some(letter) = self.letters.next() {
            match (letter, quote) {
                ('\\', None | Some('"')) => {
                    inner.push(letter);
                    inner.extend(self.letters.next());
                    continue;
                }
                ('\'' | '"', None) => quote = Some(letter),
                (letter, Some(end)) if letter == end => quote = None,
                ('(', None) => open += 1,
                (')', None) => {
                    open -= 1;
                    if open == 0 {
                        return inner;
                    }
                }
                _ => {}
            }
            inner.push(letter);
        }
        inner
    }
}
