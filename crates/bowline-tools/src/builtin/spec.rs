//! How a built-in tool's description is put together.

use bowline_core::spec::{ActionKind, ToolLimits};
use bowline_core::{ReplayClass, Risk, Tier, ToolSpec};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::INPUT_BYTES_MAX;

/// What a tool says of itself beside its input.
pub(super) struct About {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) risk: Risk,
    pub(super) replay_ceiling: ReplayClass,
    pub(super) actions: &'static [ActionKind],
    pub(super) timeout_ms: Option<u64>,
    /// Fields of the result beside `status`, `text` and `summary`.
    pub(super) result: &'static [(&'static str, &'static str)],
}

impl About {
    /// Describes the tool whose input is `I`.
    pub(super) fn spec<I: JsonSchema>(self) -> ToolSpec {
        ToolSpec {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            description: self.description.to_owned(),
            input_schema: input_schema::<I>(),
            output_schema: output_schema(self.result),
            risk: self.risk,
            tier: Tier::BuiltIn,
            replay_ceiling: self.replay_ceiling,
            actions: self.actions.to_vec(),
            limits: ToolLimits {
                timeout_ms: self.timeout_ms,
                result_bytes: bowline_core::context::caps::TOOL_RESULT_BYTES as u64,
                input_bytes: INPUT_BYTES_MAX,
            },
            origin: "bowline".to_owned(),
        }
    }
}

/// The schema of `I` without what only costs tokens.
fn input_schema<I: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<I>()
        .to_value();
    strip(&mut schema, Names::Keywords);
    schema
}

/// Whether the keys of an object are keywords of JSON Schema or names of properties.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Keywords,
    Properties,
}

/// Removes titles, number formats and nulls: an optional key may be left out, that is enough.
fn strip(schema: &mut Value, names: Names) {
    let Value::Object(map) = schema else {
        if let Value::Array(items) = schema {
            items
                .iter_mut()
                .for_each(|item| strip(item, Names::Keywords));
        }
        return;
    };
    if names == Names::Keywords {
        strip_keywords(map);
    }
    for (key, value) in map.iter_mut() {
        let inner = match (names, key.as_str()) {
            (Names::Keywords, "properties") => Names::Properties,
            (Names::Keywords, "enum" | "required" | "const" | "default") => continue,
            _ => Names::Keywords,
        };
        strip(value, inner);
    }
}

fn strip_keywords(map: &mut Map<String, Value>) {
    for keyword in ["title", "format"] {
        map.remove(keyword);
    }
    if map.get("default") == Some(&Value::Null) {
        map.remove("default");
    }
    if map.get("additionalProperties") == Some(&json!(true)) {
        map.remove("additionalProperties");
    }
    if map.get("minimum") == Some(&json!(0)) {
        map.remove("minimum");
    }
    if let Some(Value::Array(kinds)) = map.get("type")
        && let [kind, Value::String(null)] = kinds.as_slice()
        && null == "null"
    {
        let kind = kind.clone();
        map.insert("type".to_owned(), kind);
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    // Option<Enum> comes as a choice between the enum and null.
    if let Some(Value::Array(choices)) = map.get("anyOf")
        && let [Value::Object(choice), null] = choices.as_slice()
        && null == &json!({"type": "null"})
    {
        let choice = choice.clone();
        map.remove("anyOf");
        map.extend(choice);
    }
}

fn output_schema(fields: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    let basic = [
        ("status", "string", "`ok` or `error`"),
        ("text", "string", "what the model reads"),
        ("summary", "string", "one line for people"),
    ];
    for (name, kind, description) in basic {
        properties.insert(
            name.to_owned(),
            json!({"type": kind, "description": description}),
        );
    }
    for (name, kind) in fields {
        properties.insert((*name).to_owned(), json!({"type": kind}));
    }
    json!({"type": "object", "properties": properties, "required": ["status", "text", "summary"]})
}
