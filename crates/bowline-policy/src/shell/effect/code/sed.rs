//! Scripts of `sed`: which commands they hold, and which files those name.

use super::super::apply::Work;
use super::super::grammar::{Given, Part};

/// What a script does beside editing its stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Does {
    pub(super) runs: bool,
    pub(super) reads: Vec<String>,
    pub(super) writes: Vec<String>,
}

/// Judges a call of `sed`.
pub(super) fn judge(work: &mut Work<'_>) {
    let mut scripts: Vec<Given> = Vec::new();
    let (mut has_script, mut in_place) = (false, false);
    for part in &work.parts {
        if let Part::Option {
            fact, values, name, ..
        } = part
        {
            has_script |= fact.is_first_operand;
            in_place |= name == "-i" || name.starts_with("--i");
            if name == "-e" || name.starts_with("--e") {
                scripts.extend(values.iter().cloned());
            }
        }
    }
    let mut operands = work.operand_places().into_iter();
    if !has_script {
        scripts.extend(operands.next().map(|at| Given { at, text: None }));
    }
    if in_place {
        for at in operands {
            work.write_path(&Given { at, text: None });
        }
    }
    let Some(at) = scripts.first().map(|given| given.at) else {
        return;
    };
    let texts: Option<Vec<String>> = scripts
        .iter()
        .map(|given| work.texts(given).filter(|texts| texts.len() == 1))
        .map(|texts| texts.map(|texts| texts.concat()))
        .collect();
    let Some(does) = texts.and_then(|texts| script(&texts.join("\n"))) else {
        work.limit(at, "is a script that is not understood");
        work.hazard(at, "is a script that is not understood");
        return;
    };
    if does.runs {
        work.limit(at, "runs a program with `e`");
        work.hazard(at, "runs a program with `e`");
    }
    for path in does.reads {
        work.limit(at, "reads another file with `r` or `R`");
        work.read_text(at, path);
    }
    for path in does.writes {
        work.limit(at, "writes a file with `w` or `W`");
        work.hazard(at, "writes a file with `w` or `W`");
        work.write_path(&Given {
            at,
            text: Some(path),
        });
    }
}

/// How versions of `sed` find the end of a regular expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Brackets {
    /// A delimiter in brackets ends it.
    Plain,
    /// Brackets protect a delimiter.
    Protect,
    /// The same, and a backslash protects a closing bracket.
    ProtectWithEscapes,
}

/// Reads a script; `None` if no version of `sed` would understand it. Where versions read it
/// differently, it does what it does in any of them.
pub(super) fn script(text: &str) -> Option<Does> {
    let ways = [
        Brackets::Plain,
        Brackets::Protect,
        Brackets::ProtectWithEscapes,
    ];
    let mut whole: Option<Does> = None;
    for brackets in ways {
        let mut reader = Reader {
            rest: text,
            brackets,
            does: Does::default(),
        };
        if reader.script().is_none() {
            continue;
        }
        let does = reader.does;
        let whole = whole.get_or_insert_default();
        whole.runs |= does.runs;
        whole.reads.extend(does.reads);
        whole.writes.extend(does.writes);
    }
    let mut whole = whole?;
    whole.reads.dedup();
    whole.writes.dedup();
    Some(whole)
}

