//! One block of a plan: what it is, where it is from, why it is there, what holds its size.

use serde::{Deserialize, Serialize};

use super::BlockHash;
use super::piece::Piece;
use crate::context::{Origin, caps};
use crate::id::StepId;
use crate::message::{Input, InputRole};

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// The system text.
    System,
    /// A tool that may be called.
    Tool,
    /// A file of instructions.
    Instructions,
    /// What a person said.
    Prompt,
    /// What the harness said.
    Notice,
    /// What stands in the place of exchanges that were taken out.
    Summary,
    /// The session's state in words, as of the last compaction.
    State,
    /// What the model said and called in one step.
    Exchange,
    /// What a call gave back.
    Result,
}

impl BlockKind {
    /// Every kind, in the order in which sums are shown.
    pub const ALL: [Self; 9] = [
        Self::System,
        Self::Tool,
        Self::Instructions,
        Self::Prompt,
        Self::Notice,
        Self::Summary,
        Self::State,
        Self::Exchange,
        Self::Result,
    ];

    /// What words of the conversation are.
    #[must_use]
    pub const fn of_words(input: &Input) -> Self {
        match input.role {
            InputRole::Recap => return Self::Summary,
            InputRole::StateCard => return Self::State,
            InputRole::Words => {}
        }
        match input.text.origin() {
            Origin::Person => Self::Prompt,
            Origin::File(_) => Self::Instructions,
            Origin::Harness | Origin::Tool(_) | Origin::Outside { .. } => Self::Notice,
        }
    }

    /// The name in lists and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Tool => "tool",
            Self::Instructions => "instructions",
            Self::Prompt => "prompt",
            Self::Notice => "notice",
            Self::Summary => "summary",
            Self::State => "state",
            Self::Exchange => "exchange",
            Self::Result => "result",
        }
    }
}

/// Whether a provider's cache can hold a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cached {
    /// The provider said that it read this much from its cache.
    Read,
    /// It was sent before, with all that stands before it: the cache can hold it.
    Sent,
    /// It was not sent before in this place.
    New,
}

impl Cached {
    /// The name in lists and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Sent => "sent",
            Self::New => "new",
        }
    }
}

/// One block of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanBlock {
    /// What it is.
    pub kind: BlockKind,
    /// The tool, the file, or the first words of it.
    pub name: String,
    /// The step that it is of, of an exchange and a result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// Who brought it: `bowline`, `person`, `model`, `file AGENTS.md`, `tool read`, or where from
    /// outside.
    pub origin: String,
    /// Bytes of its text.
    pub bytes: u64,
    /// Images that go with it.
    pub images: u32,
    /// About how many tokens it takes: its part, by bytes, of all that the request takes.
    pub tokens: u64,
    /// The hash of everything of it.
    pub hash: BlockHash,
    /// Whether the provider's cache can hold it.
    pub cached: Cached,
    /// Why it is there, in one sentence.
    pub why: String,
    /// The hard cap that holds its text, in bytes; `None` where something else does.
    pub cap_bytes: Option<u64>,
    /// What holds its size, in words.
    pub cap: String,
}

/// Characters of words that name them.
const NAME_CHARS: usize = 60;

impl PlanBlock {
    /// The block of a piece; how many tokens it takes and whether it is cached is not known yet.
    pub(super) fn of(piece: Piece<'_>) -> Self {
        let (cap_bytes, cap) = cap(piece);
        Self {
            kind: kind(piece),
            name: name(piece),
            step: match piece {
                Piece::Reply(exchange) | Piece::Result(exchange, _) => Some(exchange.step()),
                _ => None,
            },
            origin: origin(piece),
            bytes: piece.bytes(),
            images: match piece {
                Piece::Words(input) => u32::try_from(input.images.len()).unwrap_or(u32::MAX),
                _ => 0,
            },
            tokens: 0,
            hash: piece.hash(),
            cached: Cached::New,
            why: why(piece),
            cap_bytes: cap_bytes.map(|bytes| bytes as u64),
            cap: cap.to_owned(),
        }
    }
}

