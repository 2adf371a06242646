//! Ways to break the recorded request, each with the kind it must be refused with.

use serde_json::{Value, json};

use super::{Kind, call, result, text, thought};

/// Name, kind it is refused with, and what it does to the recorded request.
type Mutation = (&'static str, Kind, fn(&mut Value));

fn messages(body: &mut Value) -> &mut Vec<Value> {
    body["messages"].as_array_mut().unwrap()
}

fn content(body: &mut Value, message: usize) -> &mut Vec<Value> {
    body["messages"][message]["content"].as_array_mut().unwrap()
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().unwrap().remove(key);
}

/// What may be wrong with the messages.
pub(super) const HISTORY: [Mutation; 56] = [
    ("drop a result", Kind::UnansweredCall, |b| {
        drop(content(b, 2).remove(1))
    }),
    ("drop the last results", Kind::UnansweredCall, |b| {
        drop(messages(b).pop())
    }),
    ("duplicate a result", Kind::DuplicateResult, |b| {
        let copy = content(b, 2)[0].clone();
        content(b, 2).insert(1, copy);
    }),
    ("swap ids of parallel results", Kind::EditedResult, |b| {
        b["messages"][2]["content"][0]["tool_use_id"] = json!("b");
        b["messages"][2]["content"][1]["tool_use_id"] = json!("a");
    }),
    ("result of another message", Kind::UnknownResultId, |b| {
        b["messages"][4]["content"][0]["tool_use_id"] = json!("a");
    }),
    ("orphan result", Kind::OrphanResult, |b| {
        content(b, 6).insert(0, result("d", "x"));
    }),
    ("result first of all", Kind::OrphanResult, |b| {
        content(b, 0).insert(0, result("a", "x"));
    }),
    ("result without id", Kind::MissingResultId, |b| {
        remove(&mut b["messages"][2]["content"][0], "tool_use_id");
    }),
    ("words before results", Kind::ResultNotFirst, |b| {
        let words = content(b, 2).pop().unwrap();
        content(b, 2).insert(0, words);
    }),
    ("words between results", Kind::ResultNotFirst, |b| {
        let words = content(b, 2).pop().unwrap();
        content(b, 2).insert(1, words);
    }),
    ("words instead of results", Kind::UnansweredCall, |b| {
        b["messages"][4]["content"] = json!([text("not JSON")]);
    }),
    ("result in a reply", Kind::BadPart, |b| {
        content(b, 1).push(result("a", "x"))
    }),
    ("call in a question", Kind::BadPart, |b| {
        content(b, 0).push(call("z", "read", json!({})));
    }),
    ("thought in a question", Kind::BadPart, |b| {
        content(b, 0).push(thought("s"))
    }),
    ("system as a role", Kind::UnknownRole, |b| {
        messages(b).insert(0, json!({"role": "system", "content": "x"}));
    }),
    ("tool as a role", Kind::UnknownRole, |b| {
        b["messages"][2]["role"] = json!("tool");
    }),
    ("no role", Kind::BadMessage, |b| {
        remove(&mut b["messages"][0], "role")
    }),
    ("reply first", Kind::FirstNotUser, |b| {
        drop(messages(b).remove(0))
    }),
    ("two questions in a row", Kind::RolesDoNotAlternate, |b| {
        messages(b).insert(6, json!({"role": "user", "content": "x"}));
    }),
    ("two replies in a row", Kind::RolesDoNotAlternate, |b| {
        drop(messages(b).remove(6))
    }),
    ("no messages", Kind::NoMessages, |b| messages(b).clear()),
    ("messages as text", Kind::NoMessages, |b| {
        b["messages"] = json!("hi")
    }),
    ("empty content", Kind::BadContent, |b| content(b, 5).clear()),
    ("blank content", Kind::BadContent, |b| {
        b["messages"][6]["content"] = json!(" ")
    }),
    ("null content", Kind::BadContent, |b| {
        b["messages"][6]["content"] = Value::Null
    }),
    ("empty text", Kind::BlankText, |b| {
        b["messages"][5]["content"][0]["text"] = json!("")
    }),
    ("blank text", Kind::BlankText, |b| {
        b["messages"][6]["content"][0]["text"] = json!("\n ")
    }),
    ("text without text", Kind::BadPart, |b| {
        remove(&mut b["messages"][6]["content"][0], "text")
    }),
    ("part of another API", Kind::BadPart, |b| {
        b["messages"][0]["content"][1] = json!({"type": "image_url", "image_url": {"url": "x"}});
    }),
    ("image without bytes", Kind::BadImage, |b| {
        b["messages"][0]["content"][1]["source"]["data"] = json!("");
    }),
    ("image of an unknown kind", Kind::BadImage, |b| {
        b["messages"][0]["content"][1]["source"]["media_type"] = json!("image/tiff");
    }),
    ("image as a data URL", Kind::BadImage, |b| {
        b["messages"][0]["content"][1]["source"]["data"] = json!("data:image/png;base64,iVBO");
    }),
    ("error without a word", Kind::BadContent, |b| {
        b["messages"][4]["content"][0]["content"] = json!("");
    }),
    ("object as a result", Kind::BadContent, |b| {
        b["messages"][4]["content"][0]["content"] = json!({"x": 1});
    }),
    ("thought in a result", Kind::BadPart, |b| {
        b["messages"][4]["content"][0]["content"] = json!([thought("s")]);
    }),
    ("text for a flag of a result", Kind::WrongType, |b| {
        b["messages"][4]["content"][0]["is_error"] = json!("true");
    }),
    ("unknown key in a message", Kind::UnknownMessageKey, |b| {
        b["messages"][1]["stop_reason"] = json!("tool_use");
    }),
    ("unknown key in a block", Kind::UnknownMessageKey, |b| {
        b["messages"][1]["content"][2]["index"] = json!(2);
    }),
    ("unknown key in a thought", Kind::UnknownMessageKey, |b| {
        b["messages"][1]["content"][0]["id"] = json!("x");
    }),
    ("empty call id", Kind::BadCallId, |b| {
        b["messages"][1]["content"][2]["id"] = json!("")
    }),
    ("call id with a dot", Kind::BadCallId, |b| {
        b["messages"][1]["content"][2]["id"] = json!("a.b");
    }),
    ("duplicate ids in a message", Kind::DuplicateCallId, |b| {
        b["messages"][1]["content"][3]["id"] = json!("a");
    }),
    ("duplicate ids over messages", Kind::DuplicateCallId, |b| {
        b["messages"][3]["content"][0]["id"] = json!("a");
    }),
    ("undeclared tool", Kind::UnknownTool, |b| {
        b["messages"][1]["content"][2]["name"] = json!("grepp");
    }),
    ("call name with a space", Kind::BadToolName, |b| {
        b["messages"][1]["content"][2]["name"] = json!("my grep");
    }),
    ("arguments as text", Kind::ArgumentsNotObject, |b| {
        b["messages"][1]["content"][2]["input"] = json!("{\"pattern\": \"fn\"}");
    }),
    ("no arguments", Kind::ArgumentsNotObject, |b| {
        remove(&mut b["messages"][1]["content"][2], "input");
    }),
    ("thought without signature", Kind::BadThought, |b| {
        remove(&mut b["messages"][7]["content"][0], "signature");
    }),
    ("thought with an empty signature", Kind::BadThought, |b| {
        b["messages"][7]["content"][0]["signature"] = json!("");
    }),
    ("redacted thought without data", Kind::BadThought, |b| {
        remove(&mut b["messages"][7]["content"][1], "data");
    }),
    ("thought at the end", Kind::ThoughtLast, |b| {
        content(b, 5).push(thought("s"))
    }),
    ("round without a thought", Kind::ThoughtMissing, |b| {
        content(b, 7).drain(..2).for_each(drop);
    }),
    ("words before the thought", Kind::ThoughtMissing, |b| {
        content(b, 7).swap(0, 2);
    }),
    ("white space at the end", Kind::TrailingSpace, |b| {
        messages(b).truncate(6)
    }),
    ("NUL in a result", Kind::NulCharacter, |b| {
        b["messages"][4]["content"][0]["content"] = json!("a\0b");
    }),
    ("no object", Kind::NotAnObject, |b| *b = json!([])),
];

/// What may be wrong with what came back, with parameters and with tools.
pub(super) const MORE: [Mutation; 55] = [
    ("lost exchange", Kind::LostAssistant, |b| {
        messages(b).drain(1..3).for_each(drop)
    }),
    ("lost answer", Kind::LostAssistant, |b| {
        messages(b).drain(5..7).for_each(drop)
    }),
    ("lost last reply", Kind::EditedMessage, |b| {
        messages(b).truncate(7);
        content(b, 6).push(text("x"));
    }),
    ("cut history", Kind::LostAssistant, |b| {
        messages(b).truncate(5)
    }),
    ("invented reply", Kind::InventedAssistant, |b| {
        messages(b).push(json!({"role": "assistant", "content": "I am done."}));
        messages(b).push(json!({"role": "user", "content": "no"}));
    }),
    ("edited arguments", Kind::EditedArguments, |b| {
        b["messages"][1]["content"][2]["input"] = json!({"pattern": "fn "});
    }),
    (
        "emptied arguments of the last reply",
        Kind::EditedArguments,
        |b| {
            b["messages"][7]["content"][3]["input"] = json!({});
        },
    ),
    ("renamed call", Kind::EditedCalls, |b| {
        b["messages"][7]["content"][3]["name"] = json!("grep");
    }),
    ("swapped calls", Kind::EditedCalls, |b| {
        content(b, 7).swap(3, 4)
    }),
    ("dropped call and its result", Kind::EditedCalls, |b| {
        content(b, 7).pop();
        content(b, 8).pop();
    }),
    ("new id", Kind::EditedCalls, |b| {
        b["messages"][7]["content"][4]["id"] = json!("g");
        b["messages"][8]["content"][1]["tool_use_id"] = json!("g");
    }),
    ("edited text", Kind::EditedText, |b| {
        b["messages"][5]["content"][0]["text"] = json!("Done.")
    }),
    ("dropped text", Kind::EditedText, |b| {
        drop(content(b, 7).remove(2))
    }),
    ("edited result", Kind::EditedResult, |b| {
        b["messages"][2]["content"][0]["content"] = json!("[cleared]");
    }),
    ("edited question", Kind::EditedMessage, |b| {
        b["messages"][0]["content"][0]["text"] = json!("fix it");
    }),
    ("dropped image", Kind::EditedMessage, |b| {
        drop(content(b, 0).pop())
    }),
    ("edited thought", Kind::EditedReasoning, |b| {
        b["messages"][7]["content"][0]["thinking"] = json!("Where?");
    }),
    (
        "thought under another signature",
        Kind::EditedReasoning,
        |b| {
            b["messages"][7]["content"][0]["signature"] = json!("s1");
        },
    ),
    ("edited redacted thought", Kind::EditedReasoning, |b| {
        b["messages"][7]["content"][1]["data"] = json!("xy");
    }),
    ("swapped thoughts", Kind::EditedReasoning, |b| {
        content(b, 7).swap(0, 1)
    }),
    ("moved thought", Kind::EditedReasoning, |b| {
        content(b, 7).swap(1, 2)
    }),
    ("dropped redacted thought", Kind::LostReasoning, |b| {
        drop(content(b, 7).remove(1))
    }),
    ("dropped thought", Kind::LostReasoning, |b| {
        drop(content(b, 7).remove(0))
    }),
    ("edited field of a call", Kind::EditedExtra, |b| {
        b["messages"][7]["content"][3]["caller"] = json!({"type": "program"});
    }),
    ("unknown top-level key", Kind::UnknownKey, |b| {
        b["max_completion_tokens"] = json!(1)
    }),
    ("stream options", Kind::UnknownKey, |b| {
        b["stream_options"] = json!({})
    }),
    ("no model", Kind::MissingModel, |b| remove(b, "model")),
    ("no longest reply", Kind::MissingMaxTokens, |b| {
        remove(b, "max_tokens")
    }),
    ("longest reply of nothing", Kind::OutOfRange, |b| {
        b["max_tokens"] = json!(0)
    }),
    ("longest reply as text", Kind::WrongType, |b| {
        b["max_tokens"] = json!("4096")
    }),
    ("too hot", Kind::OutOfRange, |b| {
        b["temperature"] = json!(1.5)
    }),
    ("text for a flag", Kind::WrongType, |b| {
        b["stream"] = json!("true")
    }),
    ("thinking as an effort", Kind::BadThinking, |b| {
        b["thinking"] = json!("low")
    }),
    ("thinking without budget", Kind::BadThinking, |b| {
        b["thinking"] = json!({"type": "enabled"});
    }),
    ("budget without thinking", Kind::BadThinking, |b| {
        b["thinking"] = json!({"type": "disabled", "budget_tokens": 2048});
    }),
    ("budget too small", Kind::BadThinkingBudget, |b| {
        b["thinking"]["budget_tokens"] = json!(1023);
    }),
    ("budget of the whole reply", Kind::BadThinkingBudget, |b| {
        b["thinking"]["budget_tokens"] = json!(4096);
    }),
    ("unknown effort", Kind::OutOfRange, |b| {
        b["output_config"] = json!({"effort": "off"})
    }),
    ("cold thinking", Kind::ThinkingConflict, |b| {
        b["temperature"] = json!(0.5)
    }),
    ("forced tool with thinking", Kind::ThinkingConflict, |b| {
        b["tool_choice"] = json!({"type": "any"});
    }),
    ("choice as text", Kind::BadToolChoice, |b| {
        b["tool_choice"] = json!("auto")
    }),
    ("no tools", Kind::ToolsMissing, |b| remove(b, "tools")),
    ("tools as an object", Kind::WrongType, |b| {
        b["tools"] = json!({})
    }),
    ("tool of another API", Kind::BadTool, |b| {
        b["tools"][0] = json!({"type": "function", "function": {"name": "grep"}});
    }),
    ("key of another API in a tool", Kind::BadTool, |b| {
        b["tools"][0]["parameters"] = json!({})
    }),
    ("tool named with a dot", Kind::BadToolName, |b| {
        b["tools"][0]["name"] = json!("fs.grep")
    }),
    ("two tools of one name", Kind::DuplicateTool, |b| {
        b["tools"][0]["name"] = json!("read")
    }),
    ("no schema", Kind::BadToolSchema, |b| {
        remove(&mut b["tools"][0], "input_schema")
    }),
    ("system as a message", Kind::WrongType, |b| {
        b["system"] = json!({"role": "system"})
    }),
    ("blank system", Kind::BlankText, |b| {
        b["system"][0]["text"] = json!("")
    }),
    ("image in system", Kind::BadPart, |b| {
        b["system"][0]["type"] = json!("image")
    }),
    ("five marks", Kind::TooManyCacheMarks, |b| {
        for at in 0..2 {
            b["tools"][at]["cache_control"] = json!({"type": "ephemeral"});
        }
    }),
    ("mark for a day", Kind::BadCacheMark, |b| {
        b["system"][0]["cache_control"] = json!({"type": "ephemeral", "ttl": "24h"});
    }),
    ("an hour after 5 minutes", Kind::BadCacheMark, |b| {
        let marked = b["messages"].as_array_mut().unwrap();
        let blocks = marked
            .iter_mut()
            .filter_map(|m| m["content"].as_array_mut());
        let mut marks = blocks
            .flatten()
            .filter(|b| b.get("cache_control").is_some());
        marks.next_back().unwrap()["cache_control"]["ttl"] = json!("1h");
    }),
    ("mark on a thought", Kind::BadCacheMark, |b| {
        b["messages"][7]["content"][0]["cache_control"] = json!({"type": "ephemeral"});
    }),
];
