//! Ways to break the recorded request, each with the kind it must be refused with.

use serde_json::{Value, json};

use super::{Kind, call, message, output, person, reasoning};

/// Name, kind it is refused with, and what it does to the recorded request.
type Mutation = (&'static str, Kind, fn(&mut Value));

fn input(body: &mut Value) -> &mut Vec<Value> {
    body["input"].as_array_mut().unwrap()
}

fn remove(value: &mut Value, key: &str) {
    drop(value.as_object_mut().unwrap().shift_remove(key));
}

/// What may be wrong with the items.
pub(super) const HISTORY: [Mutation; 54] = [
    ("drop an output", Kind::UnansweredCall, |b| {
        drop(input(b).remove(6))
    }),
    ("drop the last output", Kind::UnansweredCall, |b| {
        drop(input(b).pop())
    }),
    ("duplicate an output", Kind::DuplicateResult, |b| {
        input(b).insert(6, output("a", "x:1"))
    }),
    ("swap ids of parallel outputs", Kind::EditedResult, |b| {
        b["input"][5]["call_id"] = json!("b");
        b["input"][6]["call_id"] = json!("a");
    }),
    ("orphan output", Kind::OrphanResult, |b| {
        input(b).insert(11, output("z", "x"))
    }),
    ("output before its call", Kind::OrphanResult, |b| {
        input(b).swap(3, 5)
    }),
    ("output first", Kind::OrphanResult, |b| {
        input(b).insert(0, output("a", "x"))
    }),
    ("output without call id", Kind::MissingResultId, |b| {
        remove(&mut b["input"][5], "call_id")
    }),
    ("output as an object", Kind::BadContent, |b| {
        b["input"][5]["output"] = json!({"x": 1})
    }),
    ("no output", Kind::BadContent, |b| {
        remove(&mut b["input"][5], "output")
    }),
    ("output of another role's parts", Kind::BadPart, |b| {
        b["input"][5]["output"] = json!([{"type": "output_text", "text": "x:1"}]);
    }),
    ("content of an output", Kind::UnknownMessageKey, |b| {
        b["input"][5]["content"] = json!("x")
    }),
    ("chat's result", Kind::UnknownRole, |b| {
        b["input"][5] = json!({"role": "tool", "tool_call_id": "a", "content": "x:1"});
    }),
    ("user between call and output", Kind::MessageBetween, |b| {
        let user = input(b).remove(7);
        input(b).insert(5, user);
    }),
    ("user instead of output", Kind::UnansweredCall, |b| {
        b["input"][9] = person("not JSON")
    }),
    ("reasoning between outputs", Kind::MessageBetween, |b| {
        input(b).insert(6, reasoning("rs_9", "?"));
        input(b).insert(7, message("msg_9", "?"));
    }),
    ("duplicate call ids", Kind::DuplicateCallId, |b| {
        b["input"][4]["call_id"] = json!("a")
    }),
    ("call id of an earlier reply", Kind::DuplicateCallId, |b| {
        b["input"][8]["call_id"] = json!("a");
        b["input"][9]["call_id"] = json!("a");
    }),
    ("empty call id", Kind::EmptyCallId, |b| {
        b["input"][3]["call_id"] = json!("")
    }),
    ("no call id", Kind::EmptyCallId, |b| {
        remove(&mut b["input"][3], "call_id")
    }),
    ("call id of 65 letters", Kind::EmptyCallId, |b| {
        b["input"][3]["call_id"] = json!("a".repeat(65));
    }),
    ("undeclared tool", Kind::UnknownTool, |b| {
        b["input"][3]["name"] = json!("grepp")
    }),
    ("bad tool name", Kind::BadToolName, |b| {
        b["input"][3]["name"] = json!("my grep")
    }),
    ("object arguments", Kind::ArgumentsNotText, |b| {
        b["input"][3]["arguments"] = json!({"pattern": "fn"});
    }),
    ("chat's calls in a message", Kind::UnknownMessageKey, |b| {
        b["input"][2]["tool_calls"] = json!([]);
    }),
    (
        "stream index left in a call",
        Kind::UnknownMessageKey,
        |b| {
            b["input"][3]["output_index"] = json!(0);
        },
    ),
    ("call with the id of a message", Kind::BadItemId, |b| {
        b["input"][3]["id"] = json!("msg_a")
    }),
    ("message with a made id", Kind::BadItemId, |b| {
        b["input"][2]["id"] = json!("0199-a")
    }),
    ("reasoning with an empty id", Kind::BadItemId, |b| {
        b["input"][1]["id"] = json!("")
    }),
    ("id with a dot", Kind::BadItemId, |b| {
        b["input"][1]["id"] = json!("rs_0.1")
    }),
    ("two items of one id", Kind::DuplicateItemId, |b| {
        b["input"][10]["id"] = json!("msg_0")
    }),
    ("reference to an item", Kind::ItemNotStored, |b| {
        b["input"][1] = json!({"type": "item_reference", "id": "rs_0"});
    }),
    ("unknown type", Kind::UnknownItemType, |b| {
        b["input"][1]["type"] = json!("thinking")
    }),
    ("no type and no role", Kind::BadItem, |b| {
        remove(&mut b["input"][1], "type")
    }),
    ("text as an item", Kind::BadItem, |b| {
        b["input"][0] = json!("fix the test")
    }),
    ("unknown role", Kind::UnknownRole, |b| {
        b["input"][0]["role"] = json!("model")
    }),
    ("input text from the assistant", Kind::BadPart, |b| {
        b["input"][2]["content"][0]["type"] = json!("input_text");
    }),
    ("chat's text part", Kind::BadPart, |b| {
        b["input"][0]["content"][0]["type"] = json!("text")
    }),
    ("image without data", Kind::BadPart, |b| {
        b["input"][7]["content"][1]["image_url"] = json!("data:image/png;base64,");
    }),
    ("no content", Kind::BadContent, |b| {
        b["input"][0]["content"] = json!([])
    }),
    ("null content", Kind::BadContent, |b| {
        b["input"][0]["content"] = Value::Null
    }),
    ("unknown status", Kind::WrongType, |b| {
        b["input"][2]["status"] = json!("done")
    }),
    ("unknown phase", Kind::WrongType, |b| {
        b["input"][2]["phase"] = json!("final")
    }),
    ("no items", Kind::NoInput, |b| input(b).clear()),
    ("lost reply and its outputs", Kind::LostAssistant, |b| {
        drop(input(b).drain(1..7))
    }),
    ("lost answer", Kind::LostAssistant, |b| {
        drop(input(b).remove(10))
    }),
    ("lost last reply", Kind::LostAssistant, |b| {
        input(b).truncate(12);
        input(b).push(person("x"));
    }),
    ("lost user message", Kind::LostMessage, |b| {
        drop(input(b).remove(7))
    }),
    ("edited text", Kind::EditedText, |b| {
        b["input"][10] = message("msg_1", "Done")
    }),
    ("lost text of the last reply", Kind::EditedText, |b| {
        drop(input(b).remove(13))
    }),
    ("edited arguments", Kind::EditedArguments, |b| {
        b["input"][3]["arguments"] = json!(r#"{"pattern":"fn"}"#);
    }),
    ("dropped call and its output", Kind::EditedCalls, |b| {
        drop(input(b).remove(16));
        drop(input(b).remove(15));
    }),
    ("swapped calls", Kind::EditedCalls, |b| {
        input(b).swap(14, 15)
    }),
    ("edited old output", Kind::EditedResult, |b| {
        b["input"][5]["output"] = json!("[cleared]")
    }),
];

/// What may be wrong with reasoning, parameters and tools.
pub(super) const MORE: [Mutation; 46] = [
    ("edited user message", Kind::EditedMessage, |b| {
        b["input"][0] = person("fix")
    }),
    ("invented message", Kind::InventedAssistant, |b| {
        input(b).push(message("msg_3", "Done."))
    }),
    ("invented call", Kind::InventedItem, |b| {
        input(b).insert(16, call("g", "read", "{}"));
        input(b).push(output("g", "x"));
    }),
    ("edited id of a call", Kind::EditedExtra, |b| {
        b["input"][14]["id"] = json!("fc_x")
    }),
    ("edited field of the server", Kind::EditedExtra, |b| {
        b["input"][14]["provider_specific"] = json!({"signature": ""});
    }),
    ("field moved to another call", Kind::EditedExtra, |b| {
        b["input"][15]["provider_specific"] = json!({"signature": "t"});
    }),
    ("dropped reasoning", Kind::LostReasoning, |b| {
        drop(input(b).remove(12))
    }),
    ("dropped old reasoning", Kind::LostReasoning, |b| {
        drop(input(b).remove(1))
    }),
    ("reasoning after its message", Kind::LostReasoning, |b| {
        input(b).swap(12, 13)
    }),
    ("edited summary", Kind::EditedReasoning, |b| {
        b["input"][12]["summary"][0]["text"] = json!("Both.");
    }),
    ("edited encrypted content", Kind::EditedReasoning, |b| {
        b["input"][12]["encrypted_content"] = json!("gAAA");
    }),
    ("no encrypted content", Kind::MissingEncryptedContent, |b| {
        remove(&mut b["input"][1], "encrypted_content");
    }),
    (
        "null encrypted content",
        Kind::MissingEncryptedContent,
        |b| {
            b["input"][1]["encrypted_content"] = Value::Null;
        },
    ),
    ("reasoning at the end", Kind::ReasoningAlone, |b| {
        input(b).push(reasoning("rs_9", "?"))
    }),
    (
        "reasoning before a user message",
        Kind::ReasoningAlone,
        |b| {
            input(b).insert(11, reasoning("rs_9", "?"));
        },
    ),
    ("no summary", Kind::BadItem, |b| {
        remove(&mut b["input"][1], "summary")
    }),
    ("summary as a text", Kind::BadItem, |b| {
        b["input"][1]["summary"] = json!("hm")
    }),
    ("thinking of another API", Kind::UnknownMessageKey, |b| {
        b["input"][1]["signature"] = json!("x");
    }),
    ("no object", Kind::NotAnObject, |b| *b = json!([])),
    ("NUL in an output", Kind::NulCharacter, |b| {
        b["input"][5]["output"] = json!("a\0b")
    }),
    ("chat's messages", Kind::UnknownKey, |b| {
        b["messages"] = json!([])
    }),
    ("chat's limit", Kind::UnknownKey, |b| {
        b["max_tokens"] = json!(100)
    }),
    ("chat's stream options", Kind::UnknownKey, |b| {
        b["stream_options"] = json!({"include_usage": true});
    }),
    (
        "stream options without stream",
        Kind::StreamOptionsWithoutStream,
        |b| {
            b["stream"] = json!(false);
            b["stream_options"] = json!({"include_obfuscation": false});
        },
    ),
    ("chat's effort", Kind::UnknownKey, |b| {
        b["reasoning_effort"] = json!("high")
    }),
    ("unknown option of reasoning", Kind::UnknownKey, |b| {
        b["reasoning"]["budget"] = json!(100);
    }),
    ("unknown effort", Kind::BadReasoningOption, |b| {
        b["reasoning"]["effort"] = json!("off")
    }),
    ("unknown summary", Kind::BadReasoningOption, |b| {
        b["reasoning"]["summary"] = json!("long")
    }),
    ("unknown include", Kind::BadInclude, |b| {
        b["include"] = json!(["reasoning"])
    }),
    ("include as a text", Kind::WrongType, |b| {
        b["include"] = json!("reasoning.encrypted_content");
    }),
    ("no model", Kind::MissingModel, |b| remove(b, "model")),
    ("text for a flag", Kind::WrongType, |b| {
        b["store"] = json!("false")
    }),
    ("parts as instructions", Kind::WrongType, |b| {
        b["instructions"] = json!([])
    }),
    ("too few tokens", Kind::OutOfRange, |b| {
        b["max_output_tokens"] = json!(15)
    }),
    ("too hot", Kind::OutOfRange, |b| {
        b["temperature"] = json!(2.5)
    }),
    ("reference to a response", Kind::ItemNotStored, |b| {
        b["previous_response_id"] = json!("resp_1");
    }),
    ("tools as an object", Kind::WrongType, |b| {
        b["tools"] = json!({})
    }),
    ("no tools for a choice", Kind::ToolsMissing, |b| {
        remove(b, "tools");
        b["tool_choice"] = json!("required");
    }),
    ("unknown choice", Kind::BadToolChoice, |b| {
        b["tool_choice"] = json!("any")
    }),
    ("chat's choice", Kind::BadToolChoice, |b| {
        b["tool_choice"] = json!({"type": "function", "function": {"name": "read"}});
    }),
    ("chat's tool", Kind::BadTool, |b| {
        b["tools"][0] = json!({"type": "function", "function": {"name": "grep"}});
    }),
    ("untyped tool", Kind::BadTool, |b| {
        remove(&mut b["tools"][0], "type")
    }),
    ("tool named with a dot", Kind::BadToolName, |b| {
        b["tools"][0]["name"] = json!("fs.grep")
    }),
    ("two tools of one name", Kind::DuplicateTool, |b| {
        b["tools"][0]["name"] = json!("read")
    }),
    ("open schema of a strict tool", Kind::BadToolSchema, |b| {
        remove(&mut b["tools"][0], "strict");
    }),
    ("schema that is no object", Kind::BadToolSchema, |b| {
        b["tools"][0]["parameters"]["type"] = json!("array");
    }),
];
