//! Changes to the text of a command that do not change what it does, or only wrap it.

use crate::shell::invisible::invisible;
use crate::shell::parse::parse;
use crate::shell::tree::{Command, CommandKind, Piece, Script, Span, Test, Word};

/// The kinds of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// A word quoted otherwise.
    Requoted,
    /// A line continued in the middle.
    Continued,
    /// `time`, `command`, a group, a condition, a pipeline around it.
    Wrapped,
    /// An option moved beyond an operand, or two flags swapped.
    Reordered,
    /// An option written otherwise.
    Respelled,
    /// A comment added.
    Commented,
}

pub(super) const OPERATORS: [Operator; 6] = [
    Operator::Requoted,
    Operator::Continued,
    Operator::Wrapped,
    Operator::Reordered,
    Operator::Respelled,
    Operator::Commented,
];

/// Numbers that are the same for the same seed.
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let state = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = state.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        (!all.is_empty()).then(|| &all[self.below(all.len())])
    }
}

/// The command changed, if this operator finds something to change; the change parses.
pub(super) fn mutate(command: &str, operator: Operator, draw: &mut Draw) -> Option<String> {
    let script = parse(command).ok()?;
    let mut all = Vec::new();
    collect(&script, &mut all);
    // What was derived from backquotes or a stripped body stands at all of it.
    let spans: Vec<Span> = all.iter().flatten().map(|word| word.span).collect();
    all.retain(|words| {
        let is_alone = |word: &Word| spans.iter().filter(|span| **span == word.span).count() == 1;
        words
            .iter()
            .all(|word| is_alone(word) && !command[range(word)].starts_with('`'))
    });
    let changed = match operator {
        Operator::Requoted => requoted(command, &all, draw)?,
        Operator::Continued => continued(command, &all, draw)?,
        Operator::Wrapped => wrapped(command, &script, &all, draw)?,
        Operator::Reordered => reordered(command, &all, draw)?,
        Operator::Respelled => respelled(command, &all, draw)?,
        Operator::Commented => commented(command, draw)?,
    };
    (changed != command && parse(&changed).is_ok()).then_some(changed)
}

fn range(word: &Word) -> std::ops::Range<usize> {
    word.span.start..word.span.end
}

fn replaced(command: &str, span: std::ops::Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &command[..span.start], &command[span.end..])
}

/// The words of every simple command.
fn collect<'t>(script: &'t Script, all: &mut Vec<Vec<&'t Word>>) {
    for list in &script.lists {
        for command in list
            .pipelines
            .iter()
            .flat_map(|pipeline| &pipeline.commands)
        {
            collect_command(command, all);
        }
    }
}

fn collect_command<'t>(command: &'t Command, all: &mut Vec<Vec<&'t Word>>) {
    match &command.kind {
        CommandKind::Simple { words, .. } => {
            all.push(words.iter().collect());
            for piece in words.iter().flat_map(|word| &word.pieces) {
                if let Piece::Command { script, .. } | Piece::Process { script } = piece {
                    collect(script, all);
                }
            }
        }
        CommandKind::Group(script) | CommandKind::Subshell(script) => collect(script, all),
        CommandKind::If {
            branches,
            otherwise,
        } => {
            for (condition, body) in branches {
                collect(condition, all);
                collect(body, all);
            }
            otherwise.iter().for_each(|body| collect(body, all));
        }
        CommandKind::Loop { condition, body } => {
            collect(condition, all);
            collect(body, all);
        }
        CommandKind::For { body, .. } | CommandKind::ArithmeticFor { body, .. } => {
            collect(body, all)
        }
        CommandKind::Case { arms, .. } => arms.iter().for_each(|(_, body)| collect(body, all)),
        CommandKind::Function { body, .. } | CommandKind::Coprocess { body, .. } => {
            collect_command(body, all);
        }
        CommandKind::Test(Test::Word(_) | Test::Unary { .. } | Test::Binary { .. })
        | CommandKind::Test(Test::Not(_) | Test::Both(..))
        | CommandKind::Arithmetic(_) => {}
    }
}

