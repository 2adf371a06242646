//! Shell text: read or refused; what is read lies within the text, and printed it is read alike.

use bowline_policy::shell::invisible::{invisible, shown};
use bowline_policy::shell::parse::parse;
use bowline_policy::shell::print::printed;
use bowline_policy::shell::tree::{Command, CommandKind, Script, Span, Word};

/// Any text as a shell command.
pub(crate) fn parsed(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    assert!(invisible(&shown(text)).is_none());
    let script = match parse(text) {
        Ok(script) => script,
        Err(error) => {
            assert!(error.at <= text.len() && !error.why.is_empty(), "{error}");
            return;
        }
    };
    check(&script, text.len());
    let once = printed(&script);
    // What the tree does not keep (bodies of here-documents, odd quotes) may not be read again, but
    // nothing is read as something else.
    if let Ok(again) = parse(&once) {
        assert_eq!(
            printed(&again),
            once,
            "left: printed again, right: printed once"
        );
    }
}

fn check(script: &Script, length: usize) {
    for list in &script.lists {
        for pipeline in &list.pipelines {
            for command in &pipeline.commands {
                check_command(command, length);
            }
        }
    }
}

fn check_command(command: &Command, length: usize) {
    lies_within(command.span, length);
    for redirection in &command.redirections {
        lies_within(redirection.span, length);
        check_word(&redirection.target, length);
    }
    match &command.kind {
        CommandKind::Simple { assignments, words } => {
            for assignment in assignments {
                lies_within(assignment.span, length);
                check_word(&assignment.value, length);
            }
            for word in words {
                check_word(word, length);
            }
        }
        CommandKind::Group(body) | CommandKind::Subshell(body) => check(body, length),
        CommandKind::Function { body, .. } | CommandKind::Coprocess { body, .. } => {
            check_command(body, length);
        }
        _ => {}
    }
}

fn check_word(word: &Word, length: usize) {
    lies_within(word.span, length);
}

fn lies_within(span: Span, length: usize) {
    assert!(
        span.start <= span.end && span.end <= length,
        "{span:?} of {length}"
    );
}
