//! Words: what bash passes to a command, and what the tree says it passes.

use bowline_policy::shell::parse::parse;
use bowline_policy::shell::tree::{CommandKind, Operation, Parameter, Piece, Script, Word};

use crate::bash;
use crate::chance::{Chance, cases_and_seed};

const BARE: &str = "ab1,./=:@%+^!#{}[]*?é日-_~";
const ANY: &str = "ab1 \t\n,./=:@%+^!#{}[]*?é日-_~;&|()<>'\"`$\\";

/// Text of random characters.
fn any(chance: &mut Chance, without: &str) -> String {
    let length = chance.below(5);
    let letters = (0..length).map(|_| chance.letter(ANY));
    letters
        .filter(|letter| !without.contains(*letter))
        .collect()
}

fn decoded(chance: &mut Chance) -> String {
    let parts = [
        "a", "\\n", "\\t", "\\\\", "\\'", "\\\"", "\\x41", "\\x4", "\\101", "\\7", "\\u00e9",
        "\\U1F600", "\\ca", "\\q", "\\?", "\\e", " ", "$", "`", "\"", "\\x", "\\u", "\n", "\\\n",
    ];
    (0..chance.below(4)).map(|_| chance.pick(&parts)).collect()
}

fn double(chance: &mut Chance, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..chance.below(4) {
        match chance.below(8) {
            0 => text += &format!("\\{}", chance.letter(ANY)),
            1 if depth > 0 => text += &operand(chance, true, depth - 1),
            2 if depth > 0 => text += &substitution(chance, depth - 1),
            3 => text += chance.pick(&["$", "$x", "\\\n", "$'a'", "$[2]", "$((1))", "${x}"]),
            _ => text += &any(chance, "\"`$\\"),
        }
    }
    text
}

/// `${x..}` with an operand; `x` is not set.
fn operand(chance: &mut Chance, is_quoted: bool, depth: usize) -> String {
    let sign = chance.pick(&[":-", "-", "%", "##", "/", "^^", ":-", "-"]);
    let mut text = String::new();
    for _ in 0..chance.below(4) {
        match chance.below(6) {
            0 => text += &format!("\\{}", chance.letter(ANY)),
            1 if is_quoted => text += &any(chance, "`$\\"),
            2 if depth > 0 => text += &piece(chance, depth - 1),
            3 if is_quoted => text += &format!("\"{}\"", any(chance, "\"`$")),
            _ => text += &any(chance, "'\"`$\\}"),
        }
    }
    format!("${{x{sign}{text}}}")
}

fn substitution(chance: &mut Chance, depth: usize) -> String {
    let word = word(chance, depth);
    match chance.below(3) {
        0 => format!("`printf %s {word}`"),
        1 => format!("$( printf %s {word} )"),
        _ => format!("$(printf %s {word})"),
    }
}

fn piece(chance: &mut Chance, depth: usize) -> String {
    match chance.below(12) {
        0 => format!("\\{}", chance.letter(ANY)),
        1 => format!("'{}'", any(chance, "'")),
        2 | 3 => format!("\"{}\"", double(chance, depth)),
        4 => format!("$'{}'", decoded(chance)),
        5 => format!("$\"{}\"", double(chance, 0)),
        6 => "\\\n".to_owned(),
        7 if depth > 0 => operand(chance, false, depth - 1),
        8 if depth > 0 => substitution(chance, depth - 1),
        9 => chance
            .pick(&["$x", "$", "${x}", "$((1))", "$[2]"])
            .to_owned(),
        _ => chance.letter(BARE).to_string(),
    }
}

fn word(chance: &mut Chance, depth: usize) -> String {
    let count = 1 + chance.below(4);
    let text: String = (0..count).map(|_| piece(chance, depth)).collect();
    text.trim_start_matches(['#', '~']).to_owned()
}

/// A text of commands that all say what they are passed.
fn text(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..=chance.below(2) {
        text += "args";
        for _ in 0..chance.below(4) {
            text += chance.pick(&[" ", "  ", "\t", " \\\n", "\\\n "]);
            text += &word(chance, 2);
        }
        text += chance.pick(&[";", "\n", " # it's\n", " && ", ";\n\n", " #\\\n"]);
    }
    text + "args"
}

/// Fields as they grow.
#[derive(Default)]
struct Fields {
    all: Vec<String>,
    current: Option<String>,
}

impl Fields {
    fn keep(&mut self, text: &str) {
        self.current.get_or_insert_default().push_str(text);
    }

