//! Reads a file of permission rules: `[[rule]]` tables, each with what it says, why, until when, and
//! examples that are held against it before it is in force.

use std::ops::Range;

use bowline_core::decision::{Layer, RuleSource};
use bowline_core::{RuleInForce, Tier, Verdict};
use bowline_policy::{Example, Expected, Pattern, Rule, check_example};
use toml_edit::{Array, Datetime, Document, Item, Offset, Table, Value as TomlValue};

use super::parse::{ConfigError, Origin};
use super::tables::{Place, span_of};

/// The list of tables.
const LIST: &str = "rule";

/// The keys of a table.
const FIELDS: [&str; 7] = [
    "allow", "ask", "deny", "reason", "expires", "allows", "denies",
];

/// Most rules in one file.
pub const RULES_MAX: usize = 100_000;

/// The longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1_000;

/// One rule of a file.
#[derive(Debug, Clone)]
pub struct FileRule {
    /// The rule, with its layer, file and line.
    pub rule: Rule,
    /// Why it is there, as its writer says.
    pub reason: Option<String>,
    /// From when on it is out of force, in milliseconds since 1970.
    pub expires_at_ms: Option<u64>,
    /// Which table of the file it stands in, from 0.
    pub table: usize,
    /// The examples that stand beside it under `allows`.
    pub allows: Vec<String>,
    /// Those under `denies`.
    pub denies: Vec<String>,
}

impl From<FileRule> for RuleInForce {
    fn from(one: FileRule) -> Self {
        Self {
            verdict: one.rule.verdict,
            source: one.rule.source,
            reason: one.reason,
            expires_at_ms: one.expires_at_ms,
        }
    }
}

impl FileRule {
    /// Whether it is out of force at `now_ms`.
    #[must_use]
    pub fn is_expired(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_some_and(|expires| now_ms >= expires)
    }
}

/// Reads the rules of a file, in the order written, and holds their examples against them.
///
/// # Errors
/// [`ConfigError`] at the first thing that is wrong: syntax, an unknown key, a rule that cannot be
/// read, a date that is none, an example that does not come out.
pub fn parse_rules(layer: Layer, file: &str, text: &str) -> Result<Vec<FileRule>, ConfigError> {
    parse_at_most(RULES_MAX, layer, file, text)
}

fn parse_at_most(
    most: usize,
    layer: Layer,
    file: &str,
    text: &str,
) -> Result<Vec<FileRule>, ConfigError> {
    let lines = Lines::of(text);
    let origin = |span: Option<Range<usize>>| Origin {
        layer,
        file: Some(file.to_owned()),
        line: span.map(|span| lines.at(span.start)),
    };
    let place = Place {
        origin: &origin,
        file_text: text,
    };
    let document = Document::parse(text).map_err(|error| {
        let what = format!("not valid TOML: {}", error.message().replace('\n', " "));
        let next = "Mend that line, or move the file away to go on without it.";
        place.error(error.span().or(Some(0..0)), what, next)
    })?;
    let root = document.as_table();
    for (name, item) in root.iter() {
        if name != LIST {
            let next = format!("A file of rules holds tables that begin with [[{LIST}]].");
            let span = span_of(root, name).or_else(|| item.span());
            return Err(place.error(span, format!("unknown key `{name}`"), next));
        }
    }
    let Some(item) = root.get(LIST) else {
        return Ok(Vec::new());
    };
    let mut rules = Vec::new();
    for (number, table) in place.tables(item, LIST, "rule")?.iter().enumerate() {
        let reader = Reader {
            place: &place,
            table,
            layer,
        };
        rules.extend(reader.rules(number)?);
        if rules.len() > most {
            let what = format!("it holds more than {most} rules");
            return Err(place.error(table.span(), what, "Join some by a pattern."));
        }
    }
    Ok(rules)
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(newlines.map(|(at, _)| at).collect())
    }

    /// The line of an offset, from 1.
    fn at(&self, offset: usize) -> u32 {
        let before = self.0.partition_point(|newline| *newline < offset);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}

/// Reads one table.
struct Reader<'a> {
    place: &'a Place<'a>,
    table: &'a Table,
    layer: Layer,
}

/// A text with its place in the file.
type Text = (String, Option<Range<usize>>);

