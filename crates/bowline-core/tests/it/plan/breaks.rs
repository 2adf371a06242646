//! Each way in which a prefix breaks: the block and field that are named, the cause, the price.

use std::sync::Arc;

use bowline_core::command::{Ask, Command};
use bowline_core::event::{BreakCause, ModelReplied, PrefixBroken, ReplyStop, TurnStarted};
use bowline_core::message::{InputRole, ToolResult};
use bowline_core::plan::{BlockHash, BodyPrefix, Hashes, broken, to_record};
use bowline_core::price::Rates;
use bowline_core::request::ToolDeclaration;
use bowline_core::{
    AssistantMessage, AttemptId, Block, ContextText, Event, Exchange, Fact, HistoryItem, Input,
    ModelFacts, Origin, Price, Request, SessionId, Settings, State, Usage, accept, apply, engine,
};
use serde_json::json;
use uuid::Uuid;

use crate::world::started;

/// A session that has had one step, at a provider that charges for what it puts into its cache.
struct Asked {
    state: State,
    keys: u32,
}

const READ: u64 = 300_000;
const PUT: u64 = 3_750_000;

impl Asked {
    fn new() -> Self {
        let mut begun = started(SessionId::from_uuid(Uuid::from_u128(1)), None);
        let tool = |name: &str| ToolDeclaration {
            name: name.to_owned(),
            description: format!("What {name} does."),
            input_schema: json!({"type": "object"}),
        };
        begun.prompt.tools = vec![tool("read"), tool("grep"), tool("edit")];
        begun.settings.model_facts = Some(Box::new(ModelFacts {
            price: Some(Price {
                rates: Rates {
                    input_micro_usd_per_mtok: 3_000_000,
                    output_micro_usd_per_mtok: 15_000_000,
                    cache_read_micro_usd_per_mtok: READ,
                    cache_write_micro_usd_per_mtok: PUT,
                },
                long: None,
            }),
            ..ModelFacts::default()
        }));
        let mut asked = Self {
            state: State::new(),
            keys: 0,
        };
        asked.put(Fact::SessionStarted(Box::new(begun)));
        asked.give(Ask::Prompt {
            text: ContextText::admit(Origin::Person, "do it".to_owned(), 100, None),
            images: Vec::new(),
            output_schema: None,
            supersede: false,
        });
        let turn = asked.state.last_turn().next();
        asked.put(Fact::TurnStarted(TurnStarted { turn }));
        asked.step();
        asked
    }

    fn put(&mut self, fact: Fact) {
        self.state = apply(std::mem::take(&mut self.state), &Event::new(1, fact));
        assert_eq!(self.state.misfits(), 0);
    }

    fn give(&mut self, ask: Ask) {
        self.keys += 1;
        let key = format!("k{}", self.keys);
        let command = Command {
            key,
            at_ms: None,
            ask,
        };
        for fact in accept(&self.state, command).unwrap() {
            self.put(fact);
        }
    }

    /// Asks the model, who says something.
    fn step(&mut self) {
        let attempt = AttemptId::from_uuid(Uuid::from_u128(u128::from(self.state.steps()) + 9));
        let fact = engine::reserve(&self.state, engine::NewAsk::of(attempt)).unwrap();
        let Fact::AttemptReserved(reserved) = fact else {
            unreachable!("a reservation");
        };
        let mut hashes = Hashes::default();
        hashes.take_in(&self.state.next_request().unwrap());
        let body = BodyPrefix {
            bytes: 7,
            hash: BlockHash::of(b"1234567"),
        };
        let sent = to_record(self.state.sent(), &hashes, Some(body));
        self.put(Fact::AttemptReserved(reserved.with_sent(sent)));
        self.put(Fact::ModelReplied(Box::new(ModelReplied {
            attempt,
            message: AssistantMessage {
                blocks: vec![Block::Text {
                    text: "said".to_owned(),
                }],
                ..AssistantMessage::default()
            },
            stop: ReplyStop::Finished,
            usage: Some(Usage {
                input_tokens: 1_000,
                cached_input_tokens: 600,
                cache_write_tokens: 300,
                output_tokens: 5,
                reasoning_tokens: 0,
            }),
            request_id: None,
            charged: None,
        })));
    }

    fn next(&self) -> Request {
        let mut request = self.state.next_request().unwrap();
        let words = ContextText::notice("more");
        let words = Input::new(words, InputRole::Words);
        request.history.push(Arc::new(HistoryItem::Input(words)));
        request
    }

    fn broken(&self, request: &Request, begins_alike: Option<bool>) -> Option<PrefixBroken> {
        let mut hashes = Hashes::default();
        hashes.take_in(request);
        broken(&self.state, request, &hashes, begins_alike)
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Request), expect: (&str, &str, u32)) {
    let asked = Asked::new();
    let mut request = asked.next();
    change(&mut request);
    let broken = asked.broken(&request, Some(true)).expect("it broke");
    let found = (
        broken.block.as_str(),
        broken.field.as_str(),
        broken.at_block,
    );
    assert_eq!(found, expect);
    assert_eq!(broken.cause, BreakCause::Unexplained);
    let lost = broken.lost_tokens;
    assert_eq!(broken.cost_micro_usd, lost * (PUT - READ) / 1_000_000);
}

