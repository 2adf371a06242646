//! The figures that risk is reckoned with: the built-in ones, and a person's own over them.

use bowline_core::{ModelPlace, Verdict};
use bowline_policy::{Policy, Rule, keeps};
use toml_edit::{DocumentMut, Item, Table};

/// The built-in figures.
const BUILT_IN: &str = include_str!("figures.toml");

/// A class of content.
#[derive(Debug, Clone, Default)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Globs of its paths, as in rules.
    pub globs: Vec<String>,
    /// So many distinct bytes are a whole breach.
    pub whole_bytes: u64,
    /// What a whole breach costs, in dollars: at least, at most.
    pub cost_usd: [u64; 2],
    /// Where the figures are from.
    pub source: String,
    /// Whether nothing published is behind some of them.
    pub assumption: bool,
    rules: Vec<Rule>,
}

/// A kind of place where content goes.
#[derive(Debug, Clone, Default)]
pub struct Destination {
    /// Its name: `local`, `provider`, `unknown`, or one of your own.
    pub name: String,
    /// The hosts that it is about; none for all of its kind.
    pub hosts: Vec<String>,
    /// How likely what was sent there gets out within a year, in millionths: at least, at most.
    pub likelihood_ppm: [u64; 2],
    /// Where the figures are from.
    pub source: String,
    /// Whether nothing published is behind them.
    pub assumption: bool,
}

/// All figures.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The day that they are from.
    pub date: String,
    /// Classes, the first that fits.
    pub classes: Vec<Class>,
    /// Destinations, the first that fits.
    pub destinations: Vec<Destination>,
}

/// A table of figures that cannot be used: what is wrong, where, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FiguresError(String);

impl Figures {
    /// The built-in figures.
    ///
    /// # Errors
    /// Never for the table that this version was built with.
    pub fn built_in() -> Result<Self, FiguresError> {
        read("the built-in figures", BUILT_IN)
    }

    /// These figures with a person's own over them: a table of the same name takes the place of one
    /// here, a new one comes first. `file` is named in messages.
    ///
    /// # Errors
    /// [`FiguresError`] names the file, the table and what is wrong in it.
    pub fn with(mut self, file: &str, text: &str) -> Result<Self, FiguresError> {
        let own = read(file, text)?;
        if !own.date.is_empty() {
            self.date = format!("{} and {} of {file}", self.date, own.date);
        }
        for class in own.classes.into_iter().rev() {
            match self.classes.iter_mut().find(|one| one.name == class.name) {
                Some(known) => *known = class,
                None => self.classes.insert(0, class),
            }
        }
        for to in own.destinations.into_iter().rev() {
            let mut known = self.destinations.iter_mut();
            match known.find(|one| one.name == to.name) {
                Some(known) => *known = to,
                None => self.destinations.insert(0, to),
            }
        }
        Ok(self)
    }

    /// The class of a path (absolute) in a workspace with these roots: its place in the list.
    #[must_use]
    pub fn class(&self, path: &str, roots: &[String]) -> usize {
        let fits = |class: &Class| {
            let policy = Policy {
                rules: class.rules.clone(),
                ..Policy::new(bowline_core::Mode::Full, roots.to_vec())
            };
            keeps(&policy, path).is_some()
        };
        let found = self.classes.iter().position(fits);
        found.unwrap_or_else(|| self.unnamed())
    }

    /// The class of what no path is known of: the last one.
    pub(super) fn unnamed(&self) -> usize {
        self.classes.len().saturating_sub(1)
    }

    /// The figures for a place.
    #[must_use]
    pub fn destination(&self, place: &ModelPlace) -> &Destination {
        /// Where a table names no destination of a kind: nothing is known of it.
        static NONE: Destination = Destination {
            name: String::new(),
            hosts: Vec::new(),
            likelihood_ppm: [0, 1_000_000],
            source: String::new(),
            assumption: true,
        };
        let (kind, host) = match place {
            ModelPlace::Local => ("local", "local"),
            ModelPlace::Provider(name) => ("provider", name.as_str()),
            ModelPlace::Elsewhere(host) => ("unknown", host.as_str()),
        };
        let mut all = self.destinations.iter();
        let by_host = all.find(|one| one.hosts.iter().any(|one| one == host));
        let mut all = self.destinations.iter();
        by_host
            .or_else(|| all.find(|one| one.name == kind && one.hosts.is_empty()))
            .unwrap_or(&NONE)
    }
}

