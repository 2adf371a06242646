//! What alarms look at: little things that happened to a session, as the journal's facts say.

use std::collections::BTreeMap;

use bowline_core::event::BreakCause;
use bowline_core::{CallId, Event, Fact, OutcomeStatus, Usage};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A turn began.
    TurnBegan,
    /// The model replied.
    Replied {
        /// Tokens, if the provider said.
        usage: Option<Usage>,
        /// What was charged, in millionths of a dollar.
        cost_micro_usd: u64,
        /// How many calls the reply asked for.
        asked: u32,
    },
    /// A try of a model call failed.
    Failed {
        /// What was charged, in millionths of a dollar.
        cost_micro_usd: u64,
    },
    /// A call has a result.
    Result {
        /// The tool.
        tool: String,
        /// Bytes of text that it brought into the conversation.
        bytes: u64,
        /// Whether it failed, or ended with an error.
        failed: bool,
    },
    /// A child session is done.
    ChildSpent {
        /// What it spent, in millionths of a dollar.
        cost_micro_usd: u64,
    },
    /// The prefix of the prompt broke.
    Broke {
        /// The block that changed.
        block: String,
        /// Its field.
        field: String,
        /// Tokens that must be read anew.
        lost_tokens: u64,
        /// Whether something recorded explains it.
        is_explained: bool,
    },
    /// The model repeats itself.
    Looped {
        /// What was seen.
        evidence: String,
    },
}

/// The most of one text that an alarm repeats; the journal has it whole.
const TEXT_CHARS_MAX: usize = 300;

fn bounded(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

/// Reads facts; keeps which call is of which tool.
#[derive(Debug, Default)]
pub(super) struct Reader {
    tools: BTreeMap<CallId, String>,
}

impl Reader {
    /// Knows the calls of a session that were asked for before.
    pub(super) fn know(&mut self, call: CallId, tool: &str) {
        self.tools.insert(call, bounded(tool));
    }

    /// What an event means for alarms; most mean nothing.
    pub(super) fn read(&mut self, event: &Event) -> Option<Seen> {
        let money = |charged: Option<bowline_core::Amounts>| {
            charged.map_or(0, |charged| charged.cost_micro_usd)
        };
        Some(match &event.fact {
            Fact::TurnStarted(_) => Seen::TurnBegan,
            Fact::ModelReplied(replied) => {
                // A reply comes when every earlier call is closed.
                self.tools.clear();
                let mut asked = 0;
                for call in replied.message.calls() {
                    self.know(call.id, &call.name);
                    asked += 1;
                }
                Seen::Replied {
                    usage: replied.usage,
                    cost_micro_usd: money(replied.charged),
                    asked,
                }
            }
            Fact::AttemptFailed(failed) => Seen::Failed {
                cost_micro_usd: money(failed.charged),
            },
            Fact::CallFinished(finished) => {
                let outcome = &finished.outcome;
                let failed = outcome.status == OutcomeStatus::Error;
                self.result(finished.call, outcome.content.text(), failed)
            }
            Fact::CallFailed(failed) => self.result(failed.call, failed.error.text(), true),
            Fact::CallRejected(rejected) => self.result(rejected.call, rejected.error.text(), true),
            Fact::ShareSettled(settled) => Seen::ChildSpent {
                cost_micro_usd: settled.spent.cost_micro_usd,
            },
            Fact::PrefixBroken(broken) => Seen::Broke {
                block: bounded(&broken.block),
                field: bounded(&broken.field),
                lost_tokens: broken.lost_tokens,
                is_explained: broken.cause != BreakCause::Unexplained,
            },
            Fact::LoopNoticed(noticed) => Seen::Looped {
                evidence: bounded(&noticed.evidence),
            },
            _ => return None,
        })
    }

    fn result(&self, call: CallId, text: &str, failed: bool) -> Seen {
        Seen::Result {
            tool: self.tools.get(&call).cloned().unwrap_or_default(),
            bytes: text.len() as u64,
            failed,
        }
    }
}
