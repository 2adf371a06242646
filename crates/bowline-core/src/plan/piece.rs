//! The parts that a request is made of, in the order in which they are sent.

use serde::Serialize;

use super::BlockHash;
use super::block::BlockKind;
use crate::message::{Exchange, HistoryItem, Input, ToolCall, ToolResult};
use crate::request::{FrozenPrompt, Request, ToolDeclaration};

/// What stands around the words of a tool in most dialects, in bytes.
const AROUND_TOOL_BYTES: u64 = 64;

/// One block of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// The system text.
    System(&'a str),
    /// A tool.
    Tool(&'a ToolDeclaration),
    /// Words: of a person, a file, the harness.
    Words(&'a Input),
    /// What the model said and called.
    Reply(&'a Exchange),
    /// The result of one of its calls, from 0.
    Result(&'a Exchange, usize),
}

/// Every block of a request.
pub(super) fn of_request(request: &Request) -> impl Iterator<Item = Piece<'_>> {
    let history = request.history.iter().flat_map(|item| of_item(item));
    of_head(&request.prompt).chain(history)
}

/// The system text, and each tool.
pub(super) fn of_head(prompt: &FrozenPrompt) -> impl Iterator<Item = Piece<'_>> {
    std::iter::once(Piece::System(&prompt.system)).chain(prompt.tools.iter().map(Piece::Tool))
}

/// The blocks of one item of the conversation.
pub(super) fn of_item(item: &HistoryItem) -> impl Iterator<Item = Piece<'_>> {
    let (words, exchange) = match item {
        HistoryItem::Input(input) => (Some(Piece::Words(input)), None),
        HistoryItem::Exchange(exchange) => (None, Some(exchange)),
    };
    let exchange = exchange.into_iter().flat_map(|exchange| {
        let results = (0..exchange.results().len()).map(|at| Piece::Result(exchange, at));
        std::iter::once(Piece::Reply(exchange)).chain(results)
    });
    words.into_iter().chain(exchange)
}

impl<'a> Piece<'a> {
    /// Everything of it that its telling hangs on.
    pub(super) fn hash(self) -> BlockHash {
        match self {
            Self::System(text) => BlockHash::of(text.as_bytes()),
            Self::Tool(tool) => of_value(tool),
            Self::Words(input) => of_value(input),
            Self::Reply(exchange) => of_value(exchange.message()),
            Self::Result(exchange, at) => of_value(&exchange.results().get(at)),
        }
    }

    /// About how many bytes it adds to a request.
    pub(super) fn weight_bytes(self) -> u64 {
        match self {
            Self::System(_) | Self::Result(..) => self.bytes(),
            Self::Tool(_) => self.bytes() + AROUND_TOOL_BYTES,
            Self::Words(input) => input.weight_bytes(),
            Self::Reply(exchange) => exchange.message().weight_bytes(),
        }
    }

    /// The bytes of its text, of what is said of images nothing.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::System(text) => text.len() as u64,
            Self::Tool(tool) => {
                let schema = tool.input_schema.to_string().len();
                (tool.name.len() + tool.description.len() + schema) as u64
            }
            Self::Words(input) => input.text.text().len() as u64,
            Self::Reply(exchange) => exchange.message().text_bytes(),
            Self::Result(..) => self
                .result()
                .map_or(0, |(_, result)| result.content.text().len() as u64),
        }
    }

    /// The call and the result that it is.
    pub(super) fn result(self) -> Option<(&'a ToolCall, &'a ToolResult)> {
        let Self::Result(exchange, at) = self else {
            return None;
        };
        Some((
            exchange.message().calls().nth(at)?,
            exchange.results().get(at)?,
        ))
    }

    /// Block and field, as a prefix break names them.
    pub(super) fn named(self) -> (String, String) {
        let of = |block: &str, field: &str| (block.to_owned(), field.to_owned());
        match self {
            Self::System(_) => of("system", "text"),
            Self::Tool(tool) => (format!("tool {}", tool.name), "text".to_owned()),
            Self::Words(input) => of(BlockKind::of_words(input).name(), "text"),
            Self::Reply(exchange) => (of_step(exchange), "reply".to_owned()),
            Self::Result(exchange, at) => {
                let tool = self.result().map_or("", |(call, _)| &call.name);
                (of_step(exchange), format!("result {} of {tool}", at + 1))
            }
        }
    }
}

fn of_step(exchange: &Exchange) -> String {
    format!("exchange of step {}", exchange.step().0)
}

fn of_value<T: Serialize>(part: &T) -> BlockHash {
    // Writing plain data into memory cannot fail; if it did, the block would seem to have changed.
    BlockHash::of(&serde_json::to_vec(part).unwrap_or_default())
}