/// The text of a word that means nothing but itself.
pub(super) fn literal(word: &Word) -> Option<String> {
    let mut text = String::new();
    for piece in &word.pieces {
        match piece {
            Piece::Bare(part) if !part.contains(['*', '?', '[', ']', '{', '}', '~']) => {
                text += part
            }
            Piece::Quoted(part) => text += part,
            _ => return None,
        }
    }
    (!text.is_empty()).then_some(text)
}

fn requoted(command: &str, all: &[Vec<&Word>], draw: &mut Draw) -> Option<String> {
    let words = draw.pick(all)?;
    let is_array = |word: &&Word| {
        word.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Array(_)))
    };
    if words.iter().any(is_array) {
        return None;
    }
    let word = draw.pick(words)?;
    let text = literal(word)?;
    // Written as an escape such a character is shown: that is another command.
    if invisible(&text).is_some() {
        return None;
    }
    let single = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let double = |text: &str| {
        let escaped = text.replace('\\', r"\\").replace('"', "\\\"");
        format!("\"{}\"", escaped.replace('$', "\\$").replace('`', "\\`"))
    };
    let middle = text
        .char_indices()
        .map(|(at, _)| at)
        .nth(text.chars().count() / 2)?;
    let (before, after) = text.split_at(middle);
    let by = match draw.below(7) {
        0 => single(&text),
        1 => double(&text),
        2 if !text.contains('\n') => text.chars().flat_map(|letter| ['\\', letter]).collect(),
        3 if text.is_ascii() => {
            let hex: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("$'{hex}'")
        }
        4 => format!("{}{}", single(before), double(after)),
        5 if text.is_ascii() => {
            let octal: String = after.bytes().map(|byte| format!("\\{byte:03o}")).collect();
            format!("{}$'{octal}'", double(before))
        }
        _ => format!("\"\"{}''", double(&text)),
    };
    Some(replaced(command, range(word), &by))
}

fn continued(command: &str, all: &[Vec<&Word>], draw: &mut Draw) -> Option<String> {
    let words = draw.pick(all)?;
    let word = draw.pick(words)?;
    let [Piece::Bare(text)] = &word.pieces[..] else {
        return None;
    };
    if &command[range(word)] != text || !text.is_ascii() {
        return None;
    }
    let at = word.span.start + draw.below(text.len() + 1);
    Some(replaced(command, at..at, "\\\n"))
}

/// Commands that are another thing, or none, as a program.
const BUILT_IN: &str = " . : [ alias bg bind break builtin caller cd command compgen complete compopt \
continue declare dirs disown echo enable eval exec exit export false fc fg getopts hash help history \
jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt \
source suspend test time times trap true type typeset ulimit umask unalias unset wait ";

fn wrapped(command: &str, script: &Script, all: &[Vec<&Word>], draw: &mut Draw) -> Option<String> {
    match draw.below(9) {
        0 => return Some(format!("{{ {command}\n}}")),
        1 => return Some(format!("( {command}\n)")),
        2 => return Some(format!("if true; then {command}\nfi")),
        3 => return Some(format!("while true; do {command}\ndone")),
        4 => {
            let [list] = &script.lists[..] else {
                return None;
            };
            let [pipeline] = &list.pipelines[..] else {
                return None;
            };
            let is_simple = |command: &Command| matches!(command.kind, CommandKind::Simple { .. });
            let is_whole = pipeline.commands.iter().all(is_simple) && !list.is_background;
            return (is_whole && !command.contains(['#', '\n', ';']))
                .then(|| format!("{command} | cat"));
        }
        _ => {}
    }
    let words = draw.pick(all)?;
    let first = words.first()?;
    let name = literal(first)?;
    let is_built_in = BUILT_IN.contains(&format!(" {name} "));
    let prefix = match draw.below(5) {
        0 => "command ",
        _ if is_built_in => return None,
        1 => "nice ",
        2 => "nice -n 5 ",
        3 => "timeout 5 ",
        _ => "timeout -k 1 5s ",
    };
    let at = first.span.start;
    Some(replaced(command, at..at, prefix))
}

