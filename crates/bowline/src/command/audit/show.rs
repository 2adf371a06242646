//! `bowline audit show`: one decision for people.

use bowline_core::decision::{DecidedBy, RuleSource, Scope};
use bowline_core::{Action, Backend, Decision, TrustState, Verdict};
use bowline_journal::Store;
use bowline_runtime::audit::{Case, told};
use bowline_runtime::moment;
use serde_json::{Value, json};

use super::find;
use crate::failure::Failure;
use crate::print::{self, Colour, Look, clean};

pub fn run(store: &Store, id: &str, as_json: bool) -> Result<u8, Failure> {
    let case = find(store, id)?;
    if as_json {
        print::line(&json!(case).to_string());
        return Ok(0);
    }
    for line in page(&Look::of_stdout(), &case) {
        print::line(&line);
    }
    Ok(0)
}

/// The page, in lines that fit.
pub(super) fn page(look: &Look, case: &Case) -> Vec<String> {
    let decision = &case.decision;
    let mut page = Page {
        look,
        lines: Vec::new(),
    };
    let head = format!("{}  {}", verdict(decision), decision.essence);
    page.title(&head, colour(decision.verdict));
    page.field("why", &decision.reason);
    page.field("decided by", &by(decision));
    page.field("when", &moment(case.at_ms));
    page.field(
        "call",
        &format!(
            "{} of {}, session {}, record {}",
            case.call.short(),
            case.tool,
            case.session.short(),
            case.seq
        ),
    );
    page.field("decision", &decision.id.to_string());
    page.field("scope", &scope(decision));
    page.field("mode", decision.mode.name());
    if let Some(tool) = &decision.tool {
        let tier = words(&json!(tool.tier));
        let risk = words(&json!(tool.risk));
        page.field("tool", &format!("{}, {tier}, risk {risk}", tool.name));
    }
    page.field("trust", &trust(decision));
    page.field("confined", &confined(decision));
    if let Some(doubt) = decision.repeats {
        page.field(
            "repeats",
            &format!("{}, a call whose outcome is unknown", doubt.short()),
        );
    }
    parts(&mut page, case);
    looked(&mut page, decision);
    executes(&mut page, decision);
    page.head("what it led to");
    if case.led_to.is_empty() {
        page.item(match decision.verdict {
            Verdict::Deny => "nothing: the call was not run",
            Verdict::Ask => "nothing yet: it waits for an answer",
            Verdict::Allow => "nothing yet",
        });
    }
    for led in &case.led_to {
        page.item(&format!(
            "{}  {} (record {})",
            moment(led.at_ms),
            led.what,
            led.seq
        ));
    }
    page.head("to check it");
    page.item(&format!("request {}", decision.digest));
    let analyser = decision.analyser_version;
    let policy = decision.policy_hash;
    page.item(&format!("policy  {policy}, analyser {analyser}"));
    page.item(&format!("bowline audit explain {}", decision.id.short()));
    page.lines
}

fn parts(page: &mut Page<'_>, case: &Case) {
    page.head("part by part");
    let text = case
        .decision
        .actions
        .iter()
        .find_map(|it| match &it.action {
            Action::Run { command, .. } => Some(command.as_str()),
            _ => None,
        });
    for judged in &case.decision.actions {
        let segment = judged.segment.map(|it| it.of(text.unwrap_or_default()));
        let place = match segment.filter(|it| !it.is_empty()) {
            Some(segment) => format!(" in `{segment}`"),
            None => String::new(),
        };
        let name = judged.verdict.name();
        page.item(&format!("{name:<5} {}{place}", told(&judged.action)));
        page.under(&rule(&judged.rule));
        if judged.reason != case.decision.reason {
            page.under(&judged.reason);
        }
        for lost in &judged.runner_up {
            page.under(&format!("lost: {}", rule(lost)));
        }
    }
}

fn looked(page: &mut Page<'_>, decision: &Decision) {
    if decision.looked.is_empty() {
        return;
    }
    page.head("what was looked at");
    for fact in &decision.looked {
        page.item(&fact.words());
    }
}

fn executes(page: &mut Page<'_>, decision: &Decision) {
    if decision.executes.is_empty() {
        return;
    }
    page.head("holds for the content of");
    for file in &decision.executes {
        page.item(&match &file.content {
            Some(content) => format!("{}  {content}", file.path),
            None => format!("{} (bound by its path)", file.path),
        });
    }
}

fn verdict(decision: &Decision) -> &'static str {
    match decision.verdict {
        Verdict::Allow => "ALLOWED",
        Verdict::Ask => "ASKED",
        Verdict::Deny => "REFUSED",
    }
}

const fn colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Allow => Colour::Green,
        Verdict::Ask => Colour::Yellow,
        Verdict::Deny => Colour::Red,
    }
}

fn by(decision: &Decision) -> String {
    match &decision.by {
        DecidedBy::Policy => "policy: rules and mode".to_owned(),
        DecidedBy::Person(route) => format!("a person, by {route}"),
        DecidedBy::Grant(id) => format!("an earlier answer, given to {}", id.short()),
    }
}

fn scope(decision: &Decision) -> String {
    let reach = match decision.scope {
        Scope::Once => "this call",
        Scope::Session => "this request, for the session",
        Scope::Always => "this request, from now on",
    };
    match decision.expires_at_ms {
        Some(at_ms) => format!("{reach}; the question lapses {}", moment(at_ms)),
        None => reach.to_owned(),
    }
}

fn trust(decision: &Decision) -> String {
    match &decision.trust {
        None => "not recorded".to_owned(),
        Some(TrustState::Untrusted) => "the project's configuration was not trusted".to_owned(),
        Some(TrustState::Trusted { content }) => {
            format!("the project's configuration of content {content} was trusted")
        }
    }
}

fn confined(decision: &Decision) -> String {
    let Some(confinement) = decision.confinement.as_deref() else {
        return "no".to_owned();
    };
    let by = match confinement.backend {
        Backend::Namespaces => "by namespaces",
        Backend::Landlock => "by Landlock and seccomp",
    };
    format!("{by}; {}", confinement.profile.network.words())
}

/// A rule with its layer, tier and place.
pub(super) fn rule(source: &RuleSource) -> String {
    let (layer, tier) = (words(&json!(source.layer)), words(&json!(source.tier)));
    let whose = if layer == tier {
        layer
    } else {
        format!("{layer} layer, {tier} tier")
    };
    format!("{} ({whose})", source.place())
}

/// The name that a value has in a record, in words.
fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('_', " ")
}

/// Lines as they are made.
struct Page<'a> {
    look: &'a Look,
    lines: Vec<String>,
}

impl Page<'_> {
    fn title(&mut self, text: &str, colour: Colour) {
        for line in self.look.wrap(text, 0) {
            self.lines.push(self.look.paint(colour, &line));
        }
    }

    fn head(&mut self, text: &str) {
        self.lines.push(String::new());
        self.lines.push(self.look.paint(Colour::Bold, text));
    }

    fn field(&mut self, name: &str, text: &str) {
        const INDENT: usize = 14;
        for (at, line) in self.look.wrap(text, INDENT).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let name = self.look.paint(Colour::Dim, &format!("  {name:<11}"));
            self.lines.push(format!("{name} {line}"));
        }
    }

    fn item(&mut self, text: &str) {
        self.indented(text, 2);
    }

    fn under(&mut self, text: &str) {
        self.indented(text, 8);
    }

    fn indented(&mut self, text: &str, indent: usize) {
        for line in self.look.wrap(&clean(text), indent) {
            self.lines.push(format!("{:indent$}{line}", ""));
        }
    }
}