fn read(file: &str, text: &str) -> Result<Figures, FiguresError> {
    let wrong = |what: String| FiguresError(format!("{file}: {what}"));
    let document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(error.message().to_owned()))?;
    for (name, _) in document.iter() {
        if !["date", "class", "destination"].contains(&name) {
            return Err(wrong(format!(
                "`{name}` is unknown: there are date, [[class]] and [[destination]]"
            )));
        }
    }
    let tables = |list: &str| -> Result<Vec<Table>, FiguresError> {
        match document.get(list) {
            None => Ok(Vec::new()),
            Some(Item::ArrayOfTables(tables)) => Ok(tables.iter().cloned().collect()),
            Some(_) => Err(wrong(format!(
                "`{list}` is a list of tables: write [[{list}]]"
            ))),
        }
    };
    let classes = tables("class")?.into_iter().map(|table| {
        let known = [
            "name",
            "globs",
            "whole_bytes",
            "cost_usd",
            "source",
            "assumption",
        ];
        let fields = Fields::of(&table, &known).map_err(&wrong)?;
        fields.class().map_err(&wrong)
    });
    let classes = classes.collect::<Result<Vec<_>, _>>()?;
    let destinations = tables("destination")?.into_iter().map(|table| {
        let known = ["name", "hosts", "likelihood_ppm", "source", "assumption"];
        let fields = Fields::of(&table, &known).map_err(&wrong)?;
        fields.destination().map_err(&wrong)
    });
    Ok(Figures {
        date: document
            .get("date")
            .and_then(Item::as_str)
            .unwrap_or_default()
            .to_owned(),
        classes,
        destinations: destinations.collect::<Result<Vec<_>, _>>()?,
    })
}

/// The fields of one table.
struct Fields<'t> {
    table: &'t Table,
    name: String,
}

impl<'t> Fields<'t> {
    fn of(table: &'t Table, known: &[&str]) -> Result<Self, String> {
        let name = table.get("name").and_then(Item::as_str);
        let name = name.ok_or("a table has no `name`")?.to_owned();
        match table.iter().find(|(field, _)| !known.contains(field)) {
            Some((field, _)) => Err(format!(
                "`{name}` has a field `{field}`, which is unknown: there are {}",
                known.join(", ")
            )),
            None => Ok(Self { table, name }),
        }
    }

    fn class(self) -> Result<Class, String> {
        let globs = self.texts("globs")?;
        let rules = globs.iter().map(|glob| {
            Rule::on_command_line(Verdict::Deny, &format!("send({glob})"))
                .map_err(|error| format!("`{}`: {error}", self.name))
        });
        let whole_bytes = self.table.get("whole_bytes").and_then(Item::as_integer);
        let whole_bytes = whole_bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let whole_bytes = whole_bytes.filter(|bytes| *bytes > 0);
        Ok(Class {
            rules: rules.collect::<Result<_, _>>()?,
            globs,
            whole_bytes: whole_bytes
                .ok_or_else(|| format!("`{}`: `whole_bytes` is a number above 0", self.name))?,
            cost_usd: self.range("cost_usd", 1_000_000_000_000)?,
            source: self.source()?,
            assumption: self.is_assumption(),
            name: self.name,
        })
    }

    fn destination(self) -> Result<Destination, String> {
        Ok(Destination {
            hosts: self.texts("hosts")?,
            likelihood_ppm: self.range("likelihood_ppm", 1_000_000)?,
            source: self.source()?,
            assumption: self.is_assumption(),
            name: self.name,
        })
    }

    fn texts(&self, field: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{}`: `{field}` is a list of texts", self.name);
        let Some(item) = self.table.get(field) else {
            return Ok(Vec::new());
        };
        let list = item.as_array().ok_or_else(wrong)?;
        let texts = list.iter().map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(wrong)
    }

    fn range(&self, field: &str, most: u64) -> Result<[u64; 2], String> {
        let wrong = || {
            format!(
                "`{}`: `{field}` is two whole numbers up to {most}, the lower one first",
                self.name
            )
        };
        let list = self.table.get(field).and_then(Item::as_array);
        let numbers = list.ok_or_else(wrong)?.iter().map(|number| {
            let number = u64::try_from(number.as_integer()?).ok()?;
            (number <= most).then_some(number)
        });
        let numbers: Option<Vec<u64>> = numbers.collect();
        match numbers.as_deref() {
            Some([low, high]) if low <= high => Ok([*low, *high]),
            _ => Err(wrong()),
        }
    }

    fn source(&self) -> Result<String, String> {
        let source = self.table.get("source").and_then(Item::as_str);
        let missing = || format!("`{}`: `source` says where its figures are from", self.name);
        source.map(str::to_owned).ok_or_else(missing)
    }

    fn is_assumption(&self) -> bool {
        let assumption = self.table.get("assumption").and_then(Item::as_bool);
        assumption.unwrap_or(false)
    }
}
