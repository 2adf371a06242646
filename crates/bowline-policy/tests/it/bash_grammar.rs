//! Random shell text that is never run: well-formed scripts, and scripts with a few tokens changed.

use crate::chance::Chance;

/// A script of a few commands.
pub(crate) fn script(chance: &mut Chance, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..chance.below(2) {
        text += &list(chance, depth);
        text += chance.pick(&["\n", "; ", " &\n", ";\n", " # it's \\\n", "\n\n", "& "]);
    }
    text + &list(chance, depth)
}

fn list(chance: &mut Chance, depth: usize) -> String {
    let mut text = pipeline(chance, depth);
    while chance.once_in(6) {
        text += chance.pick(&[" && ", " || ", "&&\n", " ||\n # c\n", "&\\\n& "]);
        text += &pipeline(chance, depth);
    }
    text
}

fn pipeline(chance: &mut Chance, depth: usize) -> String {
    let mut text = chance
        .pick(&["", "", "", "", "", "! ", "time ", "time -p "])
        .to_owned();
    text += &command(chance, depth);
    while chance.once_in(6) {
        text += chance.pick(&[" | ", "|", " |& ", "|\n"]);
        text += &command(chance, depth);
    }
    text
}

fn command(chance: &mut Chance, depth: usize) -> String {
    if depth == 0 || chance.once_in(2) {
        return simple(chance, depth);
    }
    let inner = |chance: &mut Chance| script(chance, depth - 1);
    let mut text = match chance.below(13) {
        0 => format!("{{ {}\n}}", inner(chance)),
        1 => format!("( {})", inner(chance) + "\n"),
        2 => format!("if {}\nthen {}\nfi", inner(chance), inner(chance)),
        3 => format!(
            "if {}; then {}\nelse\n{}\nfi",
            simple(chance, 0),
            inner(chance),
            inner(chance)
        ),
        4 => format!("while {}; do {}\ndone", simple(chance, 0), inner(chance)),
        5 => format!("until {}\ndo {}\ndone", simple(chance, 0), inner(chance)),
        6 => format!(
            "for v in {} b; do {}\ndone",
            word(chance, depth),
            inner(chance)
        ),
        7 => format!("for ((i=0; i<$(a); i++)); do {}\ndone", inner(chance)),
        8 => {
            let (one, two) = (word(chance, 0), word(chance, 0));
            let body = inner(chance);
            let end = chance.pick(&[";;", ";&", ";;&"]);
            format!("case {one} in {two} | x) {body}\n{end} (y) ;; esac")
        }
        9 => format!("g() {{ {}\n}}", inner(chance)),
        10 => format!("coproc N {{ {}\n}}", inner(chance)),
        11 => format!("[[ {} ]]", test(chance, depth)),
        _ => format!(
            "(( i = {} ))",
            chance.pick(&["1", "$a + 2", "b[${c}]", "(1 << 2)", "$(d)"])
        ),
    };
    while chance.once_in(5) {
        text += " ";
        text += &redirection(chance);
    }
    text
}

fn test(chance: &mut Chance, depth: usize) -> String {
    match chance.below(7) {
        0 if depth > 0 => format!("( {} )", test(chance, depth - 1)),
        1 if depth > 0 => format!("{} && {}", test(chance, depth - 1), test(chance, depth - 1)),
        2 if depth > 0 => format!(
            "{} ||\n{}",
            test(chance, depth - 1),
            test(chance, depth - 1)
        ),
        3 => format!("-f {}", word(chance, 0)),
        4 => format!(
            "{} == {}",
            word(chance, 0),
            chance.pick(&["a*", "@(a|b c)", "\"$x\"", "!(q)"])
        ),
        5 => format!(
            "{} =~ {}",
            word(chance, 0),
            chance.pick(&["^(a|b)$", "[[:space:]]", "a|b", "$x"])
        ),
        _ => format!("{} < {}", word(chance, 0), word(chance, 0)),
    }
}

