//! What happens to a world whose conversation is made shorter.

use bowline_core::command::{Ask, Command};
use bowline_core::engine::{self, NextCut};
use bowline_core::event::{
    CompactionAbandoned, CompactionFailed, ModelReplied, Purpose, ReplyStop, Strategy,
};
use bowline_core::{AssistantMessage, AttemptId, Block, Fact};

use super::World;

impl World {
    pub(super) fn ask_for_compaction(&mut self) {
        let key = format!("compact-{}", self.id());
        self.give(Command {
            key,
            at_ms: None,
            ask: Ask::Compact {
                focus: None,
                by: "test".to_owned(),
            },
        });
    }

    /// Takes the next step in making the conversation shorter. What would lose something is never
    /// put in force.
    pub(super) fn compact(&mut self) {
        let size = self.state.size_by_weight();
        match engine::next_cut(&self.state, size) {
            NextCut::Try(plan) => {
                let lost = engine::lost(&self.state, &plan);
                assert_eq!(lost, Vec::<String>::new());
                self.put(Fact::HistoryCompacted(Box::new(plan.fact)));
            }
            NextCut::AskForSummary => {
                let ask = engine::NewAsk {
                    purpose: Purpose::Summary,
                    ..engine::NewAsk::of(AttemptId::from_uuid(self.id()))
                };
                match engine::reserve(&self.state, ask) {
                    Ok(fact) => self.put(fact),
                    Err(why) => self.put(Fact::CompactionFailed(CompactionFailed {
                        strategy: Strategy::ModelSummary,
                        why: why.to_string(),
                    })),
                }
            }
            NextCut::Failed(failed) => self.put(Fact::CompactionFailed(failed)),
            NextCut::Abandon(why) => {
                self.put(Fact::CompactionAbandoned(CompactionAbandoned { why }));
            }
        }
    }

    /// The model's summary, or what it says instead of one.
    pub(super) fn sum_up(&mut self, attempt: AttemptId) {
        let text = match self.choose(3) {
            Some(0) => "no".to_owned(),
            Some(1) => r#"{"goal": "something else"}"#.to_owned(),
            _ => r#"{"goal": "g", "dead_ends": ["a dead end"], "next_step": "n"}"#.to_owned(),
        };
        let replied = ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks: vec![Block::Text { text }],
                ..AssistantMessage::default()
            },
            stop: ReplyStop::Finished,
            usage: None,
            request_id: None,
            charged: None,
        };
        for fact in engine::replied(&self.state, replied) {
            self.put(fact);
        }
    }
}
