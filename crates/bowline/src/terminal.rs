//! The person at the terminal: answers what a session waits for, and gives it words while it runs.

mod lines;
mod said;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bowline_core::command::Ask;
use bowline_core::decision::Scope;
use bowline_core::protocol::WaitingItem;
use bowline_core::{Action, Command, Decision, Verdict};
use bowline_runtime::{Clock, Error, Face, Harness, Rest, Session, drive, prompt};
use bowline_secrets::Masker;
use tokio::sync::{Notify, mpsc};

use self::said::{Reply, Said};
use crate::args::Output;
use crate::face;
use crate::print::{self, Colour, Look};

/// How often answers from elsewhere are looked for while the person thinks.
const MAILBOX_POLL: Duration = Duration::from_millis(500);

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

/// What comes of asking.
enum Next {
    Give(Box<Command>),
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
                Rest::Waiting(waiting) => match waiting.first() {
                    Some(item) => match self.ask(session, item).await {
                        Next::Give(command) => {
                            // A question that was answered elsewhere meanwhile stays answered.
                            let _refused = session.give(*command);
                        }
                        Next::LookAgain => {}
                        Next::Park if typed => {}
                        Next::Park => return Ok(rest),
                    },
                    None => return Ok(rest),
                },
                _ if typed => {}
                _ => return Ok(rest),
            }
        }
    }

    /// Shows one open question and takes the answer.
    async fn ask(&mut self, session: &Session, item: &WaitingItem) -> Next {
        let mut waiting = session.state().waiting();
        let decision = waiting.find(|(_, decision)| decision.id == item.decision_id);
        let Some((_, decision)) = decision else {
            return Next::LookAgain;
        };
        // What was typed before is no answer to what is only shown now.
        while self.answers.try_recv().is_ok() {}
        self.show(item, decision);
        self.interrupts.asking.store(true, Ordering::SeqCst);
        let next = self.answer(session, item).await;
        self.interrupts.asking.store(false, Ordering::SeqCst);
        next
    }

    async fn answer(&mut self, session: &Session, item: &WaitingItem) -> Next {
        loop {
            print::err_text("> ");
            let line = loop {
                tokio::select! {
                    line = self.answers.recv() => break line.flatten(),
                    () = self.interrupts.parked.notified() => break None,
                    () = tokio::time::sleep(MAILBOX_POLL) => {
                        if session.has_letters() {
                            print::err_line("");
                            return Next::LookAgain;
                        }
                    }
                }
            };
            let Some(line) = line else {
                print::err_line("");
                return Next::Park;
            };
            match self.understand(&line, item) {
                Ok(next) => return next,
                Err(hint) => print::err_line(&hint),
            }
        }
    }

    /// What a line means for the question, or how to answer it.
    fn understand(&self, line: &str, item: &WaitingItem) -> Result<Next, String> {
        let decision = item.decision_id;
        let by = ROUTE.to_owned();
        let mask = |text: String| self.masker.mask(&text).text.into_owned();
        let verdict = |verdict, scope, note: Option<String>| Ask::Answer {
            decision,
            verdict,
            scope,
            by: ROUTE.to_owned(),
            note: note.map(mask),
        };
        let ask = match &item.question {
            Some(question) => match said::reply(line, question)? {
                Reply::Words(text) => Ask::Reply {
                    decision,
                    text: prompt::answer(mask(text)),
                    by,
                },
                Reply::Decline => verdict(Verdict::Deny, Scope::Once, None),
                Reply::Park => return Ok(Next::Park),
            },
            None => match said::verdict(line)? {
                Said::Once => verdict(Verdict::Allow, Scope::Once, None),
                Said::Session => verdict(Verdict::Allow, Scope::Session, None),
                Said::No(note) => verdict(Verdict::Deny, Scope::Once, note),
                Said::Park => return Ok(Next::Park),
            },
        };
        let key = format!("answer-{decision}");
        Ok(Next::Give(Box::new(Command {
            key,
            at_ms: None,
            ask,
        })))
    }

    /// Shows what is asked, in lines that fit, and how to answer. What would run is shown whole:
    /// nobody should allow what they have not seen.
    fn show(&self, item: &WaitingItem, decision: &Decision) {
        let look = &self.look;
        let sign = look.paint(Colour::Yellow, "?");
        let Some(question) = &item.question else {
            print::err_line(&format!("{sign} {}", look.fit(&item.essence, 2)));
            for judged in &decision.actions {
                if let Action::Run { command, .. } = &judged.action
                    && look.fit(&item.essence, 2) != *command
                {
                    print::err_line(&indented(command));
                }
            }
            let reason = look.wrap(&item.reason, 4).join("\n");
            print::err_line(&look.paint(Colour::Dim, &indented(&reason)));
            print::err_line(
                "  [y]es once  yes for the [s]ession  [n]o  [n] WORDS  [q]uit and park",
            );
            return;
        };
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
