//! What the configuration of a repository has git start although a command only reads.

/// Keys that do, section and key in lower case; a section that ends in `.` has a name of its own
/// after it. File system monitors, pagers and hooks are not here: the environment of commands keeps
/// git from those.
const STARTING: [(&str, &str); 11] = [
    ("diff", "external"),
    ("diff.", "command"),
    ("diff.", "textconv"),
    ("filter.", "clean"),
    ("filter.", "smudge"),
    ("filter.", "process"),
    ("include", "path"),
    ("includeif.", "path"),
    ("gpg", "program"),
    ("gpg.", "program"),
    ("core", "alternaterefscommand"),
];

/// What Git LFS writes: a program of the machine, by its name.
const KNOWN: &str = "git-lfs ";

/// The first key of a configuration that has git start something; what is not understood counts as
/// one.
pub(super) fn starts(config: &str) -> Option<String> {
    let mut rest = config.trim_start_matches('\u{feff}');
    let mut section = String::new();
    loop {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        if first == '#' || first == ';' {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if first == '[' {
            let Some(end) = header_end(rest) else {
                return Some("a section that does not end".to_owned());
            };
            section = section_of(&rest[1..end]);
            rest = &rest[end + 1..];
        } else if first.is_ascii_alphabetic() {
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
            let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
            let key = rest[..end].to_ascii_lowercase();
            let (value, after) = value_of(&rest[end..]);
            if names_program(&section, &key) && !value.starts_with(KNOWN) {
                return Some(format!("{section}.{key}"));
            }
            rest = after;
        } else {
            return Some("a line that is not understood".to_owned());
        }
    }
}

fn names_program(section: &str, key: &str) -> bool {
    STARTING.iter().any(|(known, name)| {
        let fits = match known.ends_with('.') {
            true => section.starts_with(known),
            false => section == *known,
        };
        fits && *name == key
    })
}

/// Where a section's header ends: at the first `]` that is not quoted.
fn header_end(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\n' => return None,
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ']' if !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The value after a key, its quotes left out, and what follows its line.
fn value_of(text: &str) -> (String, &str) {
    let (mut value, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    let mut is_comment = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '\n' if !is_escaped => {
                let value = value.trim().trim_start_matches('=').trim().to_owned();
                return (value, &text[at + 1..]);
            }
            _ if is_comment => {}
            _ if is_escaped => {
                is_escaped = letter == '\r';
                value.extend((!is_escaped && letter != '\n').then_some(letter));
            }
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '#' | ';' if !is_quoted => is_comment = true,
            other => value.push(other),
        }
    }
    (value.trim().trim_start_matches('=').trim().to_owned(), "")
}

/// The section in lower case, with its own name, if it has one, after a dot.
fn section_of(header: &str) -> String {
    match header.split_once('"') {
        Some((section, name)) => format!(
            "{}.{}",
            section.trim().to_ascii_lowercase(),
            name.trim_end().trim_end_matches('"')
        ),
        None => header.trim().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn keys_that_start_programs_are_found_however_they_are_spelled() {
        for (config, key) in [
            ("", None),
            ("[core]\n\tbare = false\n\tfsmonitor = x\n", None),
            ("[user]\n\tname = external\n", None),
            ("[diff]\n\tExternal = x\n", Some("diff.external")),
            ("[DIFF] external=x", Some("diff.external")),
            ("[diff \"a]b\"]\ntextconv=x", Some("diff.a]b.textconv")),
            ("[diff \"a]b\"] textconv=x", Some("diff.a]b.textconv")),
            ("[a] [diff] external = x[1]", Some("diff.external")),
            ("[user]\nname = a \\\n[diff]\nexternal=x", None),
            (
                "[user]\nname = a # \\\n[diff]\nexternal=x",
                Some("diff.external"),
            ),
            ("\u{feff}[diff]\r\nexternal = x\r\n", Some("diff.external")),
            ("[diff", Some("a section that does not end")),
            ("= x", Some("a line that is not understood")),
            ("[filter.old]\nclean=x", Some("filter.old.clean")),
            ("[filter \"lfs\"]\nclean = git-lfs clean -- %f\n", None),
            (
                "[filter \"lfs\"]\nclean = ./git-lfs clean\n",
                Some("filter.lfs.clean"),
            ),
            ("[include]\npath = x", Some("include.path")),
            (
                "[includeIf \"gitdir:/\"]\npath = x",
                Some("includeif.gitdir:/.path"),
            ),
        ] {
            assert_eq!(starts(config).as_deref(), key, "{config}");
        }
    }
}
