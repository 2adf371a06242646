//! Where a model is asked: a built-in provider or a named endpoint, its key and its headers.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bowline_core::Settings;
use bowline_model::{ApiKey, default_base_url, key_variable};
use bowline_runtime::config::{API_NAMES, Endpoint, HeaderSource, KeySource, Origin};
use bowline_tools::program::{self, Bounds};

use crate::failure::Failure;
use crate::places::Places;
use crate::print;
use crate::search_path;

/// Where a session's model is asked. Nothing was read, run or sent to know it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The dialect, one of [`API_NAMES`].
    pub api: String,
    /// The address.
    pub base_url: String,
    key: KeySource,
    headers: Vec<(String, HeaderSource)>,
    /// The name and the place of a named endpoint.
    named: Option<(String, Origin)>,
    /// Whether the address is the provider's own one, which always wants a key.
    is_own: bool,
}

/// A target with its key and headers at hand.
pub struct Opened {
    /// The provider's name, or the endpoint's own.
    pub name: String,
    /// The dialect.
    pub api: String,
    /// The address.
    pub base_url: String,
    /// The key, if it takes one.
    pub key: Option<ApiKey>,
    /// What messages call the key's source, such as `OPENAI_API_KEY`.
    pub key_source: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What the masker must know.
    pub secrets: Vec<String>,
}

/// A key that is longer is none, in bytes.
const KEY_BYTES_MAX: usize = 16 << 10;

/// How long a key command may run.
const KEY_COMMAND_TIME: Duration = Duration::from_secs(10);

/// Finds where the model of these settings is asked, among these named endpoints if it is one.
pub fn find(
    settings: &Settings,
    endpoints: &[Endpoint],
    places: &Places,
) -> Result<Target, Failure> {
    let name = settings.model.provider();
    if API_NAMES.contains(&name) {
        return Ok(built_in(name, settings.base_url.as_deref()));
    }
    match endpoints.iter().find(|one| one.name == name) {
        Some(endpoint) => named(endpoint, settings.base_url.as_deref()),
        None => Err(unknown(name, endpoints, places)),
    }
}

fn built_in(name: &str, base_url: Option<&str>) -> Target {
    let own = default_base_url(name).unwrap_or_default();
    Target {
        api: name.to_owned(),
        base_url: base_url.unwrap_or(own).to_owned(),
        key: key_variable(name).map_or(KeySource::None, |name| KeySource::Env(name.to_owned())),
        headers: Vec::new(),
        named: None,
        is_own: base_url.is_none(),
    }
}

fn named(endpoint: &Endpoint, base_url: Option<&str>) -> Result<Target, Failure> {
    if base_url.is_some() {
        return Err(Failure::usage(format!(
            "--base-url does not go with `{}`, whose address and key are configured in {}: leave it \
             out, or name a built-in provider ({})",
            endpoint.name,
            place(&endpoint.origin),
            API_NAMES.join(", ")
        )));
    }
    let own = default_base_url(&endpoint.api).unwrap_or_default();
    Ok(Target {
        api: endpoint.api.clone(),
        base_url: endpoint.base_url.as_deref().unwrap_or(own).to_owned(),
        key: endpoint.key.clone(),
        headers: endpoint.headers.clone(),
        named: Some((endpoint.name.clone(), endpoint.origin.clone())),
        is_own: false,
    })
}

fn unknown(name: &str, endpoints: &[Endpoint], places: &Places) -> Failure {
    let known: Vec<&str> = endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    let named = if known.is_empty() {
        String::new()
    } else {
        format!("; endpoints configured: {}", known.join(", "))
    };
    Failure::usage(format!(
        "unknown provider `{name}`: use {} or scripted, as in --model openai-chat/MODEL, or define \
         it with [[providers]] in {}{named}",
        API_NAMES.join(", "),
        places.user_config().display()
    ))
}

fn place(origin: &Origin) -> String {
    match (&origin.file, origin.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        _ => "the command line".to_owned(),
    }
}

impl Target {
    /// What messages call the source of the key.
    pub fn key_source(&self) -> String {
        match (&self.key, &self.named) {
            (KeySource::Env(name), _) => name.clone(),
            (KeySource::Command(_), Some((name, _))) => format!("the key_command of `{name}`"),
            (KeySource::File(file), _) => format!("the key file {file}"),
            (_, Some((name, origin))) => {
                format!(
                    "key_env, key_command or key_file of `{name}` ({})",
                    place(origin)
                )
            }
            _ => "its key".to_owned(),
        }
    }

    /// Whether a key is at hand, as far as can be told without running anything: `None` for a
    /// key command.
    pub fn has_key(&self, places: &Places) -> Option<bool> {
        match &self.key {
            KeySource::None => Some(false),
            KeySource::Env(name) => Some(variable(name).is_some()),
            KeySource::File(file) => Some(key_path(file, places).is_ok_and(|path| path.is_file())),
            KeySource::Command(_) => None,
        }
    }

    /// Whether nothing will be answered there without a key.
    pub const fn wants_key(&self) -> bool {
        self.is_own
    }

