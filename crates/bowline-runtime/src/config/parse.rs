//! Reads one configuration file into entries that know where they stand.

use bowline_core::Verdict;
pub use bowline_core::configured::ConfigOrigin as Origin;
use bowline_core::configured::Endpoint;
use bowline_core::decision::Layer;
use toml_edit::{Document, Item, Table};

use super::budget::micro_usd;
use super::endpoints;
use super::keys::{self, KeySpec, Kind};
use super::models::{self, ModelEntry};
use super::span::span_ms;
use super::tables::Place;

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text or a choice.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// Rules, each with its line.
    Rules(Vec<(String, Option<u32>)>),
    /// Ports of this machine.
    Ports(Vec<u16>),
    /// Names of environment variables.
    Names(Vec<String>),
    /// Named endpoints.
    Endpoints(Vec<Endpoint>),
    /// What is said of models.
    Models(Vec<ModelEntry>),
}

/// One key set in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which key.
    pub key: &'static KeySpec,
    /// Its value there.
    pub value: Value,
    /// Where.
    pub origin: Origin,
}

/// A configuration file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}. {next}")]
pub struct ConfigError {
    /// `file:line`, or the flag.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub next: String,
}

/// Reads a file's text.
///
/// # Errors
/// [`ConfigError`] at the first thing that is wrong: syntax, unknown key, wrong type, out of range.
pub fn parse(layer: Layer, file: &str, text: &str) -> Result<Vec<Entry>, ConfigError> {
    let line_of = |offset: usize| {
        let newlines = text.as_bytes()[..offset.min(text.len())]
            .iter()
            .filter(|b| **b == b'\n');
        u32::try_from(newlines.count() + 1).unwrap_or(u32::MAX)
    };
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        ConfigError {
            place: format!("{file}:{line}"),
            what: format!("not valid TOML: {}", error.message().replace('\n', " ")),
            next: "Mend that line, or move the file away to go on without it.".to_owned(),
        }
    })?;
    let mut reader = Reader {
        layer,
        file,
        text,
        line_of: &line_of,
        entries: Vec::new(),
    };
    reader.table("", document.as_table())?;
    Ok(reader.entries)
}

/// Reads one value given on the command line.
///
/// # Errors
/// [`ConfigError`] when the value does not fit the key.
pub fn parse_flag(name: &str, flag: &str, text: &str) -> Result<Entry, ConfigError> {
    let place = || flag.to_owned();
    let key = keys::find(name).ok_or_else(|| unknown(name, place()))?;
    let value = match key.kind {
        Kind::Text | Kind::Choice(_) | Kind::Span | Kind::Usd => Value::Text(text.to_owned()),
        Kind::Whole { .. } => Value::Whole(text.parse().map_err(|_| ConfigError {
            place: place(),
            what: format!("`{text}` is not a whole number"),
            next: "Give digits only.".to_owned(),
        })?),
        Kind::Rules => Value::Rules(vec![(text.to_owned(), None)]),
        Kind::Names => {
            let names = text.split(',').map(str::trim).map(str::to_owned);
            Value::Names(names.filter(|name| !name.is_empty()).collect())
        }
        Kind::Ports | Kind::Endpoints | Kind::Models => {
            return Err(ConfigError {
                place: place(),
                what: format!("`{name}` cannot be given as a flag"),
                next: "Set it in the configuration file.".to_owned(),
            });
        }
    };
    check(key, &value, place())?;
    let origin = Origin {
        layer: Layer::CommandLine,
        file: None,
        line: None,
    };
    Ok(Entry { key, value, origin })
}

struct Reader<'a> {
    layer: Layer,
    file: &'a str,
    text: &'a str,
    line_of: &'a dyn Fn(usize) -> u32,
    entries: Vec<Entry>,
}