/// Flags without a value, by command; a cluster of them may be taken apart.
const FLAGS: [(&str, &str); 16] = [
    ("ls", "laAhtrR1"),
    ("cat", "nAbes"),
    ("wc", "lcwm"),
    ("grep", "nirqcvEFlLwxoRs"),
    ("rm", "rfvR"),
    ("sort", "runfb"),
    ("cp", "rpav"),
    ("mkdir", "pv"),
    ("du", "sh"),
    ("df", "h"),
    ("uniq", "cdu"),
    ("tree", "ad"),
    ("rg", "nilwcvFN"),
    ("mv", "fnv"),
    ("chmod", "Rv"),
    ("touch", "ac"),
];

fn is_flags(name: &str, word: &str) -> bool {
    let flags = FLAGS.iter().find(|(known, _)| *known == name);
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty());
    match (flags, letters) {
        (Some((_, flags)), Some(letters)) => letters.chars().all(|letter| flags.contains(letter)),
        _ => false,
    }
}

fn reordered(command: &str, all: &[Vec<&Word>], draw: &mut Draw) -> Option<String> {
    let words = draw.pick(all)?;
    let texts: Option<Vec<String>> = words.iter().map(|word| literal(word)).collect();
    let texts = texts.filter(|texts| !texts.is_empty())?;
    // What stands after `--` or as another option's value is data.
    let known = |text: &String| is_flags(&texts[0], text) || !text.starts_with('-');
    if !texts[1..].iter().all(known) {
        return None;
    }
    let places: Vec<usize> = (1..texts.len().saturating_sub(1))
        .filter(|at| is_flags(&texts[0], &texts[*at]) || is_flags(&texts[0], &texts[at + 1]))
        .collect();
    let at = *draw.pick(&places)?;
    let (one, two) = (range(words[at]), range(words[at + 1]));
    let (left, right) = (&command[one.clone()], &command[two.clone()]);
    let between = &command[one.end..two.start];
    Some(replaced(
        command,
        one.start..two.end,
        &format!("{right}{between}{left}"),
    ))
}

/// Options with a value: command, short letter, long name.
const VALUED: [(&str, char, &str); 20] = [
    ("head", 'n', "lines"),
    ("tail", 'n', "lines"),
    ("head", 'c', "bytes"),
    ("sort", 'o', "output"),
    ("sort", 'k', "key"),
    ("sort", 'T', "temporary-directory"),
    ("grep", 'e', "regexp"),
    ("grep", 'A', "after-context"),
    ("grep", 'f', "file"),
    ("rg", 'g', "glob"),
    ("rg", 'A', "after-context"),
    ("cut", 'd', "delimiter"),
    ("cut", 'f', "fields"),
    ("shuf", 'o', "output"),
    ("xargs", 'n', "max-args"),
    ("make", 'C', "directory"),
    ("sed", 'e', "expression"),
    ("split", 'l', "lines"),
    ("touch", 'r', "reference"),
    ("cp", 't', "target-directory"),
];

/// Flags with a long name: command, letter, long name.
const NAMED: [(&str, char, &str); 14] = [
    ("rm", 'r', "recursive"),
    ("rm", 'f', "force"),
    ("ls", 'a', "all"),
    ("wc", 'l', "lines"),
    ("wc", 'c', "bytes"),
    ("sort", 'u', "unique"),
    ("sort", 'r', "reverse"),
    ("uniq", 'c', "count"),
    ("sed", 'i', "in-place"),
    ("sed", 'n', "quiet"),
    ("base64", 'd', "decode"),
    ("grep", 'q', "quiet"),
    ("grep", 'r', "recursive"),
    ("cp", 'r', "recursive"),
];

/// Long options of tools that abbreviate none.
const LONG: [(&str, &str); 6] = [
    ("cargo", "--manifest-path"),
    ("cargo", "--config"),
    ("npm", "--prefix"),
    ("git", "--author"),
    ("curl", "--output"),
    ("git", "--output"),
];