fn tools(request: &mut Request) -> &mut Vec<ToolDeclaration> {
    &mut Arc::make_mut(&mut request.prompt).tools
}

#[test]
fn what_goes_on_breaks_nothing() {
    let asked = Asked::new();
    assert_eq!(asked.broken(&asked.next(), Some(true)), None);
    assert_eq!(
        asked.broken(&asked.next(), None),
        None,
        "nobody looked at bytes"
    );
}

#[test]
fn a_break_without_a_fact_names_block_and_field() {
    check(
        |r| Arc::make_mut(&mut r.prompt).system.push('!'),
        ("system", "text", 0),
    );
    check(
        |r| tools(r)[1].description.push('!'),
        ("tool grep", "description", 2),
    );
    check(
        |r| tools(r)[2].input_schema = json!({}),
        ("tool edit", "input_schema", 3),
    );
    check(|r| drop(tools(r).remove(0)), ("tool read", "removed", 1));
    check(|r| drop(tools(r).pop()), ("tool edit", "removed", 3));
    check(
        |r| {
            let more = ToolDeclaration {
                name: "more".to_owned(),
                ..tools(r)[0].clone()
            };
            tools(r).push(more);
        },
        ("tool more", "added", 4),
    );
    check(|r| tools(r).swap(0, 1), ("tool read", "order", 1));
    check(
        |r| {
            let words = ContextText::admit(Origin::Person, "do that".to_owned(), 100, None);
            r.history[0] = Arc::new(HistoryItem::Input(words.into()));
        },
        ("prompt", "text", 4),
    );
    check(
        |r| {
            let message = AssistantMessage {
                blocks: vec![Block::Text {
                    text: "said otherwise".to_owned(),
                }],
                ..AssistantMessage::default()
            };
            let results: Vec<ToolResult> = Vec::new();
            let step = bowline_core::StepId(1);
            let exchange = Exchange::new(step, message, results).unwrap();
            // The reply was not sent yet; the words before it were.
            r.history[0] = Arc::new(HistoryItem::Exchange(exchange));
        },
        ("exchange of step 1", "reply", 4),
    );
    check(|r| r.history.clear(), ("conversation", "end", 4));
    check(
        |r| r.reasoning = Some("low".parse().unwrap()),
        ("settings", "reasoning", 4),
    );
}

#[test]
fn what_stands_before_the_break_is_not_lost() {
    let asked = Asked::new();
    let of = |change: fn(&mut Request)| {
        let mut request = asked.next();
        change(&mut request);
        asked.broken(&request, None).unwrap().lost_tokens
    };
    let first = of(|r| Arc::make_mut(&mut r.prompt).system.push('!'));
    let tool = of(|r| tools(r)[2].description.push('!'));
    assert_eq!(first, 900, "all that the cache held");
    assert!(0 < tool && tool < first, "{tool} of {first}");
}

#[test]
fn bytes_that_differ_though_the_plan_does_not_are_unexplained() {
    let asked = Asked::new();
    let broken = asked.broken(&asked.next(), Some(false)).unwrap();
    assert_eq!(
        (broken.block.as_str(), broken.field.as_str()),
        ("body", "bytes")
    );
    assert_eq!(broken.cause, BreakCause::Unexplained);
}

#[test]
fn what_a_fact_changed_has_its_cause() {
    let settings = |asked: &mut Asked, change: fn(&mut Settings)| {
        let mut settings = asked.state.settings().unwrap().clone();
        change(&mut settings);
        asked.give(Ask::Change {
            settings: Box::new(settings),
            by: "test".to_owned(),
        });
    };
    let mut asked = Asked::new();
    settings(&mut asked, |it| it.model = "other/y".parse().unwrap());
    let broken = asked.broken(&asked.next(), None).unwrap();
    assert_eq!(
        (broken.block.as_str(), broken.cause),
        ("model", BreakCause::Model)
    );
    // What is changed back before anything is asked breaks nothing.
    settings(&mut asked, |it| it.model = "scripted/x".parse().unwrap());
    assert_eq!(asked.broken(&asked.next(), None), None);

    let mut asked = Asked::new();
    settings(&mut asked, |it| {
        it.reasoning = Some("high".parse().unwrap())
    });
    let broken = asked.broken(&asked.next(), None).unwrap();
    assert_eq!(
        (broken.field.as_str(), broken.cause),
        ("reasoning", BreakCause::Settings)
    );

    let mut asked = Asked::new();
    let mut prompt = asked.state.prompt().unwrap().as_ref().clone();
    prompt.tools[0].description.push('!');
    asked.put(Fact::PromptChanged(Box::new(
        bowline_core::event::PromptChanged {
            prompt,
            why: "test".to_owned(),
            by: "test".to_owned(),
        },
    )));
    let broken = asked.broken(&asked.next(), None).unwrap();
    assert_eq!(
        (broken.block.as_str(), broken.field.as_str()),
        ("tool read", "description")
    );
    assert_eq!(broken.cause, BreakCause::Pool);
}
