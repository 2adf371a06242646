//! A session as a conversation, the whole of it: what compactions took out of the model's sight is
//! still in the journal, and stands here where it was said.

use std::collections::BTreeMap;

use bowline_core::event::{HistoryCompacted, PrefixBroken, Strategy};
use bowline_core::message::ResultKind;
use bowline_core::plan::BlockKind;
use bowline_core::state::CallPhase;
use bowline_core::{
    AssistantMessage, Block, CallId, ContextText, Event, Fact, HistoryItem, Mode, ModelRef, State,
    StepId, StopReason, ToolCall, TurnId, apply,
};
use serde::Serialize;

/// One thing that was said or happened, with its time in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub said: Said,
}

/// What was said or happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Said {
    /// A turn began.
    TurnStarted {
        /// Which.
        turn: TurnId,
    },
    /// Words on their way to the model.
    Words {
        /// What they are.
        kind: BlockKind,
        /// The words with their origin.
        text: ContextText,
        /// Images that go with them.
        images: usize,
    },
    /// What the model said and called, with the results.
    Reply {
        /// The step.
        step: StepId,
        /// The words.
        text: String,
        /// Bytes of reasoning that was shown.
        reasoning_bytes: usize,
        /// The calls, in order.
        calls: Vec<Called>,
    },
    /// The conversation was made shorter for the model.
    Compacted {
        /// How.
        strategies: Vec<Strategy>,
        /// How many exchanges were taken out.
        exchanges: u32,
        /// How many texts were made shorter.
        shortened: usize,
        /// About how many tokens the next request had.
        before_tokens: u64,
        /// About how many it has.
        after_tokens: u64,
        /// What the model is told in the place of what was taken out.
        summary: Option<String>,
    },
    /// A way to make it shorter did not do.
    CompactionFailed {
        /// Why.
        why: String,
    },
    /// A request did not begin with what was sent before.
    PrefixBroken(PrefixBroken),
    /// Other tools or another system text are in force.
    PromptChanged {
        /// Why.
        why: String,
        /// Who asked.
        by: String,
    },
    /// Other settings are in force.
    SettingsChanged {
        /// The model asked.
        model: ModelRef,
        /// How much runs unasked.
        mode: Mode,
        /// Who asked.
        by: String,
    },
    /// The turn is over.
    TurnEnded {
        /// Why.
        stop: StopReason,
        /// One line for people.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

/// One call with what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Called {
    /// The call.
    pub call: CallId,
    /// The tool.
    pub tool: String,
    /// What it does in one line: as it was judged, else its arguments.
    pub essence: String,
    /// How it came out; `None` while it is open.
    pub kind: Option<ResultKind>,
    /// What the model read.
    pub result: Option<ContextText>,
}

/// Everything that was said and happened, in order.
#[must_use]
pub fn transcript(events: &[Event]) -> Vec<Entry> {
    let mut writer = Writer::default();
    let mut at_ms = 0;
    for event in events {
        at_ms = event.at_ms;
        if let Fact::Decided(decided) = &event.fact {
            let essence = decided.decision.essence.clone();
            writer.essences.insert(decided.call, essence);
        }
        let is_compaction = matches!(event.fact, Fact::HistoryCompacted(_));
        writer.state = apply(std::mem::take(&mut writer.state), event);
        if is_compaction {
            // What it put in the place of what it took out is told with it.
            writer.told = writer.state.history().len();
        }
        if matches!(event.fact, Fact::TurnEnded(_)) {
            writer.tell_items(at_ms);
        }
        writer
            .entries
            .extend(happened(&event.fact).map(|said| Entry { at_ms, said }));
        writer.tell_items(at_ms);
    }
    writer.tell_open(at_ms);
    writer.entries
}

#[derive(Default)]
struct Writer {
    state: State,
    /// Items of the conversation that are told already.
    told: usize,
    essences: BTreeMap<CallId, String>,
    entries: Vec<Entry>,
}

