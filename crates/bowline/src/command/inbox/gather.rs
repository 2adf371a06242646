//! What waits in each session, as entries of one list.

use bowline_core::action::Question;
use bowline_core::command::Ask;
use bowline_core::{Command, Decision, DecisionId, Event, Fact, SessionId, State, Verdict};
use bowline_journal::{Error, Intact, Status, Store, Summary, mailbox};
use serde_json::{Map, Value, json};

use crate::face::Sheet;
use crate::failure::Failure;
use crate::print;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A call that a person must allow or deny.
    Decision,
    /// A question that wants words.
    Question,
    /// Something outside that is waited for.
    Party,
    /// A call whose outcome is unknown.
    Doubt,
    /// A session on hold.
    Hold,
    /// A session with work outstanding that nobody drives.
    Unfinished,
    /// Commands that nobody has taken yet.
    Letters,
}

impl Kind {
    /// The name in lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Question => "question",
            Self::Party => "party",
            Self::Doubt => "doubt",
            Self::Hold => "hold",
            Self::Unfinished => "unfinished",
            Self::Letters => "letters",
        }
    }
}

/// One thing that waits.
#[derive(Debug, Clone)]
pub struct Entry {
    pub kind: Kind,
    /// Of the decision, the call or the session, as commands take it.
    pub id: String,
    pub session: SessionId,
    pub title: String,
    pub cwd: String,
    /// The process that has the session, if one has.
    pub owner_pid: Option<u32>,
    pub is_owned: bool,
    /// What it is, in a line.
    pub what: String,
    pub why: Option<String>,
    /// What a party has to do.
    pub instructions: Option<String>,
    pub question: Option<Question>,
    /// What the call would do and why it asks.
    pub sheet: Option<Sheet>,
    pub since_ms: u64,
    /// When the question lapses or the wait ends.
    pub ends_ms: Option<u64>,
    /// What was left in the mailbox for it and is not taken yet: `allow`, `deny`, `answer`,
    /// `signal` or `settle`.
    pub letter: Option<&'static str>,
    /// Commands that end its wait.
    pub how: Vec<String>,
    /// Further fields of its kind.
    pub more: Map<String, Value>,
}

impl Entry {
    /// The last 8 digits of its id.
    pub fn short(&self) -> &str {
        let digits = self.id.len().saturating_sub(8);
        &self.id[digits..]
    }

    /// The entry as one object; what it has not is left out.
    pub fn as_json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "kind": self.kind.name(),
            "session_id": self.session,
            "title": self.title,
            "cwd": self.cwd,
            "owned": self.is_owned,
            "owner_pid": self.owner_pid,
            "what": self.what,
            "why": self.why,
            "instructions": self.instructions,
            "question": self.question,
            "since_ms": self.since_ms,
            "ends_ms": self.ends_ms,
            "letter": self.letter,
            "how": self.how,
        });
        if let Value::Object(fields) = &mut object {
            fields.extend(self.more.clone());
            fields.retain(|_, value| !value.is_null());
        }
        object
    }
}

