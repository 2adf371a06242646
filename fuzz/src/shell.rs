//! Shell text: read or refused; what is read lies within the text, and printed it is read alike.

use std::sync::OnceLock;

use bowline_core::{Action, Mode, OnAsk, Risk, Sandbox, Tier, Verdict};
use bowline_policy::shell::invisible::{invisible, shown};
use bowline_policy::shell::parse::parse;
use bowline_policy::shell::print::printed;
use bowline_policy::shell::tree::{Command, CommandKind, Script, Span, Word};
use bowline_policy::{NoLook, Policy, Rule, Surroundings, ToolFacts, decide};

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

/// Last byte: the mode. What is before it: a command, which is judged; what is not understood, or
/// not shown as it is, never runs unasked, and rules that deny keep what they deny.
pub(crate) fn judged(data: &[u8]) {
    let Some((which, data)) = data.split_last() else {
        return;
    };
    let Ok(command) = std::str::from_utf8(data) else {
        return;
    };
    let modes = [
        Mode::ReadOnly,
        Mode::Ask,
        Mode::Edit,
        Mode::Auto,
        Mode::Full,
    ];
    let mode = modes[usize::from(*which) % modes.len()];
    let verdict = verdict(mode, command, Vec::new());
    if parse(command).is_err() || invisible(command).is_some() {
        assert_ne!(verdict, Verdict::Allow, "{mode:?}");
    }
    static DENY: OnceLock<Vec<Rule>> = OnceLock::new();
    let deny = DENY.get_or_init(|| {
        let rules = ["rm *", "git push *", "write(**)"];
        let rules = rules.map(|rule| Rule::on_command_line(Verdict::Deny, rule));
        rules
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("rules that are read")
    });
    let denied = self::verdict(mode, command, deny.clone());
    assert!(denied >= verdict, "left: {denied:?}, right: {verdict:?}");
}

fn verdict(mode: Mode, command: &str, rules: Vec<Rule>) -> Verdict {
    let policy = Policy {
        rules,
        home: Some("/home/ann".to_owned()),
        sandbox: Sandbox::Namespaces,
        ..Policy::new(mode, vec!["/home/ann/app".to_owned()])
    };
    let tool = ToolFacts {
        name: "shell",
        risk: Risk::High,
        tier: Tier::BuiltIn,
    };
    let run = Action::Run {
        command: command.to_owned(),
        understood: false,
    };
    let at = Surroundings {
        cwd: "/home/ann/app",
        look: &NoLook,
    };
    let judgement = decide(&policy, tool, &[run], OnAsk::Park, &at);
    assert!(!judgement.reason.is_empty());
    let strictest = judgement.judged.iter().map(|part| part.verdict).max();
    assert_eq!(strictest, Some(judgement.verdict));
    judgement.verdict
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