impl Writer {
    /// Tells the items that have come since.
    fn tell_items(&mut self, at_ms: u64) {
        let history = self.state.history();
        for item in history.get(self.told..).unwrap_or_default() {
            let said = match item.as_ref() {
                HistoryItem::Input(input) => Said::Words {
                    kind: BlockKind::of_words(input),
                    text: input.text.clone(),
                    images: input.images.len(),
                },
                HistoryItem::Exchange(exchange) => {
                    let results = exchange.results().iter();
                    let calls = exchange.message().calls().zip(results);
                    let calls = calls.map(|(call, result)| Called {
                        kind: Some(result.kind),
                        result: Some(result.content.clone()),
                        ..self.called(call)
                    });
                    reply(exchange.step(), exchange.message(), calls.collect())
                }
            };
            self.entries.push(Entry { at_ms, said });
        }
        self.told = history.len();
    }

    /// Tells what is not complete, and what waits to be shown to the model.
    fn tell_open(&mut self, at_ms: u64) {
        let mut last = Vec::new();
        if let Some(step) = self.state.step() {
            let calls = step.calls.iter().map(|open| {
                let result = match &open.phase {
                    CallPhase::Closed(result) => Some(result),
                    _ => None,
                };
                Called {
                    kind: result.map(|result| result.kind),
                    result: result.map(|result| result.content.clone()),
                    ..self.called(&open.call)
                }
            });
            last.push(reply(step.id, &step.message, calls.collect()));
        }
        for input in self.state.queued() {
            last.push(Said::Words {
                kind: BlockKind::of_words(input),
                text: input.text.clone(),
                images: input.images.len(),
            });
        }
        let last = last.into_iter().map(|said| Entry { at_ms, said });
        self.entries.extend(last);
    }

    fn called(&self, call: &ToolCall) -> Called {
        let essence = self.essences.get(&call.id);
        Called {
            call: call.id,
            tool: call.name.clone(),
            essence: essence.unwrap_or(&call.arguments).clone(),
            kind: None,
            result: None,
        }
    }
}

fn reply(step: StepId, message: &AssistantMessage, calls: Vec<Called>) -> Said {
    let reasoning = message.blocks.iter().map(|block| match block {
        Block::Reasoning { text, .. } => text.len(),
        _ => 0,
    });
    Said::Reply {
        step,
        text: message.text(),
        reasoning_bytes: reasoning.sum(),
        calls,
    }
}

fn happened(fact: &Fact) -> Option<Said> {
    Some(match fact {
        Fact::TurnStarted(started) => Said::TurnStarted { turn: started.turn },
        Fact::HistoryCompacted(compacted) => of_compaction(compacted),
        Fact::CompactionFailed(failed) => Said::CompactionFailed {
            why: format!("{}: {}", failed.strategy.name(), failed.why),
        },
        Fact::CompactionAbandoned(abandoned) => Said::CompactionFailed {
            why: abandoned.why.clone(),
        },
        Fact::PrefixBroken(broken) => Said::PrefixBroken(broken.clone()),
        Fact::PromptChanged(change) => Said::PromptChanged {
            why: change.why.clone(),
            by: change.by.clone(),
        },
        Fact::SettingsChanged(change) => Said::SettingsChanged {
            model: change.settings.model.clone(),
            mode: change.settings.mode,
            by: change.by.clone(),
        },
        Fact::TurnEnded(ended) => Said::TurnEnded {
            stop: ended.stop,
            detail: ended.detail.clone(),
        },
        _ => return None,
    })
}

fn of_compaction(compacted: &HistoryCompacted) -> Said {
    Said::Compacted {
        strategies: compacted.strategies.clone(),
        exchanges: compacted.folded.map_or(0, |folded| folded.exchanges),
        shortened: compacted.shortened.len(),
        before_tokens: compacted.before_tokens,
        after_tokens: compacted.after_tokens,
        summary: compacted
            .summary
            .as_ref()
            .map(|text| text.text().to_owned()),
    }
}