fn kind(piece: Piece<'_>) -> BlockKind {
    match piece {
        Piece::System(_) => BlockKind::System,
        Piece::Tool(_) => BlockKind::Tool,
        Piece::Words(input) => BlockKind::of_words(input),
        Piece::Reply(_) => BlockKind::Exchange,
        Piece::Result(..) => BlockKind::Result,
    }
}

fn name(piece: Piece<'_>) -> String {
    match piece {
        Piece::System(_) => "system text".to_owned(),
        Piece::Tool(tool) => tool.name.clone(),
        Piece::Words(input) => match input.text.origin() {
            Origin::File(path) => path.clone(),
            _ => excerpt(input.text.text()),
        },
        Piece::Reply(exchange) => match excerpt(&exchange.message().text()) {
            said if said.is_empty() => {
                let calls: Vec<&str> = exchange
                    .message()
                    .calls()
                    .map(|call| call.name.as_str())
                    .collect();
                excerpt(&format!("calls {}", calls.join(", ")))
            }
            said => said,
        },
        Piece::Result(..) => piece
            .result()
            .map_or_else(String::new, |(call, _)| call.name.clone()),
    }
}

/// The first words of a text, on one line.
fn excerpt(text: &str) -> String {
    let mut line = text
        .split_whitespace()
        .fold(String::new(), |mut line, word| {
            if line.len() <= NAME_CHARS * 4 {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            line
        });
    if let Some((at, _)) = line.char_indices().nth(NAME_CHARS) {
        line.truncate(at);
        line.push('…');
    }
    line
}

fn origin(piece: Piece<'_>) -> String {
    let origin = match piece {
        Piece::System(_) => return "bowline".to_owned(),
        Piece::Tool(_) => return "bowline".to_owned(),
        Piece::Reply(_) => return "model".to_owned(),
        Piece::Words(input) => input.text.origin(),
        Piece::Result(..) => match piece.result() {
            Some((_, result)) => result.content.origin(),
            None => &Origin::Harness,
        },
    };
    match origin {
        Origin::Person => "person".to_owned(),
        Origin::Harness => "bowline".to_owned(),
        Origin::Tool(tool) => format!("tool {tool}"),
        Origin::File(path) => format!("file {path}"),
        Origin::Outside { tool, from } => format!("{from}, by {tool}"),
    }
}

fn why(piece: Piece<'_>) -> String {
    let text = match piece {
        Piece::System(_) => {
            "Says what the agent is and where it works; frozen when the session began, so that the \
             cache holds it."
        }
        Piece::Tool(_) => "The model may call it; frozen with the system text.",
        Piece::Words(input) => match BlockKind::of_words(input) {
            BlockKind::Prompt => "A person said it.",
            BlockKind::Instructions => "A file of instructions of the project or the user.",
            BlockKind::Summary => "Stands in the place of exchanges that a compaction took out.",
            BlockKind::State => {
                "What must survive a compaction: rules, todo, waits, budget, files read."
            }
            _ => "What changed is told at the end, so that what stands before stays cached.",
        },
        Piece::Reply(_) => "What the model said and called: the next step builds on it.",
        Piece::Result(..) => {
            let result = piece.result();
            let call = result.map_or("", |(call, _)| call.name.as_str());
            return format!("The model called {call}; each call has exactly one result.");
        }
    };
    text.to_owned()
}

/// The hard cap of a piece, in bytes and in words.
const fn cap(piece: Piece<'_>) -> (Option<usize>, &'static str) {
    match piece {
        Piece::System(_) | Piece::Tool(_) => (None, "what was frozen when the session began"),
        Piece::Reply(_) => (None, "the longest reply that budget was set aside for"),
        Piece::Result(..) => (Some(caps::TOOL_RESULT_BYTES), "a tool result"),
        Piece::Words(input) => match BlockKind::of_words(input) {
            BlockKind::Prompt => (Some(caps::PROMPT_BYTES), "a prompt"),
            BlockKind::Instructions => (Some(caps::INSTRUCTIONS_BYTES), "a file of instructions"),
            BlockKind::Summary => (Some(caps::RECAP_BYTES), "a recap"),
            BlockKind::State => (Some(caps::STATE_CARD_BYTES), "a state card"),
            _ => (Some(caps::NOTICE_BYTES), "a notice"),
        },
    }
}