fn simple(chance: &mut Chance, depth: usize) -> String {
    let mut text = String::new();
    while chance.once_in(4) {
        text += chance.pick(&[
            "a=",
            "b+=",
            "c[1]=",
            "d[$i + 1]=",
            "e='q'",
            "f=$'\\x41'",
            "g=(1 'b c') h=",
        ]);
        text += &if chance.once_in(3) {
            String::new()
        } else {
            word(chance, depth)
        };
        text += " ";
    }
    text += chance.pick(&[
        "a",
        "b",
        "\\c",
        "'d'",
        "e$x",
        "declare -a z=(1 [2]=x)",
        "$f",
        "g\"h\"",
    ]);
    for _ in 0..chance.below(3) {
        text += chance.pick(&[" ", "\t", " \\\n"]);
        text += &if chance.once_in(5) {
            redirection(chance)
        } else {
            word(chance, depth)
        };
    }
    text
}

fn redirection(chance: &mut Chance) -> String {
    let operator = chance.pick(&[
        "<", ">", "2>", "2>>", ">|", "3<>", "<<< ", "{v}>", "&>", "4<", "5>&",
    ]);
    let target = match operator {
        "5>&" => "1",
        _ => chance.pick(&["f", "'g h'", "\"$i\"", "j$(k)", "l\\ m"]),
    };
    format!("{operator}{target}")
}

fn word(chance: &mut Chance, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..=chance.below(2) {
        text += &match chance.below(16) {
            0 => "'q \"r'".to_owned(),
            1 => format!("\"s {} t\"", quoted(chance, depth)),
            2 => "\\u".to_owned(),
            3 => "$'v\\tw'".to_owned(),
            4 => quoted(chance, depth),
            5 => format!("${{x:-{}}}", word(chance, 0)),
            6 => format!("${{y[{}]}}", chance.pick(&["0", "@", "$z", "a b"])),
            7 => "${a//b/\"c d\"}${#e}${f:1:2}".to_owned(),
            8 if depth > 0 => format!("<({})", simple(chance, depth - 1)),
            9 => "${!g}${!h*}${i@Q}".to_owned(),
            10 => "{a,b}*.c~".to_owned(),
            _ => chance
                .pick(&[
                    "j", "k-1", "l=m", "n/o", "if", "done", "in", "}", "2", "time",
                ])
                .to_owned(),
        };
    }
    text
}

fn quoted(chance: &mut Chance, depth: usize) -> String {
    match chance.below(6) {
        0 if depth > 0 => format!("$({})", script(chance, depth - 1)),
        1 if depth > 0 => format!("$( {}\n)", script(chance, depth - 1)),
        2 => "`a b | c`".to_owned(),
        3 => "$((1 + $d))".to_owned(),
        4 => "${e%%*.f}".to_owned(),
        _ => "$g".to_owned(),
    }
}

const TOKENS: [&str; 78] = [
    "a", "b", "'c d'", "\"e $f\"", "$g", "if", "then", "elif", "else", "fi", "for", "x", "in",
    "do", "done", "while", "until", "select", "case", "esac", ";;", ";&", ";;&", "function",
    "coproc", "time", "!", "{", "}", "(", ")", "((", "))", "[[", "]]", "-f", "==", "=~", "<", ">",
    ">>", "<<<", "2>", "&>", ">&", "1", "|", "|&", "&&", "||", ";", "&", "\n", "$(", "`", "<(",
    "$((", "${h:-", "}", "h=", "i+=", "j[1]=", "k=(", "#", "\\\n", "\\l", "'", "\"", "<<A",
    "\nA\n", "<<-'A'", "m()", "n ( )", "-p", "--", ">&-", "$", "{o}>",
];

/// Text that may be no script at all.
pub(crate) fn soup(chance: &mut Chance) -> String {
    let mut text = String::new();
    if chance.once_in(3) {
        for _ in 0..=chance.below(7) {
            text += chance.pick(&TOKENS);
            text += chance.pick(&["", " ", " ", " "]);
        }
        return text;
    }
    // A script with a piece cut out, doubled or put in.
    let script = script(chance, 1);
    let letters: Vec<char> = script.chars().collect();
    let at = chance.below(letters.len() + 1);
    let end = (at + chance.below(4)).min(letters.len());
    text.extend(&letters[..at]);
    match chance.below(4) {
        0 => text.extend(&letters[at..end]),
        1 => {}
        _ => {
            text += chance.pick(&["", " "]);
            text += chance.pick(&TOKENS);
            text += chance.pick(&["", " "]);
            text.extend(&letters[at..end]);
        }
    }
    text.extend(&letters[if chance.once_in(2) { at } else { end }..]);
    text
}