    fn split(&mut self, text: &str) {
        for letter in text.chars() {
            if " \t\n".contains(letter) {
                self.all.extend(self.current.take());
            } else {
                self.keep(letter.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn add(&mut self, word: &Word, splits_bare: bool) -> Option<()> {
        for piece in &word.pieces {
            match piece {
                Piece::Bare(text) if splits_bare => self.split(text),
                Piece::Bare(text) | Piece::Quoted(text) => self.keep(text),
                Piece::Parameter {
                    parameter,
                    is_quoted: false,
                } => {
                    if let Some(operand) = substitute(parameter)? {
                        self.add(operand, true)?;
                    }
                }
                Piece::Command {
                    script,
                    is_quoted: false,
                } => self.split(&output(script)?),
                Piece::Arithmetic {
                    expression,
                    is_quoted: false,
                } => self.split(&whole(expression)?),
                _ => self.keep(&whole(&Word {
                    pieces: vec![piece.clone()],
                    ..Word::default()
                })?),
            }
        }
        Some(())
    }
}

/// What stands for the parameter `x`, which is not set.
fn substitute(parameter: &Parameter) -> Option<Option<&Word>> {
    match &parameter.operation {
        _ if parameter.name != "x" => None,
        Operation::Substitute(operand) => Some(Some(operand)),
        _ => Some(None),
    }
}

/// The text of a word that stays one.
fn whole(word: &Word) -> Option<String> {
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Bare(part) | Piece::Quoted(part) => text += part,
            Piece::Parameter { parameter, .. } => {
                if let Some(operand) = substitute(parameter)? {
                    text += &whole(operand)?;
                }
            }
            Piece::Command { script, .. } => text += &output(script)?,
            Piece::Arithmetic { expression, .. } => text += &whole(expression)?,
            Piece::Process { .. } | Piece::Array(_) => return None,
        }
    }
    Some(text)
}

/// What `printf %s ..` prints.
fn output(script: &Script) -> Option<String> {
    let all = passed(script)?;
    let [words] = &all[..] else { return None };
    match &words[..] {
        [name, format, rest @ ..] if name == "printf" && format == "%s" => {
            let text = rest.concat();
            Some(text.trim_end_matches('\n').to_owned())
        }
        _ => None,
    }
}

/// What each command is passed, itself first.
fn passed(script: &Script) -> Option<Vec<Vec<String>>> {
    let pipelines = script.lists.iter().flat_map(|list| &list.pipelines);
    // Of a pipeline only the last command is heard.
    if pipelines
        .clone()
        .any(|pipeline| pipeline.commands.len() > 1)
    {
        return None;
    }
    let commands = pipelines.flat_map(|pipeline| &pipeline.commands);
    let each = commands.map(|command| match &command.kind {
        CommandKind::Simple { assignments, words } if assignments.is_empty() => {
            let mut fields = Fields::default();
            for word in words {
                fields.add(word, false)?;
                let last = fields.current.take();
                fields.all.extend(last);
            }
            command.redirections.is_empty().then_some(fields.all)
        }
        _ => None,
    });
    each.collect()
}

#[test]
fn bash_passes_the_words_that_the_tree_says() {
    let (count, seed) = cases_and_seed();
    let mut chance = Chance::new(seed);
    let mut cases = Vec::new();
    let mut expected = Vec::new();
    let mut made = 0;
    while cases.len() < count {
        made += 1;
        let text = text(&mut chance);
        if let Ok(script) = parse(&text) {
            let words = passed(&script).unwrap_or_default();
            let says = |command: &Vec<String>| command.first().is_some_and(|name| name == "args");
            if !words.is_empty() && words.iter().all(says) {
                cases.push(text);
                expected.push(words);
            }
        }
    }
    let folder = bash::scratch("words");
    let each = "args() { printf '%s\\0' args \"$@\"; printf '=end=\\0'; }\neval \"$text\"";
    let found = bash::for_each(&cases, &folder.0, each);
    let mut wrong = Vec::new();
    for ((case, expected), found) in cases.iter().zip(&expected).zip(&found) {
        let found: Vec<Vec<String>> = bash::split(found, b"=end=\0")
            .into_iter()
            .map(|words| {
                let words = bash::split(words, b"\0").into_iter();
                words
                    .map(|word| String::from_utf8_lossy(word).into_owned())
                    .collect()
            })
            .collect();
        if found != *expected {
            wrong.push(format!("{case:?}\n  bash: {found:?}\n  tree: {expected:?}"));
        }
    }
    println!(
        "words: {count} texts of {made} made, {} read otherwise",
        wrong.len()
    );
    let is_right = wrong.is_empty();
    bash::tell(wrong);
    assert!(is_right);
}
