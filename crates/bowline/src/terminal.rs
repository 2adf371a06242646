//! The person at the terminal: answers what a session waits for, and gives it words while it runs.

mod held;
mod lines;
mod said;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bowline_core::action::Question;
use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::protocol::WaitingItem;
use bowline_core::{Action, Command, Decision, DecisionId, Verdict};
use bowline_runtime::{Clock, Error, Face, Harness, Rest, Session, drive, prompt};
use bowline_secrets::Masker;
use tokio::sync::{Notify, mpsc};

use self::said::{Reply, Said};
use crate::args::Output;
use crate::command::{Open, always};
use crate::face;
use crate::places::Places;
use crate::print::{self, Colour, Look};

/// How often answers from elsewhere are looked for while the person thinks.
const MAILBOX_POLL: Duration = Duration::from_millis(500);

/// Most recorded calls that are named when a rule is about to be written.
const ALSO_MAX: usize = 5;

/// How answers given here are recorded.
const ROUTE: &str = "the terminal";

/// Whether a person can be asked: text goes to a terminal, lines come from one, and nobody says
/// that this is a build machine.
pub fn is_there(output: Output) -> bool {
    use std::io::{IsTerminal as _, stderr, stdin};
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
    output == Output::Text && stdin().is_terminal() && stderr().is_terminal() && !ci
}

/// The terminal of a run.
pub struct Terminal {
    /// Lines typed while a question stands; `None` is an end of input.
    answers: mpsc::UnboundedReceiver<Option<String>>,
    interrupts: Interrupts,
    masker: Arc<Masker>,
    places: Places,
    look: Look,
}

/// What Ctrl-C means: while a question stands it parks the turn.
#[derive(Clone, Default)]
pub struct Interrupts {
    asking: Arc<AtomicBool>,
    parked: Arc<Notify>,
}

impl Interrupts {
    /// Parks the turn if a question stands; says whether one did.
    pub fn park(&self) -> bool {
        let asking = self.asking.load(Ordering::SeqCst);
        if asking {
            self.parked.notify_one();
        }
        asking
    }
}

/// One thing that is asked.
struct Asked<'a> {
    item: &'a WaitingItem,
    decision: &'a Decision,
    /// The rules that `always` would write, or why it cannot.
    always: Result<Vec<String>, String>,
}

/// What comes of asking.
enum Next {
    Give(Vec<Command>),
    /// Something came from elsewhere: the question may be answered.
    LookAgain,
    Park,
}

