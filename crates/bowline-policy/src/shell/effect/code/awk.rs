//! Programs of `awk`: whether they only compute and print.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};

/// Judges a call of `awk`.
pub(super) fn judge(work: &mut Work<'_>) {
    let mut programs: Vec<Given> = Vec::new();
    let mut has_program = false;
    for part in &work.parts {
        if let Part::Option {
            fact, values, name, ..
        } = part
        {
            has_program |= fact.is_first_operand;
            if name == "-e" || name.starts_with("--s") {
                programs.extend(values.iter().cloned());
            }
        }
    }
    let mut operands = work.operand_places().into_iter();
    if !has_program {
        programs.extend(operands.next().map(|at| Given { at, text: None }));
    }
    let files: Vec<usize> = operands.collect();
    for at in files {
        let text = work.arguments[at].known();
        let name = text
            .and_then(|text| text.split_once('='))
            .map(|(name, _)| name);
        let is_assignment = name.is_some_and(|name| {
            name.chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        });
        if !is_assignment && text != Some("-") {
            work.read_path(&Given { at, text: None }, false);
        }
    }
    for given in programs {
        let why = match work.texts(&given) {
            Some(texts) => texts.iter().find_map(|text| danger(text)),
            None => Some("is a program that is not known here"),
        };
        if let Some(why) = why {
            work.limit(given.at, why);
            work.hazard(given.at, why);
            if why == ENVIRONMENT {
                work.effect.discloses = Some("prints the environment".to_owned());
            }
        }
    }
}

const ENVIRONMENT: &str = "shows the environment";

/// What stands between two tokens that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Value,
    Sign(char),
}

/// Why a program does more than compute and print, if it does or may.
pub(super) fn danger(program: &str) -> Option<&'static str> {
    let Some(tokens) = tokens(program) else {
        return Some("is a program that is not understood");
    };
    let (mut is_print, mut is_getline, mut depth) = (false, false, 0_usize);
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1);
        match tokens[at] {
            Token::Word("system") => return Some("runs a program with `system`"),
            Token::Word("ENVIRON") => return Some(ENVIRONMENT),
            Token::Word("ARGV" | "ARGC") => return Some("changes which files it reads"),
            Token::Word("SYMTAB" | "FUNCTAB") => {
                return Some("reaches into the interpreter");
            }
            Token::Word("getline") => is_getline = true,
            Token::Word("print" | "printf") => (is_print, depth) = (true, 0),
            Token::Sign('@') => return Some("loads code or calls by name with `@`"),
            Token::Sign('|') if next == Some(&Token::Sign('|')) => at += 1,
            Token::Sign('|') => return Some("runs a program through a pipe"),
            Token::Sign('<') if is_getline => return Some("reads another file with `getline`"),
            Token::Sign('>') if is_print && depth == 0 => return Some("prints to a file"),
            Token::Sign('(' | '[') => depth += 1,
            Token::Sign(')' | ']') => depth = depth.saturating_sub(1),
            Token::Sign(';' | '{' | '}' | '\n') => {
                (is_print, is_getline) = (false, is_getline && depth > 0);
            }
            Token::Word(_) | Token::Value | Token::Sign(_) => {}
        }
        at += 1;
    }
    None
}

/// The tokens of a program; `None` if strings or regular expressions cannot be told apart.
fn tokens(program: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = program;
    // Whether each open parenthesis holds a condition, and whether the last that was closed did.
    let (mut open, mut after_condition) = (Vec::new(), false);
    while let Some(letter) = rest.chars().next() {
        let width = match letter {
            '"' => {
                tokens.push(Token::Value);
                quoted(rest, '"')?
            }
            '/' if is_division(&tokens, after_condition) => sign(&mut tokens, '/'),
            '/' => {
                tokens.push(Token::Value);
                quoted(rest, '/')?
            }
            '(' => {
                let condition = [Token::Word("if"), Token::Word("while"), Token::Word("for")];
                open.push(tokens.last().is_some_and(|last| condition.contains(last)));
                sign(&mut tokens, '(')
            }
            ')' => {
                after_condition = open.pop().unwrap_or(false);
                sign(&mut tokens, ')')
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '\\' if rest.starts_with("\\\n") => 2,
            '\\' if rest.starts_with("\\\r\n") => 3,
            '\\' => return None,
            'a'..='z' | 'A'..='Z' | '_' => {
                let is_in = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let end = rest.find(|letter| !is_in(letter)).unwrap_or(rest.len());
                tokens.push(Token::Word(&rest[..end]));
                end
            }
            '0'..='9' | '.' => {
                tokens.push(Token::Value);
                let is_in = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
                rest.find(|letter| !is_in(letter)).unwrap_or(rest.len())
            }
            ' ' | '\t' | '\r' => 1,
            _ => sign(&mut tokens, letter),
        };
        rest = &rest[width..];
    }
    Some(tokens)
}

/// Whether a slash after `tokens` divides.
fn is_division(tokens: &[Token<'_>], after_condition: bool) -> bool {
    match tokens {
        [.., Token::Word(word)] => !is_keyword(word),
        [.., Token::Value | Token::Sign(']')] => true,
        [.., Token::Sign(')')] => !after_condition,
        [.., Token::Sign(one), Token::Sign(two)] => one == two && "+-".contains(*one),
        _ => false,
    }
}

fn sign(tokens: &mut Vec<Token<'_>>, letter: char) -> usize {
    tokens.push(Token::Sign(letter));
    letter.len_utf8()
}

/// Whether a `/` after this word begins a regular expression.
fn is_keyword(word: &str) -> bool {
    let words = [
        "print", "printf", "return", "in", "else", "do", "case", "getline", "if", "while",
    ];
    words.contains(&word)
}

/// The length of a text in quotes or slashes. Brackets protect a slash in some versions and not in
/// others: with both in one expression nothing is understood.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    let mut is_bracketed = false;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()?),
            '[' if quote == '/' => is_bracketed = true,
            ']' => is_bracketed = false,
            '\n' => return None,
            _ if letter == quote && is_bracketed => return None,
            _ if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
