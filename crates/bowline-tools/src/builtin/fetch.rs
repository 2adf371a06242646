//! `fetch`: a page or an answer from a web server, as text.
//!
//! What is judged is what is dialled: the host is looked up once, every address is judged, and only
//! these addresses are connected to. A redirect is a new address that is judged anew; one that leads
//! to another host is told and not followed, since nobody decided about that host.

mod follow;
mod show;
mod target;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bowline_core::call::ReplayPlan;
use bowline_core::spec::ActionKind;
use bowline_core::web::{Method, Web};
use bowline_core::{Action, BoxFuture, Host, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::follow::Fetch;
use self::target::Target;
use super::spec::About;
use super::{not_admitted, one_line};
use crate::page::Shape;
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Time a call has when it does not say, in ms.
const TIMEOUT_MS: u64 = 30_000;

/// Most time that a call may ask for, in ms.
const TIMEOUT_MAX_MS: u64 = 120_000;

/// Most headers of a request.
const HEADERS_MAX: usize = 20;

/// Longest value of a header, in bytes.
const HEADER_BYTES_MAX: usize = 2_000;

/// Longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 256 << 10;

/// Width of what a person is shown of a request, in characters.
const WIDTH: usize = 72;

/// What rules say of a host at a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostRules {
    /// An allow rule spells it out, without a `*`.
    pub allows_exactly: bool,
    /// A rule denies it.
    pub denies: bool,
    /// A rule wants a person's answer for it.
    pub asks: bool,
}

/// Says what rules there are for a host at a port.
pub type RulesOfHosts = Arc<dyn Fn(&Host, u16) -> HostRules + Send + Sync>;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    url: String,
    #[schemars(with = "Option<String>")]
    method: Option<Verb>,
    #[schemars(with = "Option<Map<String, Value>>")]
    headers: Option<BTreeMap<String, String>>,
    body: Option<String>,
    raw: Option<bool>,
    timeout_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl From<Verb> for Method {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Get => Self::Get,
            Verb::Head => Self::Head,
            Verb::Post => Self::Post,
            Verb::Put => Self::Put,
            Verb::Patch => Self::Patch,
            Verb::Delete => Self::Delete,
        }
    }
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "fetch",
        title: "Fetch from the web",
        description: "Read a web page as text.",
        risk: Risk::High,
        replay_ceiling: ReplayClass::Once,
        actions: &[ActionKind::Reach],
        timeout_ms: Some(TIMEOUT_MAX_MS),
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct FetchTool {
    spec: ToolSpec,
    web: Option<Arc<dyn Web>>,
    rules: RulesOfHosts,
}

/// What a call asks for.
struct Asked {
    target: Target,
    method: Method,
    headers: Vec<(String, String)>,
    body: Option<String>,
    shape: Shape,
    timeout_ms: u64,
}

impl FetchTool {
    pub(super) fn new(web: Option<Arc<dyn Web>>, rules: RulesOfHosts) -> Self {
        Self {
            spec: spec(),
            web,
            rules,
        }
    }

    /// The input as it may be sent.
    fn asked(&self, input: &Value) -> Result<Asked, InputError> {
        let input: Input = crate::input::read(&self.spec.input_schema, input)?;
        let target = Target::parse(&input.url).map_err(InputError::new)?;
        let rules = (self.rules)(&target.host, target.port);
        if let Some(private) = target.host.private().filter(|_| !rules.allows_exactly) {
            let (host, rule) = (&target.host, target.rule());
            return Err(InputError::new(format!(
                "`{host}` is {}: it is reached only where an allow rule of the person's spells it \
                 out (`{rule}`)",
                private.words()
            )));
        }
        let method = input.method.map_or(Method::Get, Method::from);
        if input.body.is_some() && !method.sends() {
            let message = format!("{} sends no \"body\"", method.name());
            return Err(InputError::new(message));
        }
        if let Some(body) = input
            .body
            .as_ref()
            .filter(|body| body.len() > BODY_BYTES_MAX)
        {
            let bytes = body.len();
            let message = format!("\"body\" has {bytes} bytes: keep it below {BODY_BYTES_MAX}");
            return Err(InputError::new(message));
        }
        Ok(Asked {
            target,
            method,
            headers: headers(input.headers.unwrap_or_default())?,
            body: input.body,
            shape: if input.raw == Some(true) {
                Shape::Source
            } else {
                Shape::Text
            },
            timeout_ms: input
                .timeout_ms
                .unwrap_or(TIMEOUT_MS)
                .clamp(1, TIMEOUT_MAX_MS),
        })
    }
}