impl Terminal {
    /// Begins to listen. Lines typed while nothing is asked go to `commands` as prompts.
    pub fn open(
        commands: mpsc::UnboundedSender<Command>,
        clock: &Clock,
        masker: Arc<Masker>,
        places: Places,
    ) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let interrupts = Interrupts::default();
        let asking = Arc::clone(&interrupts.asking);
        let (clock, mask, look) = (clock.clone(), Arc::clone(&masker), Look::of_stderr());
        lines::read(move |line| {
            if asking.load(Ordering::SeqCst) {
                return sender.send(line).is_ok();
            }
            let Some(text) = line.filter(|text| !text.trim().is_empty()) else {
                return true;
            };
            let command = Command {
                key: format!("prompt-{}", clock.new_id()),
                at_ms: None,
                ask: Ask::Prompt {
                    text: prompt::person(mask.mask(&text).text.into_owned()),
                    images: Vec::new(),
                    output_schema: None,
                    supersede: false,
                },
            };
            print::err_line(&look.paint(Colour::Dim, "queued: read after the running calls"));
            commands.send(command).is_ok()
        });
        Self {
            answers,
            interrupts,
            masker,
            places,
            look,
        }
    }

    /// What Ctrl-C has to know.
    pub fn interrupts(&self) -> Interrupts {
        self.interrupts.clone()
    }

    /// Drives a session and asks for whatever it waits for, until it rests or is parked.
    ///
    /// # Errors
    /// As [`drive`].
    pub async fn drive(
        &mut self,
        session: &mut Session,
        harness: &Harness,
        face: &mut dyn Face,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Result<Rest, Error> {
        loop {
            let rest = drive(session, harness, face, commands).await?;
            // Words typed while the turn ended are not lost.
            let mut typed = false;
            while let Ok(command) = commands.try_recv() {
                typed |= matches!(command.ask, Ask::Prompt { .. });
                let _refused = session.give(command);
            }
            match &rest {
                Rest::Waiting(waiting) if waiting.is_empty() => return Ok(rest),
                Rest::Waiting(_) | Rest::Paused(_) => match self.ask_about(session, &rest).await {
                    Next::Give(commands) => {
                        for command in commands {
                            // A question that was answered elsewhere meanwhile stays answered.
                            let _refused = session.give(command);
                        }
                    }
                    Next::LookAgain => {}
                    Next::Park if typed => {}
                    Next::Park => return Ok(rest),
                },
                _ if typed => {}
                _ => return Ok(rest),
            }
        }
    }

    /// Asks about what a session rests at.
    async fn ask_about(&mut self, session: &Session, rest: &Rest) -> Next {
        match rest {
            Rest::Waiting(waiting) => self.ask(session, together(waiting)).await,
            Rest::Paused(by) => self.ask_about_hold(session, by).await,
            _ => Next::Park,
        }
    }

    /// Shows what is asked together and takes the answers.
    async fn ask(&mut self, session: &Session, items: &[WaitingItem]) -> Next {
        let mut asked = Vec::new();
        for item in items {
            let mut waiting = session.state().waiting();
            let found = waiting.find(|(_, decision)| decision.id == item.decision_id);
            let Some((open, decision)) = found else {
                return Next::LookAgain;
            };
            let always = match &item.question {
                Some(_) => Err(String::new()),
                None => self.always(session, &open.call.name, decision),
            };
            asked.push(Asked {
                item,
                decision,
                always,
            });
        }
        // What was typed before is no answer to what is only shown now.
        while self.answers.try_recv().is_ok() {}
        self.show(&asked, session.state().cwd());
        self.interrupts.asking.store(true, Ordering::SeqCst);
        let next = self.answer(session, &asked).await;
        self.interrupts.asking.store(false, Ordering::SeqCst);
        next
    }

    /// The rules that would have this call run unasked from now on, or why there are none.
    fn always(
        &self,
        session: &Session,
        tool: &str,
        decision: &Decision,
    ) -> Result<Vec<String>, String> {
        let open = Open {
            session: session.id(),
            state: session.state().clone(),
            decision: decision.clone(),
            tool: tool.to_owned(),
        };
        always::rules(&self.places, &open).map_err(|failure| failure.message().to_owned())
    }

    async fn answer(&mut self, session: &Session, asked: &[Asked<'_>]) -> Next {
        let mut told = BTreeSet::new();
        loop {
            let line = match self.typed(session).await {
                Ok(line) => line,
                Err(next) => return next,
            };
            match self.understand(&line, asked, &mut told) {
                Ok(next) => return next,
                Err(hint) => print::err_line(&hint),
            }
        }
    }

    /// The next line typed, or what comes instead of one.
    async fn typed(&mut self, session: &Session) -> Result<String, Next> {
        print::err_text("> ");
        let line = loop {
            tokio::select! {
                line = self.answers.recv() => break line.flatten(),
                () = self.interrupts.parked.notified() => break None,
                () = tokio::time::sleep(MAILBOX_POLL) => {
                    if session.has_letters() {
                        print::err_line("");
                        return Err(Next::LookAgain);
                    }
                }
            }
        };
        line.ok_or_else(|| {
            print::err_line("");
            Next::Park
        })
    }

    /// What a line means for what is asked, or how to answer it.
    ///
    /// `told` are the decisions of which was said what `always` would also have allowed: before
    /// that it writes nothing.
    fn understand(
        &self,
        line: &str,
        asked: &[Asked<'_>],
        told: &mut BTreeSet<DecisionId>,
    ) -> Result<Next, String> {
        let mask = |text: String| self.masker.mask(&text).text.into_owned();
        if let [Asked { item, .. }] = asked
            && let Some(question) = &item.question
        {
            let decision = item.decision_id;
            let ask = match said::reply(line, question)? {
                Reply::Words(text) => Ask::Reply {
                    decision,
                    text: prompt::answer(mask(text)),
                    by: ROUTE.to_owned(),
                },
                Reply::Decline => verdict(decision, Verdict::Deny, Scope::Once, None),
                Reply::Park => return Ok(Next::Park),
            };
            return Ok(Next::Give(vec![command(decision, ask)]));
        }
        let mut commands = Vec::new();
        for (at, said) in said::verdicts(line, asked.len())? {
            let Some(one) = asked.get(at) else { continue };
            let decision = one.item.decision_id;
            let ask = match said {
                Said::Once => verdict(decision, Verdict::Allow, Scope::Once, None),
                Said::Session => verdict(decision, Verdict::Allow, Scope::Session, None),
                Said::Always => {
                    let rules = one.always.as_ref().map_err(|why| format!("  {why}"))?;
                    if told.insert(decision) {
                        return Err(self.reach(decision, rules)?);
                    }
                    always::remember(&self.places, rules)
                        .map_err(|failure| failure.message().to_owned())?;
                    verdict(decision, Verdict::Allow, Scope::Always, None)
                }
                Said::No(note) => verdict(decision, Verdict::Deny, Scope::Once, note.map(mask)),
                Said::Park => return Ok(Next::Park),
            };
            commands.push(command(decision, ask));
        }
        Ok(Next::Give(commands))
    }

    /// What rules would also have allowed, and how to have them written.
    fn reach(&self, decision: DecisionId, rules: &[String]) -> Result<String, String> {
        let also = always::also_allowed(&self.places, decision, rules)
            .map_err(|failure| failure.message().to_owned())?;
        let mut lines: Vec<String> = rules.iter().map(|rule| format!("allow {rule}")).collect();
        lines.push(match also.len() {
            0 => "it would have allowed no other recorded call".to_owned(),
            count => format!("recorded calls that it would also have allowed: {count}"),
        });
        lines.extend(also.iter().take(ALSO_MAX).map(|call| format!("  {call}")));
        lines.push("the same answer again writes it".to_owned());
        let lines = lines
            .iter()
            .map(|line| format!("  {}", self.look.fit(line, 2)));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Shows what is asked, in lines that fit, and how to answer. What would run is shown whole:
    /// nobody should allow what they have not seen.
    fn show(&self, asked: &[Asked<'_>], cwd: &str) {
        if let [Asked { item, .. }] = asked
            && let Some(question) = &item.question
        {
            return self.show_question(question);
        }
        for (at, one) in asked.iter().enumerate() {
            let sign = match asked.len() {
                1 => "?".to_owned(),
                _ => format!("{}?", at + 1),
            };
            self.show_call(&sign, one, cwd);
        }
        match asked {
            [one] => print::err_line(&format!(
                "  [y]es once  yes for the [s]ession{}  [n]o  [n] WORDS  [q]uit and park",
                if one.always.is_ok() { "  [a]lways" } else { "" }
            )),
            _ => print::err_line(
                "  numbers or all, then [y]es [s]ession [a]lways [n]o [n] WORDS; [q]uit and park",
            ),
        }
    }

    fn show_call(&self, sign: &str, asked: &Asked<'_>, cwd: &str) {
        let look = &self.look;
        let essence = look.fit(&asked.item.essence, sign.len() + 1);
        print::err_line(&format!("{} {essence}", look.paint(Colour::Yellow, sign)));
        for judged in &asked.decision.actions {
            if let Action::Run { command, .. } = &judged.action
                && essence != *command
            {
                print::err_line(&indented(command));
            }
        }
        for line in face::Sheet::of(asked.decision, cwd).lines(look) {
            print::err_line(&line);
        }
        for rule in asked.always.iter().flatten() {
            let line = look.fit(&format!("always: allow `{rule}`"), 4);
            print::err_line(&look.paint(Colour::Dim, &format!("    {line}")));
        }
    }

    fn show_question(&self, question: &Question) {
        let look = &self.look;
        let sign = look.paint(Colour::Yellow, "?");
        print::err_line(&format!("{sign} {}", print::clean(&question.text)));
        for (number, choice) in face::choices(Some(question)) {
            print::err_line(&look.fit(&format!("  {number}. {choice}"), 0));
        }
        let how = match (question.choices.is_empty(), question.multiple) {
            (true, _) => "  your answer in a line",
            (false, false) => "  a number, or your own words",
            (false, true) => "  numbers such as 1,3, or your own words",
        };
        print::err_line(&format!("{how}; /no declines, /park parks"));
    }
}

/// What is asked together: all calls that wait for a verdict, or one question.
fn together(waiting: &[WaitingItem]) -> &[WaitingItem] {
    let calls = waiting.iter().take_while(|item| item.question.is_none());
    let count = calls.count().max(1);
    &waiting[..count.min(waiting.len())]
}

fn verdict(decision: DecisionId, verdict: Verdict, scope: Scope, note: Option<String>) -> Ask {
    Ask::Answer {
        decision,
        verdict,
        scope,
        by: ROUTE.to_owned(),
        note,
    }
}

fn command(decision: DecisionId, ask: Ask) -> Command {
    Command {
        key: format!("answer-{decision}"),
        at_ms: None,
        ask,
    }
}

/// A foreign text, cleaned, each line set in.
fn indented(text: &str) -> String {
    let text = print::clean(text);
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| format!("    {line}"))
        .collect();
    lines.join("\n")
}