impl Reader<'_> {
    fn table(&mut self, prefix: &str, table: &Table) -> Result<(), ConfigError> {
        for (name, item) in table.iter() {
            let span = table
                .key(name)
                .and_then(toml_edit::Key::span)
                .or_else(|| item.span());
            let line = span.map(|span| (self.line_of)(span.start));
            let dotted = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}.{name}")
            };
            let key = keys::find(&dotted);
            if let Some(key) = key.filter(|key| key.kind.is_tables()) {
                self.tables(key, item)?;
            } else if let Item::Table(inner) = item {
                self.known_table(&dotted, line)?;
                self.table(&dotted, inner)?;
            } else {
                self.entry(&dotted, item, line)?;
            }
        }
        Ok(())
    }

    /// Reads a list of tables, each an entry of its own with its place.
    fn tables(&mut self, key: &'static KeySpec, item: &Item) -> Result<(), ConfigError> {
        let origin = |span: Option<std::ops::Range<usize>>| Origin {
            layer: self.layer,
            file: Some(self.file.to_owned()),
            line: span.map(|span| (self.line_of)(span.start)),
        };
        let place = Place {
            origin: &origin,
            file_text: self.text,
        };
        let entry = |origin: Origin, value| Entry { key, value, origin };
        if key.kind == Kind::Models {
            let read = models::read(item, &place)?.into_iter();
            let read = read.map(|one| entry(one.origin.clone(), Value::Models(vec![one])));
            self.entries.extend(read);
        } else {
            let read = endpoints::read(item, &place)?.into_iter();
            let read = read.map(|one| entry(one.origin.clone(), Value::Endpoints(vec![one])));
            self.entries.extend(read);
        }
        Ok(())
    }

    fn place(&self, line: Option<u32>) -> String {
        line.map_or_else(
            || self.file.to_owned(),
            |line| format!("{}:{line}", self.file),
        )
    }

    fn known_table(&self, dotted: &str, line: Option<u32>) -> Result<(), ConfigError> {
        let prefix = format!("{dotted}.");
        if keys::KEYS.iter().any(|key| key.name.starts_with(&prefix)) {
            return Ok(());
        }
        Err(unknown(dotted, self.place(line)))
    }

    fn entry(&mut self, dotted: &str, item: &Item, line: Option<u32>) -> Result<(), ConfigError> {
        let key = keys::find(dotted).ok_or_else(|| unknown(dotted, self.place(line)))?;
        let wrong = |expected: &str| ConfigError {
            place: self.place(line),
            what: format!("`{dotted}` must be {expected}, got {}", item.type_name()),
            next: format!("{} `bowline config show` lists every key.", key.help),
        };
        let value = match key.kind {
            Kind::Choice(words) if words.contains(&"true") => {
                let switched = item.as_bool().ok_or_else(|| wrong("true or false"))?;
                Value::Text(switched.to_string())
            }
            Kind::Text | Kind::Choice(_) | Kind::Span => Value::Text(
                item.as_str()
                    .ok_or_else(|| wrong("a text in quotes"))?
                    .to_owned(),
            ),
            Kind::Usd => {
                let is_number = item.is_integer() || item.is_float();
                let spelled = item.span().and_then(|span| self.text.get(span));
                let spelled = item.as_str().or(spelled.filter(|_| is_number));
                let text = spelled.ok_or_else(|| wrong("an amount in dollars"))?;
                Value::Text(text.trim().to_owned())
            }
            Kind::Whole { .. } => {
                let number = item.as_integer().ok_or_else(|| wrong("a whole number"))?;
                Value::Whole(u64::try_from(number).map_err(|_| wrong("zero or more"))?)
            }
            Kind::Rules => {
                let list = item.as_array().ok_or_else(|| wrong("a list of texts"))?;
                let mut rules = Vec::new();
                for rule in list {
                    let text = rule.as_str().ok_or_else(|| wrong("a list of texts"))?;
                    let line = rule.span().map(|span| (self.line_of)(span.start));
                    rules.push((text.to_owned(), line));
                }
                Value::Rules(rules)
            }
            Kind::Names => {
                let list = item.as_array().ok_or_else(|| wrong("a list of names"))?;
                let name = |value: &toml_edit::Value| value.as_str().map(str::to_owned);
                let names = list.iter().map(name).collect::<Option<Vec<_>>>();
                Value::Names(names.ok_or_else(|| wrong("a list of names"))?)
            }
            Kind::Ports => {
                let list = item.as_array().ok_or_else(|| wrong("a list of ports"))?;
                let port = |value: &toml_edit::Value| {
                    let port = value.as_integer().and_then(|port| u16::try_from(port).ok());
                    port.filter(|port| *port > 0)
                };
                let ports = list.iter().map(port).collect::<Option<Vec<_>>>();
                Value::Ports(ports.ok_or_else(|| wrong("a list of ports from 1 to 65535"))?)
            }
            // Read as a whole before.
            Kind::Endpoints | Kind::Models => return Ok(()),
        };
        check(key, &value, self.place(line))?;
        let origin = Origin {
            layer: self.layer,
            file: Some(self.file.to_owned()),
            line,
        };
        self.entries.push(Entry { key, value, origin });
        Ok(())
    }
}