impl Reader<'_> {
    fn rules(&self, number: usize) -> Result<Vec<FileRule>, ConfigError> {
        self.place
            .refuse_unknown(self.table, LIST, &FIELDS, "A rule has")?;
        let (verdict, patterns) = self.patterns()?;
        let reason = self.reason()?;
        let expires_at_ms = self.expires()?;
        let mut rules = Vec::with_capacity(patterns.len());
        for (text, span) in patterns {
            rules.push(self.rule(verdict, text, span)?);
        }
        let allows = self.texts("allows")?;
        let denies = self.texts("denies")?;
        self.check(&rules, &allows, Expected::Allowed)?;
        self.check(&rules, &denies, Expected::Denied)?;
        let words = |texts: Vec<Text>| texts.into_iter().map(|(text, _)| text).collect();
        let (allows, denies): (Vec<String>, Vec<String>) = (words(allows), words(denies));
        let rules = rules.into_iter().map(|rule| FileRule {
            rule,
            reason: reason.clone(),
            expires_at_ms,
            table: number,
            allows: allows.clone(),
            denies: denies.clone(),
        });
        Ok(rules.collect())
    }

    fn error(&self, span: Option<Range<usize>>, what: String, next: &str) -> ConfigError {
        let span = span.or_else(|| self.table.span());
        self.place.error(span, what, next)
    }

    /// What the table says, and of what.
    fn patterns(&self) -> Result<(Verdict, Vec<Text>), ConfigError> {
        let verdicts = [
            ("allow", Verdict::Allow),
            ("ask", Verdict::Ask),
            ("deny", Verdict::Deny),
        ];
        let mut said = verdicts
            .iter()
            .filter(|(name, _)| self.table.contains_key(name));
        let next = "Write just one of allow, ask and deny, such as deny = \"git push *\".";
        let Some((name, verdict)) = said.next() else {
            return Err(self.error(None, "the rule says nothing".to_owned(), next));
        };
        if let Some((other, _)) = said.next() {
            let what = format!("the rule says both `{name}` and `{other}`");
            return Err(self.error(span_of(self.table, other), what, next));
        }
        let patterns = self.texts(name)?;
        if patterns.is_empty() {
            let what = format!("`{LIST}.{name}` names nothing");
            return Err(self.error(span_of(self.table, name), what, next));
        }
        Ok((*verdict, patterns))
    }

    fn rule(
        &self,
        verdict: Verdict,
        text: String,
        span: Option<Range<usize>>,
    ) -> Result<Rule, ConfigError> {
        let origin = (self.place.origin)(span.clone());
        let source = RuleSource {
            layer: self.layer,
            tier: Tier::BuiltIn,
            rule: text,
            file: origin.file,
            line: origin.line,
        };
        Rule::parse(verdict, source)
            .map_err(|error| self.error(span, error.to_string(), "Mend or remove it."))
    }

    fn reason(&self) -> Result<Option<String>, ConfigError> {
        let reason = self.place.text(self.table, LIST, "reason")?;
        if let Some(reason) = &reason
            && reason.len() > REASON_BYTES_MAX
        {
            let what = format!("`{LIST}.reason` is longer than {REASON_BYTES_MAX} bytes");
            return Err(self.error(span_of(self.table, "reason"), what, "Say it shorter."));
        }
        Ok(reason)
    }

    fn expires(&self) -> Result<Option<u64>, ConfigError> {
        let Some(item) = self.table.get("expires") else {
            return Ok(None);
        };
        let written = match item.as_value() {
            Some(TomlValue::Datetime(date)) => Some(*date.value()),
            Some(TomlValue::String(text)) => text.value().parse::<Datetime>().ok(),
            _ => None,
        };
        written.and_then(|date| end_of(&date)).map(Some).ok_or_else(|| {
            let what = format!("`{LIST}.expires` is no date");
            let next = "Write the last day it holds, such as 2027-01-31, or the moment it ends, \
                        such as 2027-01-31T12:00:00Z.";
            self.error(span_of(self.table, "expires"), what, next)
        })
    }

    /// A text or a list of texts.
    fn texts(&self, field: &str) -> Result<Vec<Text>, ConfigError> {
        let wrong = |item: &Item| {
            let what = format!(
                "`{LIST}.{field}` must be a text in quotes or a list of such, got {}",
                item.type_name()
            );
            self.error(span_of(self.table, field), what, "Put each in quotes.")
        };
        match self.table.get(field) {
            None => Ok(Vec::new()),
            Some(item) => match item.as_value() {
                Some(TomlValue::String(text)) => Ok(vec![(text.value().clone(), text.span())]),
                Some(TomlValue::Array(list)) => texts_of(list).ok_or_else(|| wrong(item)),
                _ => Err(wrong(item)),
            },
        }
    }

    /// Holds examples against the rules of the table.
    fn check(
        &self,
        rules: &[Rule],
        examples: &[Text],
        expected: Expected,
    ) -> Result<(), ConfigError> {
        let is_spend = |rule: &Rule| matches!(rule.pattern, Pattern::Spend(_));
        if let (Some((_, span)), true) = (examples.first(), rules.iter().any(is_spend)) {
            let what = "a cap on money takes no examples".to_owned();
            return Err(self.error(span.clone(), what, "Take them out."));
        }
        for (text, span) in examples {
            let example = Example::read(text, rules);
            if let Err(instead) = check_example(rules, &example, expected) {
                let rule = rules.first().map_or("", |rule| &rule.source.rule);
                let word = match expected {
                    Expected::Allowed => "allows",
                    Expected::Denied => "denies",
                };
                let what = format!(
                    "the rule `{rule}` is wrong by its own example: `{text}` stands under \
                     `{word}`, and it came to {instead}"
                );
                let next = "Mend the rule or the example.";
                return Err(self.error(span.clone(), what, next));
            }
        }
        Ok(())
    }
}

fn texts_of(list: &Array) -> Option<Vec<Text>> {
    let text = |value: &TomlValue| Some((value.as_str()?.to_owned(), value.span()));
    list.iter().map(text).collect()
}

/// The first moment after what a date names, in milliseconds since 1970. A day ends with its last
/// moment in UTC; a time without an offset is one in UTC.
fn end_of(written: &Datetime) -> Option<u64> {
    let date = written.date?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    let day = jiff::civil::Date::new(i16::try_from(date.year).ok()?, month, day).ok()?;
    let minutes_ahead = match written.offset {
        Some(Offset::Custom { minutes }) => i64::from(minutes),
        _ => 0,
    };
    let moment = match &written.time {
        None => day.tomorrow().ok()?.at(0, 0, 0, 0),
        Some(time) => day.at(
            i8::try_from(time.hour).ok()?,
            i8::try_from(time.minute).ok()?,
            // A leap second is the last one that there is.
            i8::try_from(time.second.unwrap_or(0)).ok()?.min(59),
            0,
        ),
    };
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let moment_ms = moment.timestamp().as_millisecond() - minutes_ahead * 60_000;
    u64::try_from(moment_ms).ok()
}

#[cfg(test)]
mod tests;