/// All that waits. Whole journals are read only where the summary says that something does.
pub fn all(store: &Store, now_ms: u64) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for summary in store.summaries()? {
        let letters = mailbox::waiting(&store.session_dir(summary.session).mailbox())?;
        let waits = summary.waiting > 0 || summary.in_doubt > 0;
        let rests = !matches!(summary.status, Status::Paused | Status::Unfinished);
        if !waits && rests && letters.is_empty() {
            continue;
        }
        let held = store.owner(summary.session)?;
        let one = Session {
            is_owned: held.is_some(),
            owner_pid: held.and_then(|held| held.owner).map(|owner| owner.pid),
            summary: &summary,
            letters: &letters,
            now_ms,
        };
        entries.extend(one.as_a_whole());
        if waits {
            match store.read_only(summary.session) {
                Ok(reader) => entries.extend(one.parts(&reader.read_intact()?)),
                // It was deleted meanwhile.
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(entries)
}

/// A session in which something waits.
struct Session<'a> {
    summary: &'a Summary,
    letters: &'a [Command],
    is_owned: bool,
    owner_pid: Option<u32>,
    now_ms: u64,
}

impl Session<'_> {
    fn entry(&self, kind: Kind, id: String, what: String, since_ms: u64) -> Entry {
        Entry {
            kind,
            id,
            session: self.summary.session,
            title: self.summary.title.clone(),
            cwd: self.summary.cwd.clone(),
            owner_pid: self.owner_pid,
            is_owned: self.is_owned,
            what,
            why: self.summary.damage.clone(),
            instructions: None,
            question: None,
            sheet: None,
            since_ms,
            ends_ms: None,
            letter: None,
            how: Vec::new(),
            more: Map::new(),
        }
    }

    /// What goes on once its wait is over; nothing where a process has the session.
    fn go_on(&self) -> Vec<String> {
        if self.is_owned {
            return Vec::new();
        }
        vec![format!("bowline resume {}", self.summary.session.short())]
    }

    /// What is said of the session itself.
    fn as_a_whole(&self) -> Vec<Entry> {
        let id = self.summary.session.to_string();
        let short = self.summary.session.short();
        let mut entries = Vec::new();
        if self.summary.status == Status::Paused {
            let what = "on hold".to_owned();
            let mut entry = self.entry(Kind::Hold, id.clone(), what, self.summary.updated_ms);
            entry.how = vec![format!("bowline resume {short}")];
            entries.push(entry);
        }
        if self.summary.status == Status::Unfinished && !self.is_owned {
            let what = format!(
                "left unfinished after {} steps: nobody drives it",
                self.summary.steps
            );
            let mut entry = self.entry(Kind::Unfinished, id.clone(), what, self.summary.updated_ms);
            entry.how = self.go_on();
            entry.how.push(format!("bowline why {short}"));
            entries.push(entry);
        }
        if !self.letters.is_empty() {
            let names: Vec<&str> = self.letters.iter().map(|one| letter(&one.ask)).collect();
            let what = format!("not taken yet: {}", names.join(", "));
            let since = self.letters.iter().filter_map(|one| one.at_ms).min();
            let since_ms = since.unwrap_or(self.now_ms);
            let mut entry = self.entry(Kind::Letters, id, what, since_ms);
            entry.how = self.go_on();
            entry.more.insert("letters".to_owned(), json!(names));
            entries.push(entry);
        }
        entries
    }

    /// What is said of its calls.
    fn parts(&self, intact: &Intact) -> Vec<Entry> {
        let state = intact.state();
        let mut entries = Vec::new();
        for (open, decision) in state.waiting() {
            let asked_ms = intact
                .events
                .iter()
                .rev()
                .find_map(|one| asked_at(&one.event, decision.id));
            let since_ms = asked_ms.unwrap_or(self.summary.updated_ms);
            let mut entry = self.decision(decision, since_ms);
            entry.more.insert("tool".to_owned(), json!(open.call.name));
            entry.more.insert("call_id".to_owned(), json!(open.call.id));
            entries.push(entry);
        }
        entries.extend(self.parties(&state));
        entries.extend(self.doubts(&state));
        entries
    }

    fn decision(&self, decision: &Decision, since_ms: u64) -> Entry {
        let id = decision.id.to_string();
        let what = decision.essence.clone();
        let kind = match decision.question() {
            Some(_) => Kind::Question,
            None => Kind::Decision,
        };
        let mut entry = self.entry(kind, id, what, since_ms);
        entry.ends_ms = decision.expires_at_ms;
        entry.letter = self.letter_for(|ask| match ask {
            Ask::Answer { decision: it, .. } | Ask::Reply { decision: it, .. } => {
                *it == decision.id
            }
            _ => false,
        });
        entry.question = decision.question().cloned();
        let lapsed = decision.has_lapsed(self.now_ms);
        entry.more.insert("lapsed".to_owned(), json!(lapsed));
        if kind == Kind::Decision {
            let sheet = Sheet::of(decision, &self.summary.cwd);
            for (key, value) in [
                ("does", json!(sheet.does)),
                ("asks", json!(sheet.why)),
                ("diff", json!(sheet.diff)),
            ] {
                entry.more.insert(key.to_owned(), value);
            }
            entry.sheet = Some(sheet);
            entry.why.get_or_insert_with(|| decision.reason.clone());
        }
        let short = decision.id.short();
        entry.how = if entry.letter.is_some() || lapsed {
            self.go_on()
        } else if kind == Kind::Question {
            vec![
                format!("bowline answer {short} TEXT"),
                format!("bowline deny {short}"),
            ]
        } else {
            vec![
                format!("bowline approve {short}"),
                format!("bowline deny {short}"),
            ]
        };
        entry
    }

    fn parties(&self, state: &State) -> Vec<Entry> {
        let entry =
            |(call, _, park): (bowline_core::CallId, &Decision, &bowline_core::wait::Park)| {
                let wait = &park.wait;
                let what = format!("{}: waits for {}", wait.name, wait.words());
                let mut entry = self.entry(Kind::Party, call.to_string(), what, park.since_ms);
                entry.ends_ms = park.until_ms;
                entry.instructions.clone_from(&wait.instructions);
                let is_signal = wait.until == bowline_core::wait::Until::Signal;
                entry.letter = self.letter_for(|ask| {
                    is_signal && matches!(ask, Ask::Signal { name, .. } if *name == wait.name)
                });
                entry.more.insert("name".to_owned(), json!(wait.name));
                entry
                    .more
                    .insert("waits_for".to_owned(), json!(wait.words()));
                if park.looks > 0 {
                    entry.more.insert("looks".to_owned(), json!(park.looks));
                    entry.more.insert("last".to_owned(), json!(park.last));
                }
                entry.how = if is_signal && entry.letter.is_none() {
                    let session = self.summary.session.short();
                    vec![format!(
                        "bowline signal {session} {}",
                        print::quoted(&wait.name)
                    )]
                } else {
                    self.go_on()
                };
                entry
            };
        state.parked().map(entry).collect()
    }

    fn doubts(&self, state: &State) -> Vec<Entry> {
        let entry = |doubt: &bowline_core::state::Doubt| {
            let call = doubt.call;
            let what = doubt.essence.clone();
            let mut entry = self.entry(Kind::Doubt, call.to_string(), what, doubt.at_ms);
            entry.why = Some(doubt.why.clone());
            entry.letter =
                self.letter_for(|ask| matches!(ask, Ask::Settle { call: it, .. } if *it == call));
            let short = call.short();
            entry.how = if entry.letter.is_some() {
                self.go_on()
            } else {
                vec![
                    format!("bowline settle {short} --happened"),
                    format!("bowline settle {short} --did-not"),
                ]
            };
            entry
        };
        state.in_doubt().iter().map(entry).collect()
    }

    fn letter_for(&self, is_for: impl Fn(&Ask) -> bool) -> Option<&'static str> {
        let mut letters = self.letters.iter();
        letters
            .find(|one| is_for(&one.ask))
            .map(|one| letter(&one.ask))
    }
}

/// When a decision was recorded.
fn asked_at(event: &Event, id: DecisionId) -> Option<u64> {
    match &event.fact {
        Fact::Decided(decided) if decided.decision.id == id => Some(event.at_ms),
        _ => None,
    }
}

/// A letter in a word.
const fn letter(ask: &Ask) -> &'static str {
    match ask {
        Ask::Prompt { .. } => "prompt",
        Ask::Answer {
            verdict: Verdict::Allow,
            ..
        } => "allow",
        Ask::Answer { .. } => "deny",
        Ask::Reply { .. } => "answer",
        Ask::Signal { .. } => "signal",
        Ask::Settle { .. } => "settle",
        Ask::Compact { .. } => "compact",
        Ask::Pause { .. } => "pause",
        Ask::Continue { .. } => "continue",
        Ask::Cancel { .. } => "cancel",
        Ask::Change { .. } => "change",
    }
}
