//! Ways to break the recorded request, each with the kind it must be refused with.

use serde_json::{Value, json};

use super::{Kind, result};

/// Name, kind it is refused with, and what it does to the recorded request.
type Mutation = (&'static str, Kind, fn(&mut Value));

fn messages(body: &mut Value) -> &mut Vec<Value> {
    body["messages"].as_array_mut().unwrap()
}

fn swap_ids(body: &mut Value, left: usize, right: usize) {
    let id = body["messages"][left]["tool_call_id"].take();
    body["messages"][left]["tool_call_id"] = body["messages"][right]["tool_call_id"].take();
    body["messages"][right]["tool_call_id"] = id;
}

/// What may be wrong with the messages.
pub(super) const HISTORY: [Mutation; 47] = [
    ("drop a result", Kind::UnansweredCall, |b| {
        drop(messages(b).remove(4))
    }),
    ("drop the last result", Kind::UnansweredCall, |b| {
        drop(messages(b).pop())
    }),
    ("duplicate a result", Kind::DuplicateResult, |b| {
        let copy = messages(b)[3].clone();
        messages(b).insert(5, copy);
    }),
    ("swap ids of parallel results", Kind::EditedResult, |b| {
        swap_ids(b, 3, 4)
    }),
    ("swap ids over messages", Kind::UnknownResultId, |b| {
        swap_ids(b, 3, 8)
    }),
    ("orphan result", Kind::OrphanResult, |b| {
        messages(b).insert(10, result("a", "x"))
    }),
    ("result first", Kind::OrphanResult, |b| {
        messages(b).insert(1, result("a", "x"))
    }),
    ("result without id", Kind::MissingResultId, |b| {
        b["messages"][3]["tool_call_id"] = json!("")
    }),
    ("unknown role", Kind::UnknownRole, |b| {
        b["messages"][3]["role"] = json!("function")
    }),
    ("no role", Kind::BadMessage, |b| {
        drop(b["messages"][1].as_object_mut().unwrap().remove("role"))
    }),
    ("user between call and result", Kind::MessageBetween, |b| {
        let user = messages(b).remove(6);
        messages(b).insert(4, user);
    }),
    ("user instead of result", Kind::UnansweredCall, |b| {
        b["messages"][8] = json!({"role": "user", "content": "not JSON"});
    }),
    ("empty call id", Kind::EmptyCallId, |b| {
        b["messages"][2]["tool_calls"][0]["id"] = json!("")
    }),
    ("null call id", Kind::EmptyCallId, |b| {
        b["messages"][2]["tool_calls"][0]["id"] = Value::Null
    }),
    ("duplicate call ids", Kind::DuplicateCallId, |b| {
        b["messages"][2]["tool_calls"][1]["id"] = json!("a");
    }),
    ("undeclared tool", Kind::UnknownTool, |b| {
        b["messages"][2]["tool_calls"][0]["function"]["name"] = json!("grepp");
    }),
    ("bad tool name", Kind::BadToolName, |b| {
        b["messages"][2]["tool_calls"][0]["function"]["name"] = json!("my grep");
    }),
    ("object arguments", Kind::ArgumentsNotText, |b| {
        b["messages"][2]["tool_calls"][0]["function"]["arguments"] = json!({"pattern": "fn"});
    }),
    ("no arguments", Kind::ArgumentsNotText, |b| {
        b["messages"][2]["tool_calls"][0]["function"] = json!({"name": "grep"});
    }),
    ("no call type", Kind::BadCallType, |b| {
        drop(
            b["messages"][2]["tool_calls"][0]
                .as_object_mut()
                .unwrap()
                .remove("type"),
        );
    }),
    ("call without function", Kind::BadCall, |b| {
        b["messages"][2]["tool_calls"][0] = json!({"id": "a", "type": "function"});
    }),
    (
        "stream index left in a call",
        Kind::UnknownMessageKey,
        |b| {
            b["messages"][2]["tool_calls"][0]["index"] = json!(0);
        },
    ),
    ("no calls listed", Kind::EmptyToolCalls, |b| {
        b["messages"][9]["tool_calls"] = json!([])
    }),
    ("empty assistant", Kind::EmptyAssistant, |b| {
        b["messages"][9]["content"] = json!("")
    }),
    ("assistant without content", Kind::EmptyAssistant, |b| {
        b["messages"][9] = json!({"role": "assistant"});
    }),
    ("null content without calls", Kind::NullContent, |b| {
        b["messages"][9]["content"] = Value::Null
    }),
    ("null user content", Kind::BadContent, |b| {
        b["messages"][1]["content"] = Value::Null
    }),
    ("object result", Kind::BadContent, |b| {
        b["messages"][3]["content"] = json!({"x": 1})
    }),
    ("untyped part", Kind::BadPart, |b| {
        b["messages"][6]["content"] = json!([{"text": "x"}])
    }),
    ("image in a result", Kind::BadPart, |b| {
        b["messages"][3]["content"] = json!([{"type": "image_url", "image_url": {"url": "x"}}]);
    }),
    ("unknown key in a message", Kind::UnknownMessageKey, |b| {
        b["messages"][1]["id"] = json!("x")
    }),
    ("system in the middle", Kind::SystemInMiddle, |b| {
        messages(b).insert(10, json!({"role": "system", "content": "now in edit mode"}));
    }),
    ("assistant first", Kind::FirstNotUser, |b| {
        drop(messages(b).remove(1))
    }),
    ("system only", Kind::FirstNotUser, |b| {
        messages(b).truncate(1)
    }),
    ("no messages", Kind::NoMessages, |b| messages(b).clear()),
    (
        "lost assistant message and its results",
        Kind::LostAssistant,
        |b| {
            drop(messages(b).drain(2..6));
        },
    ),
    ("lost answer text", Kind::LostAssistant, |b| {
        drop(messages(b).remove(9))
    }),
    ("lost last reply", Kind::LostAssistant, |b| {
        messages(b)
            .splice(11.., [json!({"role": "user", "content": "x"})])
            .for_each(drop)
    }),
    ("lost user message", Kind::LostMessage, |b| {
        drop(messages(b).remove(6))
    }),
    ("cut history", Kind::LostMessage, |b| {
        messages(b).truncate(10)
    }),
    ("edited arguments", Kind::EditedArguments, |b| {
        b["messages"][2]["tool_calls"][0]["function"]["arguments"] = json!(r#"{"pattern":"fn"}"#);
    }),
    (
        "edited arguments of the last reply",
        Kind::EditedArguments,
        |b| {
            b["messages"][11]["tool_calls"][0]["function"]["arguments"] = json!("{ }");
        },
    ),
    ("swapped calls", Kind::EditedCalls, |b| {
        b["messages"][11]["tool_calls"]
            .as_array_mut()
            .unwrap()
            .swap(0, 1);
    }),
    ("dropped call and its result", Kind::EditedCalls, |b| {
        b["messages"][11]["tool_calls"]
            .as_array_mut()
            .unwrap()
            .pop();
        messages(b).remove(12);
    }),
    ("edited text", Kind::EditedText, |b| {
        b["messages"][9]["content"] = json!("Done")
    }),
    ("edited old result", Kind::EditedResult, |b| {
        b["messages"][3]["content"] = json!("[cleared]")
    }),
    ("edited system message", Kind::EditedMessage, |b| {
        b["messages"][0]["content"] = json!("You")
    }),
];

/// What may be wrong with reasoning, parameters and tools.
pub(super) const MORE: [Mutation; 33] = [
    ("edited field of the server", Kind::EditedExtra, |b| {
        b["messages"][11]["provider_specific"] = json!({"signature": ""});
    }),
    ("edited field of a call", Kind::EditedExtra, |b| {
        b["messages"][11]["tool_calls"][0]["extra_content"] = json!("t");
    }),
    ("field moved to another call", Kind::EditedExtra, |b| {
        b["messages"][11]["tool_calls"][1]["extra_content"] = json!({"signature": "t"});
    }),
    ("dropped reasoning", Kind::LostReasoning, |b| {
        drop(
            b["messages"][11]
                .as_object_mut()
                .unwrap()
                .remove("reasoning_content"),
        );
    }),
    ("dropped old reasoning", Kind::LostReasoning, |b| {
        drop(
            b["messages"][2]
                .as_object_mut()
                .unwrap()
                .remove("reasoning_content"),
        );
    }),
    ("edited reasoning", Kind::EditedReasoning, |b| {
        b["messages"][11]["reasoning_content"] = json!("Both.");
    }),
    ("invented assistant", Kind::InventedAssistant, |b| {
        messages(b).push(json!({"role": "assistant", "content": "I am done."}));
    }),
    ("unknown top-level key", Kind::UnknownKey, |b| {
        b["max_output_tokens"] = json!(1)
    }),
    ("unknown stream option", Kind::UnknownKey, |b| {
        b["stream_options"] = json!({"usage": true})
    }),
    ("no model", Kind::MissingModel, |b| {
        drop(b.as_object_mut().unwrap().remove("model"))
    }),
    ("text for a flag", Kind::WrongType, |b| {
        b["stream"] = json!("true")
    }),
    ("text for a number", Kind::WrongType, |b| {
        b["max_completion_tokens"] = json!("4096")
    }),
    ("text for reasoning", Kind::WrongType, |b| {
        b["messages"][2]["reasoning_content"] = json!(["x"])
    }),
    ("no tokens", Kind::OutOfRange, |b| {
        b["max_completion_tokens"] = json!(0)
    }),
    ("negative tokens", Kind::OutOfRange, |b| {
        b["max_tokens"] = json!(-1)
    }),
    ("too hot", Kind::OutOfRange, |b| {
        b["temperature"] = json!(2.5)
    }),
    (
        "stream options without stream",
        Kind::StreamOptionsWithoutStream,
        |b| b["stream"] = json!(false),
    ),
    ("NUL in a result", Kind::NulCharacter, |b| {
        b["messages"][3]["content"] = json!("a\0b")
    }),
    ("empty tools", Kind::EmptyTools, |b| b["tools"] = json!([])),
    ("tools as an object", Kind::WrongType, |b| {
        b["tools"] = json!({})
    }),
    ("no tools for a choice", Kind::ToolsMissing, |b| {
        drop(b.as_object_mut().unwrap().remove("tools"));
    }),
    ("unknown choice", Kind::BadToolChoice, |b| {
        b["tool_choice"] = json!("any")
    }),
    ("choice of an undeclared tool", Kind::BadToolChoice, |b| {
        b["tool_choice"] = json!({"type": "function", "function": {"name": "write"}});
    }),
    ("flat tool", Kind::BadTool, |b| {
        b["tools"][0] = json!({"type": "function", "name": "grep"})
    }),
    ("untyped tool", Kind::BadTool, |b| {
        drop(b["tools"][0].as_object_mut().unwrap().remove("type"));
    }),
    ("key of another API in a tool", Kind::BadTool, |b| {
        b["tools"][0]["input_schema"] = json!({})
    }),
    ("tool named with a dot", Kind::BadToolName, |b| {
        b["tools"][0]["function"]["name"] = json!("fs.grep");
    }),
    ("tool name of 65 letters", Kind::BadToolName, |b| {
        b["tools"][0]["function"]["name"] = json!("a".repeat(65));
    }),
    ("two tools of one name", Kind::DuplicateTool, |b| {
        b["tools"][0]["function"]["name"] = json!("read");
    }),
    ("schema that is no object", Kind::BadToolSchema, |b| {
        b["tools"][0]["function"]["parameters"]["type"] = json!("array");
    }),
    ("schema without properties", Kind::BadToolSchema, |b| {
        b["tools"][0]["function"]["parameters"] = json!({"type": "object"});
    }),
    ("no schema", Kind::BadToolSchema, |b| {
        b["tools"][0]["function"] = json!({"name": "grep"})
    }),
    ("no object", Kind::NotAnObject, |b| *b = json!([])),
];
