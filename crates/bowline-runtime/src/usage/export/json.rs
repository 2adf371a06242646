//! Pages of buckets, as the usage interfaces of OpenAI and Anthropic give them: one page, a list of
//! pages, or pages one after the other.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use super::{Billed, Form, NOT_KNOWN, number, time};

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Pages(Vec<Page>),
    Page(Page),
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Bucket>,
    #[serde(default)]
    has_more: Option<bool>,
}

#[derive(Deserialize)]
struct Bucket {
    start_time: Option<u64>,
    end_time: Option<u64>,
    starting_at: Option<String>,
    ending_at: Option<String>,
    #[serde(alias = "result")]
    results: Option<Vec<Used>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Used {
    model: Option<String>,
    api_key_id: Option<String>,
    input_tokens: Option<Count>,
    output_tokens: Option<Count>,
    uncached_input_tokens: Option<Count>,
    cache_read_input_tokens: Option<Count>,
    cache_creation: Option<CacheCreation>,
    cache_creation_input_tokens: Option<Count>,
    cache_creation_5m_input_tokens: Option<Count>,
    cache_creation_1h_input_tokens: Option<Count>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Option<Count>,
    ephemeral_1h_input_tokens: Option<Count>,
}

/// A count; some write it with a point.
#[derive(Clone, Copy)]
struct Count(u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(from)?;
        let count = number::whole(&number.to_string());
        count
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format!("{number} is no count of tokens")))
    }
}

/// Reads pages.
pub(super) fn read(text: &str) -> Result<(Form, Vec<Billed>, bool), String> {
    let mut buckets = Vec::new();
    let mut has_more = false;
    // Read piece by piece: an error then names its place, which a choice between forms would not.
    for document in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        let document = document.map_err(|error| format!("it is no JSON: {error}"))?;
        let pages = match serde_json::from_str(document.get()) {
            Ok(Document::Pages(pages)) => pages,
            Ok(Document::Page(page)) => vec![page],
            Err(_) => {
                let page: Result<Page, _> = serde_json::from_str(document.get());
                let why = page
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                return Err(format!("{NOT_KNOWN} ({why})"));
            }
        };
        for page in pages {
            has_more = page.has_more.unwrap_or_default();
            buckets.extend(page.data);
        }
    }
    let form = form_of(&buckets).ok_or_else(|| NOT_KNOWN.to_owned())?;
    let mut lines = Vec::new();
    for (index, bucket) in buckets.into_iter().enumerate() {
        let place = format!("bucket {}", index + 1);
        let (from_ms, to_ms) = span(&bucket).ok_or_else(|| format!("{place}: it has no time"))?;
        // A bucket without results still says that nothing was used.
        lines.push(Billed {
            place: place.clone(),
            from_ms,
            to_ms,
            ..Billed::default()
        });
        for used in bucket.results.unwrap_or_default() {
            lines.push(billed(used, form, (from_ms, to_ms), &place)?);
        }
    }
    Ok((form, lines, has_more))
}

fn form_of(buckets: &[Bucket]) -> Option<Form> {
    let first = buckets.first()?;
    if first.start_time.is_some() {
        Some(Form::OpenaiBuckets)
    } else if first.starting_at.is_some() {
        Some(Form::AnthropicBuckets)
    } else {
        None
    }
}

fn span(bucket: &Bucket) -> Option<(u64, u64)> {
    let seconds = |at: Option<u64>| at.and_then(|at| at.checked_mul(1_000));
    let moment = |at: &Option<String>| at.as_ref().and_then(|at| time(at)).map(|(at, _)| at);
    let from_ms = seconds(bucket.start_time).or_else(|| moment(&bucket.starting_at))?;
    let to_ms = seconds(bucket.end_time).or_else(|| moment(&bucket.ending_at))?;
    Some((from_ms, to_ms))
}

fn billed(used: Used, form: Form, span: (u64, u64), place: &str) -> Result<Billed, String> {
    let cache = used.cache_creation.unwrap_or_default();
    let written = [
        cache.ephemeral_5m_input_tokens,
        cache.ephemeral_1h_input_tokens,
        used.cache_creation_5m_input_tokens,
        used.cache_creation_1h_input_tokens,
        used.cache_creation_input_tokens,
    ];
    let input = match form {
        Form::AnthropicBuckets => used.uncached_input_tokens,
        _ => used.input_tokens,
    };
    let (Some(input), Some(output)) = (input, used.output_tokens) else {
        return Err(format!(
            "{place}: it counts no tokens: export the usage, not the costs"
        ));
    };
    let extra = match form {
        Form::AnthropicBuckets => written.into_iter().chain([used.cache_read_input_tokens]),
        // Here they are part of the input.
        _ => [None; 5].into_iter().chain([None]),
    };
    let extra = extra.flatten();
    Ok(Billed {
        place: place.to_owned(),
        from_ms: span.0,
        to_ms: span.1,
        model: used.model.filter(|model| !model.is_empty()),
        input_tokens: extra.fold(input.0, |sum, more| sum.saturating_add(more.0)),
        output_tokens: output.0,
        cost_micro_usd: None,
        request_id: None,
        key: used.api_key_id,
    })
}
