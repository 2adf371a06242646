//! Whether a name fits a glob, by bash's rules.

/// Whether the file name `name` fits the glob `pattern`: one segment, `\` before a character takes
/// its meaning away, a leading dot must be spelled out. Quadratic at worst.
#[must_use]
pub fn name_fits(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\.") {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits(&pattern, &name)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut last_star: Option<(usize, usize)> = None;
    while of < name.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                last_star = Some((at, of));
                at += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => match bracket(&pattern[at..], name[of]) {
                Some((true, length)) => Some(length),
                Some((false, _)) => None,
                None => (name[of] == '[').then_some(1),
            },
            Some('\\') => (pattern.get(at + 1) == Some(&name[of])).then_some(2),
            Some(character) => (*character == name[of]).then_some(1),
            None => None,
        };
        match (step, last_star) {
            (Some(step), _) => {
                at += step;
                of += 1;
            }
            (None, Some((star, from))) => {
                at = star + 1;
                of = from + 1;
                last_star = Some((star, of));
            }
            (None, None) => return false,
        }
    }
    pattern[at..].iter().all(|character| *character == '*')
}

/// Whether `character` is in the bracket expression that `pattern` begins with, and how long that
/// is; `None` if it has no end.
fn bracket(pattern: &[char], character: char) -> Option<(bool, usize)> {
    let mut at = 1;
    let is_negated = matches!(pattern.get(at), Some('!' | '^'));
    if is_negated {
        at += 1;
    }
    let (start, mut is_in) = (at, false);
    loop {
        match pattern.get(at)? {
            ']' if at > start => return Some((is_in != is_negated, at + 1)),
            '[' if pattern.get(at + 1) == Some(&':') => {
                let end = pattern[at..].windows(2).position(|two| two == [':', ']'])?;
                let class: String = pattern[at + 2..at + end].iter().collect();
                is_in |= is_of(&class, character);
                at += end + 2;
            }
            first => {
                let (first, next) = match first {
                    '\\' => (*pattern.get(at + 1)?, at + 2),
                    other => (*other, at + 1),
                };
                let is_range = pattern.get(next) == Some(&'-')
                    && pattern.get(next + 1).is_some_and(|end| *end != ']');
                if is_range {
                    let last = *pattern.get(next + 1)?;
                    is_in |= (first..=last).contains(&character);
                    at = next + 2;
                } else {
                    is_in |= first == character;
                    at = next;
                }
            }
        }
    }
}

fn is_of(class: &str, character: char) -> bool {
    match class {
        "alpha" => character.is_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_alphanumeric(),
        "upper" => character.is_uppercase(),
        "lower" => character.is_lowercase(),
        "space" => character.is_whitespace(),
        "blank" => character == ' ' || character == '\t',
        "punct" => character.is_ascii_punctuation(),
        "print" => !character.is_control(),
        "graph" => !character.is_control() && character != ' ',
        "cntrl" => character.is_control(),
        "xdigit" => character.is_ascii_hexdigit(),
        "word" => character.is_alphanumeric() || character == '_',
        _ => false,
    }
}
