//! Entries that name shell commands. There a star stands for any text, here for one word or, at the
//! end, for any number of them.

use bowline_core::Verdict;

use super::Made;

/// The rules for a command pattern.
pub(super) fn rules(verdict: Verdict, pattern: &str) -> Made {
    let allows = verdict == Verdict::Allow;
    let (pattern, is_prefix) = match pattern.strip_suffix(":*") {
        Some(prefix) => (prefix, true),
        None => (pattern, false),
    };
    let words: Vec<&str> = pattern.split(' ').collect();
    if words.iter().any(|word| word.is_empty()) {
        return Err("its words are not separated by one blank each".to_owned());
    }
    if let Some(word) = words.iter().find(|word| !is_plain(word)) {
        return Err(format!(
            "`{word}` means something to a shell: a rule names the words of one simple command"
        ));
    }
    if let Some(word) = words.first().filter(|word| word.contains('=')) {
        return Err(format!(
            "`{word}` sets a variable: a rule begins with a program"
        ));
    }
    let (last, fixed) = words.split_last().ok_or("it names no command")?;
    if allows && words[0].starts_with('*') {
        return Err("it allows any program whose arguments fit".to_owned());
    }
    let inner = fixed.iter().any(|word| word.contains('*'));
    let note = inner.then_some("a star between words stands for one word here");
    let rule = if is_prefix && allows {
        format!("{pattern} *")
    } else if is_prefix {
        // Some versions take the prefix for the beginning of a word, too.
        format!("{pattern}* *")
    } else if *last == "*" && allows {
        // Whether it allows the command without any argument differs by version.
        format!("{} * *", fixed.join(" "))
    } else if last.ends_with('*') && *last != "*" {
        format!("{pattern} *")
    } else {
        pattern.to_owned()
    };
    Ok(vec![(rule, note)])
}

/// Whether a word is the same to a shell as it is written, stars aside.
fn is_plain(word: &str) -> bool {
    !word.starts_with(['~', '#'])
        && word
            .chars()
            .all(|letter| letter.is_alphanumeric() || "_-./:=@%+,*^".contains(letter))
}