impl Tool for FetchTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, _cx: &PlanCx) -> Result<Plan, InputError> {
        let asked = self.asked(input)?;
        let sends = asked.method.sends();
        let class = if sends {
            ReplayClass::Once
        } else {
            ReplayClass::Free
        };
        Ok(Plan {
            actions: vec![Action::Reach {
                host: asked.target.shown(),
                sends,
            }],
            replay: ReplayPlan { class },
            essence: one_line(&format!("{} {}", asked.method.name(), asked.target.url)),
            resolved: Vec::new(),
            executes: Vec::new(),
        })
    }

    /// The request whole: its address may be longer than a line.
    fn preview(&self, input: &Value, _plan: &Plan, _cx: &PlanCx) -> Option<String> {
        self.asked(input).ok().map(|asked| asked.to_string())
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let asked = self.asked(&call.input);
        let web = self.web.clone();
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            if !permit.admits(&call.request) {
                return not_admitted();
            }
            match (asked, web) {
                (Ok(asked), Some(web)) => Fetch::new(web, rules, asked).run(call.cancel).await,
                (Ok(_), None) => Finish::failed("Not fetched: this installation reaches no web."),
                (Err(error), _) => Finish::failed(error.message),
            }
        })
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = format!("{} {}", self.method.name(), self.target.url);
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        let body = self
            .body
            .iter()
            .flat_map(|body| body.lines().map(str::to_owned));
        for line in [url].into_iter().chain(headers).chain(body) {
            let letters: Vec<char> = one_line(&line).chars().collect();
            for part in letters.chunks(WIDTH) {
                writeln!(f, "{}", part.iter().collect::<String>())?;
            }
        }
        Ok(())
    }
}

/// Headers that may be sent: none that carries a credential, none that the connection is made of.
fn headers(given: BTreeMap<String, String>) -> Result<Vec<(String, String)>, InputError> {
    /// Parts of names of headers that carry credentials, or that a machine's own services want.
    const CREDENTIALS: [&str; 12] = [
        "auth",
        "cookie",
        "token",
        "secret",
        "password",
        "credential",
        "session",
        "signature",
        "api-key",
        "apikey",
        "access-key",
        "metadata",
    ];
    const CONNECTION: [&str; 13] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "keep-alive",
        "proxy-connection",
        "accept-encoding",
        "forwarded",
        "via",
    ];
    if given.len() > HEADERS_MAX {
        let message = format!("\"headers\" takes at most {HEADERS_MAX} of them");
        return Err(InputError::new(message));
    }
    let mut headers = Vec::new();
    for (name, value) in given {
        let name = name.trim().to_ascii_lowercase();
        let shown = one_line(&name);
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let refused = if name.is_empty() || name.len() > 100 || !name.bytes().all(is_token) {
            "is no name of a header"
        } else if CREDENTIALS.iter().any(|part| name.contains(part)) {
            "carries a credential, which is never sent"
        } else if CONNECTION.contains(&name.as_str()) || name.starts_with("x-forwarded") {
            "is not yours to set"
        } else if value.len() > HEADER_BYTES_MAX {
            "is too long"
        } else if value.contains(char::is_control) {
            "holds a control character"
        } else {
            headers.push((name, value));
            continue;
        };
        return Err(InputError::new(format!("the header `{shown}` {refused}")));
    }
    Ok(headers)
}