fn respelled(command: &str, all: &[Vec<&Word>], draw: &mut Draw) -> Option<String> {
    let words = draw.pick(all)?;
    let name = literal(words.first()?)?;
    let at = 1 + draw.below(words.len().max(2) - 1);
    let word = words.get(at)?;
    let text = literal(word)?;
    if words[1..at]
        .iter()
        .any(|word| literal(word).is_none_or(|text| text == "--"))
    {
        return None;
    }
    let next = words.get(at + 1);
    let value = next.map(|next| (range(next), &command[range(next)]));
    let whole = |value: &std::ops::Range<usize>| word.span.start..value.end;
    for (known, letter, long) in VALUED.iter().filter(|(known, ..)| *known == name) {
        let cut = &long[..long.len()
            - usize::from(!matches!((*known, *long), ("rg", _) | ("grep", "file")))
                * draw.below(3)];
        let short = format!("-{letter}");
        let spellings = |value: &str, draw: &mut Draw| match draw.below(4) {
            0 => format!("-{letter}{value}"),
            1 => format!("-{letter} {value}"),
            2 => format!("--{cut}={value}"),
            _ => format!("--{cut} {value}"),
        };
        if text == short || text == format!("--{long}") {
            let (value, written) = value?;
            return Some(replaced(command, whole(&value), &spellings(written, draw)));
        }
        let joined = text
            .strip_prefix(&short)
            .or(text.strip_prefix(&format!("--{long}=")));
        if let Some(value) = joined.filter(|value| !value.is_empty()) {
            let quoted = format!("'{}'", value.replace('\'', r"'\''"));
            return Some(replaced(command, range(word), &spellings(&quoted, draw)));
        }
    }
    for (_, long) in LONG.iter().filter(|(known, _)| *known == name) {
        if text == *long {
            let (value, written) = value?;
            let joined = format!("{long}={written}");
            let by = if name == "curl" {
                format!("-o{written}")
            } else {
                joined
            };
            return Some(replaced(command, whole(&value), &by));
        }
        if let Some(value) = text.strip_prefix(&format!("{long}=")) {
            let quoted = format!("{long} '{}'", value.replace('\'', r"'\''"));
            return Some(replaced(command, range(word), &quoted));
        }
    }
    respelled_flag(command, &name, word, draw)
}

/// A flag by its other name, a cluster taken apart or turned round.
fn respelled_flag(command: &str, name: &str, word: &Word, draw: &mut Draw) -> Option<String> {
    let text = literal(word)?;
    for (_, letter, long) in NAMED.iter().filter(|(known, ..)| *known == name) {
        let cut = &long[..long.len() - draw.below(2)];
        if text == format!("-{letter}") {
            return Some(replaced(command, range(word), &format!("--{cut}")));
        }
        if text == format!("--{long}") {
            return Some(replaced(command, range(word), &format!("-{letter}")));
        }
    }
    if is_flags(name, &text) && text.len() > 2 {
        let letters: Vec<char> = text[1..].chars().collect();
        let apart: Vec<String> = letters.iter().map(|letter| format!("-{letter}")).collect();
        let turned: String = letters.iter().rev().collect();
        let by = if draw.below(2) == 0 {
            apart.join(" ")
        } else {
            format!("-{turned}")
        };
        return Some(replaced(command, range(word), &by));
    }
    None
}

fn commented(command: &str, draw: &mut Draw) -> Option<String> {
    let words = [
        "note",
        "rm -rf /",
        "it's",
        "\"",
        "$(rm x)",
        "`",
        "git push; rm x",
        "\\",
        ") } fi",
        "<<A",
    ];
    let comment = words[draw.below(words.len())];
    let ends_plainly = !command.contains("<<") && !command.ends_with('\\');
    match draw.below(3) {
        0 => Some(format!("# {comment}\n{command}")),
        1 if ends_plainly => Some(format!("{command} # {comment}")),
        2 if ends_plainly => Some(format!("{command}\n# {comment}\n")),
        _ => None,
    }
}
