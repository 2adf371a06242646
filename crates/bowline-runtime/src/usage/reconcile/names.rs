//! Which names mean the same model, and whose calls are compared.

use std::collections::BTreeMap;

use bowline_journal::UsageRow;

use super::super::export::Form;

/// Families of models. A provider bills under the dated name that an alias stands for.
pub(super) struct Names {
    /// The family of each of our models, by its whole name.
    ours: BTreeMap<String, String>,
    /// Whether every model counts as one.
    about_all: bool,
}

impl Names {
    pub(super) fn of(rows: &[UsageRow], about_all: bool) -> Self {
        let family_of = |row: &UsageRow| {
            let name = row.model.split_once('/').map_or(&*row.model, |it| it.1);
            (row.model.to_lowercase(), family(name))
        };
        Self {
            ours: rows.iter().map(family_of).collect(),
            about_all,
        }
    }

    /// The family of one of our models, as provider/model.
    pub(super) fn ours(&self, model: &str) -> String {
        self.theirs(model)
    }

    /// The family of a model as an export names it.
    pub(super) fn theirs(&self, model: &str) -> String {
        if self.about_all {
            return String::new();
        }
        let known = self.ours.get(&model.to_lowercase());
        known.cloned().unwrap_or_else(|| family(model))
    }
}

/// A model's name without what tells its versions apart: a date at its end, or a word for the
/// newest one.
fn family(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let name = name.strip_suffix("-latest").unwrap_or(&name);
    let name = without_date(name);
    name.strip_suffix("-0").unwrap_or(name).to_owned()
}

fn without_date(name: &str) -> &str {
    let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    if let Some((rest, date)) = name.rsplit_once('-')
        && date.len() == 8
        && digits(date)
    {
        return rest;
    }
    let mut parts = name.rsplitn(4, '-');
    let (day, month, year, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    match (rest, year, month, day) {
        (Some(rest), Some(year), Some(month), Some(day))
            if [year.len(), month.len(), day.len()] == [4, 2, 2]
                && [year, month, day].iter().all(|part| digits(part)) =>
        {
            rest
        }
        _ => name,
    }
}

/// Whether a call is of one of these providers, or of those that a form is about.
pub(super) fn is_of(row: &UsageRow, form: Form, providers: &[String]) -> bool {
    let provider = row.model.split_once('/').map_or("", |it| it.0);
    if providers.is_empty() {
        let known = form.providers();
        return known.is_empty() || known.contains(&provider);
    }
    providers.iter().any(|wanted| wanted == provider)
}