    /// Fetches key and headers: reads the environment and the key file, or runs the key command.
    /// Only for a session that is about to ask.
    pub fn open(self, places: &Places) -> Result<Opened, Failure> {
        let key_source = self.key_source();
        let key = self.fetch_key(places)?;
        if key.is_none() && self.is_own {
            return Err(Failure::usage(format!(
                "{key_source} is not set, and {} needs a key: export it, or give --base-url of a \
                 server that needs none",
                self.base_url
            )));
        }
        let mut headers = Vec::new();
        for (name, source) in &self.headers {
            headers.push((name.clone(), self.header(name, source)?));
        }
        let values = headers.iter().map(|(_, value)| value.clone());
        let secrets = key.iter().cloned().chain(values).collect();
        let name = self
            .named
            .map_or_else(|| self.api.clone(), |(name, _)| name);
        Ok(Opened {
            name,
            api: self.api,
            base_url: self.base_url,
            key: key.map(ApiKey::new),
            key_source,
            headers,
            secrets,
        })
    }

    fn owner(&self) -> String {
        match &self.named {
            Some((name, origin)) => format!("endpoint `{name}` ({})", place(origin)),
            None => format!("provider `{}`", self.api),
        }
    }

    fn fetch_key(&self, places: &Places) -> Result<Option<String>, Failure> {
        let key = match &self.key {
            KeySource::None => return Ok(None),
            KeySource::Env(name) => match variable(name) {
                None if self.named.is_none() => return Ok(None),
                None => {
                    let what = format!("{}: {name} is not set: export it", self.owner());
                    return Err(Failure::usage(what));
                }
                Some(key) => key,
            },
            KeySource::File(file) => self.key_from_file(file, places)?,
            KeySource::Command(argv) => {
                let bounds = Bounds {
                    time: KEY_COMMAND_TIME,
                    bytes: KEY_BYTES_MAX,
                };
                let cannot =
                    |why: String| Failure::usage(format!("{}: key_command: {why}", self.owner()));
                let mut argv = argv.clone();
                if let Some(name) = argv.first_mut() {
                    let found = search_path::program(name, &[]);
                    if !found.display().to_string().contains('/') {
                        return Err(cannot(format!("no `{name}` on the search path")));
                    }
                    *name = found.display().to_string();
                }
                program::printed(&argv, bounds).map_err(|error| cannot(error.to_string()))?
            }
        };
        let key = key.trim();
        if key.is_empty() || key.contains(['\n', '\r', '\0']) {
            let what = if key.is_empty() {
                "is empty"
            } else {
                "is more than one line"
            };
            return Err(Failure::usage(format!(
                "{}: the key from {} {what}",
                self.owner(),
                self.key_source()
            )));
        }
        Ok(Some(key.to_owned()))
    }

    fn key_from_file(&self, file: &str, places: &Places) -> Result<String, Failure> {
        let cannot =
            |why: String| Failure::usage(format!("{}: key file {file}: {why}", self.owner()));
        let path = key_path(file, places).map_err(|why| cannot(why.to_owned()))?;
        let meta = std::fs::metadata(&path).map_err(|error| cannot(error.to_string()))?;
        if !meta.is_file() {
            return Err(cannot("it is not a regular file".to_owned()));
        }
        let open = std::fs::File::open(&path).map_err(|error| cannot(error.to_string()))?;
        let meta = open.metadata().map_err(|error| cannot(error.to_string()))?;
        if meta.mode() & 0o077 != 0 {
            print::err_line(&format!(
                "bowline: key file {file} can be read by others (mode {:04o}): chmod 600 {file}",
                meta.mode() & 0o7777
            ));
        }
        let mut bytes = Vec::new();
        open.take(KEY_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| cannot(error.to_string()))?;
        if bytes.len() > KEY_BYTES_MAX {
            return Err(cannot(
                "it is larger than 16 KiB: that is no key".to_owned(),
            ));
        }
        String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8".to_owned()))
    }

    fn header(&self, name: &str, source: &HeaderSource) -> Result<String, Failure> {
        match source {
            HeaderSource::Plain(value) => Ok(value.clone()),
            HeaderSource::Env(from) => variable(from).ok_or_else(|| {
                Failure::usage(format!(
                    "{}: header {name} is to hold {from}, which is not set: export it",
                    self.owner()
                ))
            }),
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The path of a key file, `~/` resolved.
pub fn key_path(file: &str, places: &Places) -> Result<PathBuf, &'static str> {
    match file.strip_prefix("~/") {
        None => Ok(Path::new(file).to_owned()),
        Some(rest) => places
            .home
            .as_ref()
            .map(|home| home.join(rest))
            .ok_or("there is no home folder: set HOME"),
    }
}

/// An endpoint in one line, without anything secret.
pub fn described(endpoint: &Endpoint) -> String {
    let own = default_base_url(&endpoint.api).unwrap_or_default();
    let mut line = format!(
        "{}: {} at {}",
        endpoint.name,
        endpoint.api,
        endpoint.base_url.as_deref().unwrap_or(own)
    );
    if let Some(model) = &endpoint.model {
        line.push_str(&format!(", model {model}"));
    }
    line.push_str(", ");
    line.push_str(&key_in_words(&endpoint.key));
    if !endpoint.headers.is_empty() {
        let names: Vec<&str> = endpoint
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        line.push_str(&format!(", headers {}", names.join(", ")));
    }
    line
}

/// Where a key comes from, never the key. Of a command only the program: its arguments may hold
/// something secret.
pub fn key_in_words(key: &KeySource) -> String {
    match key {
        KeySource::None => "no key".to_owned(),
        KeySource::Env(name) => format!("key from ${name}"),
        KeySource::File(file) => format!("key from {file}"),
        KeySource::Command(argv) => {
            format!("key from `{} ...`", argv.first().map_or("", String::as_str))
        }
    }
}
