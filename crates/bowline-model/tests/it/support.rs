//! What a runtime would do around a provider: reserve, ask, answer the calls, remember.

use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bowline_core::commit::Spendable;
use bowline_core::event::{AttemptReserved, ReplyStop};
use bowline_core::message::ResultKind;
use bowline_core::request::{FrozenPrompt, ToolDeclaration};
use bowline_core::{
    ContextText, Epoch, Event, Exchange, Fact, HistoryItem, Origin, ProviderFailure, Request,
    Reservation, SessionId, StepId, ToolResult,
};
use bowline_journal::{Journal as _, MemoryJournal};
use bowline_model::{
    Delta, Deltas, Dialect, HttpProvider, NewId, Provider, ProviderConfig, Reply, Timeouts,
};
use bowline_testkit::Chunking;
use serde_json::json;
use uuid::Uuid;

/// Version 7 ids.
pub(crate) fn new_id() -> NewId {
    Arc::new(Uuid::now_v7)
}

/// A reservation as a journal would have recorded it.
pub(crate) fn reservation(step: u32, try_number: u32) -> Reservation {
    let reserved: AttemptReserved = serde_json::from_value(json!({
        "attempt": Uuid::now_v7(), "step": step, "try_number": try_number, "epoch": 1,
        "reserved_tokens": 1_000, "max_output_tokens": null,
    }))
    .unwrap();
    let session = SessionId::from_uuid(Uuid::from_u128(5));
    let mut journal = MemoryJournal::new(session, std::env::temp_dir());
    let event = Event::new(0, Fact::AttemptReserved(reserved));
    let append = pin!(journal.append(Epoch(0), vec![event]));
    // In memory there is nothing to wait for.
    let Poll::Ready(receipts) = append.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the memory journal waited");
    };
    match receipts.unwrap().remove(0).spend() {
        Spendable::Attempt(reserved) => Reservation::from(reserved),
        other => panic!("not a reservation: {other:?}"),
    }
}

/// System text and the tools `read` and `grep`.
pub(crate) fn prompt() -> Arc<FrozenPrompt> {
    let tool = |name: &str| ToolDeclaration {
        name: name.to_owned(),
        description: format!("The tool {name}."),
        input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
    };
    Arc::new(FrozenPrompt {
        system: "You are a test.".to_owned(),
        tools: vec![tool("read"), tool("grep")],
    })
}

pub(crate) fn person(text: &str) -> HistoryItem {
    let text = ContextText::admit(Origin::Person, text.to_owned(), 1 << 20, None);
    HistoryItem::Input(text.into())
}

pub(crate) fn request(model: &str, history: Vec<Arc<HistoryItem>>) -> Request {
    Request {
        model: model.parse().unwrap(),
        prompt: prompt(),
        history,
        max_output_tokens: None,
        reasoning: None,
        cache_ttl: bowline_core::CacheTtl::FiveMinutes,
        images: Arc::default(),
    }
}

/// A chat provider with short timeouts.
pub(crate) fn chat(base_url: &str, adjust: impl FnOnce(&mut ProviderConfig)) -> HttpProvider {
    speaker(Dialect::Chat, base_url, adjust)
}

/// A provider of that dialect with short timeouts.
pub(crate) fn speaker(
    dialect: Dialect,
    base_url: &str,
    adjust: impl FnOnce(&mut ProviderConfig),
) -> HttpProvider {
    let mut config = ProviderConfig::new(dialect, base_url, new_id());
    config.timeouts = Timeouts {
        connect: Duration::from_secs(10),
        idle: Duration::from_secs(30),
        ..Timeouts::default()
    };
    adjust(&mut config);
    HttpProvider::new(config).unwrap()
}

/// One session that talks to a provider.
pub(crate) struct Talk {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) request: Request,
    pub(crate) replies: u32,
    pub(crate) failed: u32,
    pub(crate) heard: Arc<Mutex<Vec<Delta>>>,
}

impl Talk {
    pub(crate) fn new(provider: impl Provider + 'static, prompt: &str) -> Self {
        let model = format!("{}/m-1", provider.name());
        Self {
            provider: Arc::new(provider),
            request: request(&model, vec![Arc::new(person(prompt))]),
            replies: 0,
            failed: 0,
            heard: Arc::default(),
        }
    }

    /// Makes one attempt; a reply becomes an exchange whose results are `result of NAME`.
    pub(crate) async fn ask(&mut self) -> Result<Reply, ProviderFailure> {
        let heard = Arc::clone(&self.heard);
        let deltas: Deltas = Arc::new(move |delta| heard.lock().unwrap().push(delta));
        let reservation = reservation(self.replies + 1, self.failed + 1);
        let reply = self
            .provider
            .ask(reservation, self.request.clone(), deltas)
            .await;
        let reply = reply.inspect_err(|_| self.failed += 1)?;
        self.replies += 1;
        self.failed = 0;
        let results = reply.message.calls().map(|call| ToolResult {
            call: call.id,
            kind: ResultKind::Ok,
            content: ContextText::admit(
                Origin::Tool(call.name.clone()),
                format!("result of {}", call.name),
                1 << 10,
                None,
            ),
        });
        let results = results.collect();
        if let Some(exchange) = Exchange::new(StepId(self.replies), reply.message.clone(), results)
        {
            self.request
                .history
                .push(Arc::new(HistoryItem::Exchange(exchange)));
        }
        Ok(reply)
    }

    /// The text heard so far, piece by piece.
    pub(crate) fn heard_text(&self) -> String {
        let heard = self.heard.lock().unwrap();
        let text = heard.iter().filter_map(|delta| match delta {
            Delta::Text(text) => Some(text.as_str()),
            _ => None,
        });
        text.collect()
    }
}

/// How the body of a reply may be split on its way.
pub(crate) const CHUNKINGS: [Chunking; 4] = [
    Chunking::Frames,
    Chunking::EveryByte,
    Chunking::Seeded(7),
    Chunking::Seeded(8),
];

/// Asks the first question of the conversation that every dialect holds, and checks what all of
/// them make of its answer.
pub(crate) async fn first_reply(talk: &mut Talk) -> Reply {
    let first = talk.ask().await.unwrap();
    assert_eq!(first.message.text(), "I look at gr\u{fc}n \u{1F9F5}.");
    assert_eq!(talk.heard_text(), first.message.text());
    assert_eq!(first.message.calls().count(), 3);
    assert_eq!(first.request_id.as_deref(), Some("req_0"));
    assert_eq!(first.usage.map(|usage| usage.input_tokens), Some(1000));
    let begun = |delta: &&Delta| matches!(delta, Delta::CallBegun { .. });
    assert_eq!(talk.heard.lock().unwrap().iter().filter(begun).count(), 3);
    first
}

/// Asks the rest of that conversation: three rounds of calls, a reply that is cut, the last word.
pub(crate) async fn to_the_end(talk: &mut Talk) {
    for _ in 0..3 {
        talk.ask().await.unwrap();
    }
    assert_eq!(talk.ask().await.unwrap().stop, ReplyStop::Length);
    talk.request.history.push(Arc::new(person("go on")));
    assert_eq!(talk.ask().await.unwrap().message.text(), "done");
}