fn unknown(name: &str, place: String) -> ConfigError {
    let next = match keys::nearest(name) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "`bowline config show` lists every key.".to_owned(),
    };
    ConfigError {
        place,
        what: format!("unknown key `{name}`"),
        next,
    }
}

/// What the rules of a key say.
pub(super) fn verdict_of(key: &KeySpec) -> Verdict {
    match key.name {
        "permissions.allow" => Verdict::Allow,
        "permissions.ask" => Verdict::Ask,
        _ => Verdict::Deny,
    }
}

fn check(key: &KeySpec, value: &Value, place: String) -> Result<(), ConfigError> {
    let fault = match (key.kind, value) {
        (Kind::Choice(words), Value::Text(text)) if !words.contains(&text.as_str()) => Some((
            format!("`{text}` is no value of `{}`", key.name),
            format!("Use {}.", words.join(", ")),
        )),
        (Kind::Span, Value::Text(text)) => span_ms(text).err().map(|what| {
            let next = "Use digits and s, m, h or d, such as 12h or 7d, or never.".to_owned();
            (format!("`{}`: {what}", key.name), next)
        }),
        (Kind::Usd, Value::Text(text)) => micro_usd(text).err().map(|what| {
            let next = "Give dollars with at most six decimals, such as 2.50.".to_owned();
            (format!("`{}`: {what}", key.name), next)
        }),
        (Kind::Whole { min, max }, Value::Whole(number)) if !(min..=max).contains(number) => {
            Some((
                format!("`{}` is {number}, out of range", key.name),
                format!("Use {min} to {max}."),
            ))
        }
        (Kind::Text, Value::Text(text)) if key.name == "model" => text
            .parse::<bowline_core::ModelRef>()
            .err()
            .map(|error| (error, "Name the provider first.".to_owned())),
        (Kind::Names, Value::Names(names)) => {
            let is_name = |name: &&String| !name.is_empty() && !name.contains(['=', '\0', ' ']);
            names.iter().find(|name| !is_name(name)).map(|name| {
                let what = format!("`{name}` is no name of a variable");
                (what, "Give names, not values.".to_owned())
            })
        }
        (Kind::Rules, Value::Rules(rules)) => rules.iter().find_map(|(rule, line)| {
            let at = line
                .map(|line| format!(" (line {line})"))
                .unwrap_or_default();
            bowline_policy::Rule::on_command_line(verdict_of(key), rule)
                .err()
                .map(|error| {
                    (
                        format!("rule `{rule}`{at}: {error}"),
                        "Mend or remove it.".to_owned(),
                    )
                })
        }),
        _ => None,
    };
    match fault {
        None => Ok(()),
        Some((what, next)) => Err(ConfigError { place, what, next }),
    }
}