struct Reader<'t> {
    rest: &'t str,
    brackets: Brackets,
    does: Does,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next()?;
        self.rest = letters.as_str();
        Some(letter)
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self, is: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(is);
    }

    fn blanks(&mut self) {
        self.skip(|letter| letter.is_ascii_whitespace() && letter != '\n');
    }

    fn script(&mut self) -> Option<()> {
        while self.command()? {}
        Some(())
    }

    /// Reads one command; `Some(false)` at the end.
    fn command(&mut self) -> Option<bool> {
        self.skip(|letter| letter.is_ascii_whitespace() || letter == ';');
        if self.rest.is_empty() {
            return Some(false);
        }
        self.addresses()?;
        self.skip(|letter| letter.is_ascii_whitespace() || letter == '!');
        match self.next()? {
            '{' | '}' => {}
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | 'F' => {
                self.end()?;
            }
            'q' | 'Q' | 'l' | 'L' => {
                self.blanks();
                self.skip(|letter| letter.is_ascii_digit());
                self.end()?;
            }
            'a' | 'i' | 'c' => self.text(),
            ':' | 'b' | 't' | 'T' | 'v' => {
                self.blanks();
                self.skip(|letter| !letter.is_ascii_whitespace() && !";}".contains(letter));
            }
            '#' => drop(self.line()),
            'e' => {
                self.does.runs = true;
                self.line();
            }
            'r' | 'R' => {
                let file = self.file();
                self.does.reads.push(file);
            }
            'w' | 'W' => {
                let file = self.file();
                self.does.writes.push(file);
            }
            's' => self.substitute()?,
            'y' => {
                let delimiter = self.delimiter()?;
                self.until(delimiter)?;
                self.until(delimiter)?;
                self.end()?;
            }
            _ => return None,
        }
        Some(true)
    }

    /// What must stand after a command without text.
    fn end(&mut self) -> Option<()> {
        self.blanks();
        match self.peek() {
            None | Some(';' | '}' | '\n' | '#') => Some(()),
            Some(_) => None,
        }
    }

    fn addresses(&mut self) -> Option<()> {
        self.address()?;
        self.blanks();
        if self.rest.starts_with(',') {
            self.next();
            self.blanks();
            self.skip(|letter| letter == '+' || letter == '~');
            self.address()?;
        }
        Some(())
    }

    fn address(&mut self) -> Option<()> {
        match self.peek() {
            Some('0'..='9') => self.skip(|letter| letter.is_ascii_digit() || letter == '~'),
            Some('$') => drop(self.next()),
            Some('/') => {
                self.next();
                self.expression('/')?;
                self.skip(|letter| letter == 'I' || letter == 'M');
            }
            Some('\\') => {
                self.next();
                let delimiter = self.delimiter()?;
                self.expression(delimiter)?;
                self.skip(|letter| letter == 'I' || letter == 'M');
            }
            _ => {}
        }
        Some(())
    }

    fn delimiter(&mut self) -> Option<char> {
        self.next()
            .filter(|letter| *letter != '\n' && *letter != '\\')
    }

    /// Up to the `delimiter` that ends a regular expression.
    fn expression(&mut self, delimiter: char) -> Option<()> {
        if self.brackets == Brackets::Plain || delimiter == '[' {
            return self.until(delimiter);
        }
        loop {
            match self.next()? {
                letter if letter == delimiter => return Some(()),
                '\\' => drop(self.next()?),
                '[' => self.bracket()?,
                _ => {}
            }
        }
    }

    /// The rest of a bracket expression.
    fn bracket(&mut self) -> Option<()> {
        self.rest = self.rest.strip_prefix('^').unwrap_or(self.rest);
        self.rest = self.rest.strip_prefix(']').unwrap_or(self.rest);
        loop {
            match self.next()? {
                ']' => return Some(()),
                '\\' if self.brackets == Brackets::ProtectWithEscapes => drop(self.next()?),
                '[' if self.rest.starts_with(':') => {
                    let end = self.rest.find(":]")?;
                    self.rest = &self.rest[end + 2..];
                }
                _ => {}
            }
        }
    }

    /// Up to the next `delimiter` that no backslash stands before.
    fn until(&mut self, delimiter: char) -> Option<()> {
        loop {
            let letter = self.next()?;
            if letter == delimiter {
                return Some(());
            }
            if letter == '\\' {
                self.next()?;
            }
        }
    }

    fn line(&mut self) -> &'t str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        line
    }

    fn file(&mut self) -> String {
        self.blanks();
        self.line().to_owned()
    }

    /// The text of `a`, `i` and `c`: to the end of the line, over lines that end in a backslash.
    fn text(&mut self) {
        loop {
            let line = self.line();
            let slashes = line.len() - line.trim_end_matches('\\').len();
            let is_start = line.trim() == "\\";
            if !(slashes % 2 == 1 || is_start) || self.rest.is_empty() {
                return;
            }
        }
    }

    fn substitute(&mut self) -> Option<()> {
        let delimiter = self.delimiter()?;
        self.expression(delimiter)?;
        self.until(delimiter)?;
        loop {
            match self.peek() {
                Some('g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9') => drop(self.next()),
                Some('e') => {
                    self.next();
                    self.does.runs = true;
                }
                Some('w') => {
                    self.next();
                    let file = self.file();
                    self.does.writes.push(file);
                    return Some(());
                }
                _ => return self.end(),
            }
        }
    }
}
