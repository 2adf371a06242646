//! From an address to an answer: looked up once, judged, asked, and on where it leads.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bowline_core::call::Effect;
use bowline_core::contact::Via;
use bowline_core::web::{Web, WebAnswer, WebFailure, WebLimits, WebRequest};
use bowline_core::{Connection, Denied, Host};

use super::show::{self, Answered};
use super::target::{Target, shown};
use super::{Asked, RulesOfHosts};
use crate::tool::{Cancel, Finish};

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 5;

/// Longest time until a connection stands, in ms.
const CONNECT_MS: u64 = 10_000;

/// Most bytes of the headers of an answer.
const HEADERS_BYTES_MAX: usize = 64 << 10;

/// Most bytes of a body.
const BODY_BYTES_MAX: usize = 2 << 20;

/// Addresses of one host that are tried.
const ADDRESSES_MAX: usize = 6;

/// What is sent where the call says nothing else.
const ACCEPT: &str =
    "text/markdown, text/html;q=0.9, text/plain;q=0.9, application/json;q=0.8, */*;q=0.5";

/// One call under way.
pub(super) struct Fetch {
    web: Arc<dyn Web>,
    rules: RulesOfHosts,
    asked: Asked,
    until: Instant,
    connections: Vec<Connection>,
}

/// Why there is no answer.
struct Missed {
    /// For the model, without its full stop.
    why: String,
    denied: Option<Denied>,
    /// Whether the server may have seen the request.
    was_sent: bool,
}

impl Missed {
    fn untouched(why: String) -> Self {
        Self {
            why,
            denied: None,
            was_sent: false,
        }
    }
}

impl Fetch {
    pub(super) fn new(web: Arc<dyn Web>, rules: RulesOfHosts, asked: Asked) -> Self {
        Self {
            until: Instant::now() + Duration::from_millis(asked.timeout_ms),
            web,
            rules,
            asked,
            connections: Vec::new(),
        }
    }

    /// Asks, follows, and says what came of it.
    pub(super) async fn run(mut self, mut cancel: Cancel) -> Finish {
        let sends = self.asked.method.sends();
        let answered = {
            let answer = self.answer();
            tokio::select! {
                answered = answer => answered,
                () = cancel.asked() => Err(Missed {
                    why: "it was stopped".to_owned(),
                    denied: None,
                    was_sent: sends,
                }),
            }
        };
        let finish = match answered {
            Ok(answered) => {
                let shape = self.asked.shape;
                let method = self.asked.method;
                let show = move || show::finish(&answered, method, shape);
                let shown = tokio::task::spawn_blocking(show).await;
                shown
                    .unwrap_or_else(|error| Finish::failed(format!("It cannot be shown: {error}.")))
            }
            Err(missed) => self.missed(&missed),
        };
        let effect = Effect {
            connections: self.connections,
            ..Effect::default()
        };
        Finish { effect, ..finish }
    }

    /// What a call comes to that got no answer.
    fn missed(&self, missed: &Missed) -> Finish {
        let url = &self.asked.target.url;
        let text = format!("Not fetched: {url}: {}.", missed.why);
        let failed = Finish::failed(text);
        let is_unknown = missed.was_sent && self.asked.method.sends();
        Finish {
            summary: format!("fetch {}: {}", self.asked.target.shown(), missed.why),
            denied: missed.denied.iter().cloned().collect(),
            in_doubt: is_unknown.then(|| format!("it was sent, and then: {}", missed.why)),
            // What was reached is recorded, also where nothing came of it.
            failed_before_effect: !is_unknown && self.connections.is_empty(),
            ..failed
        }
    }

    async fn answer(&mut self) -> Result<Answered, Missed> {
        let mut target = self.asked.target.clone();
        let mut steps = Vec::new();
        loop {
            let answer = self.ask(&target).await?;
            let location = location(&answer).map(str::to_owned);
            let next = match location {
                None => Ok(None),
                Some(location) => self.next(&target, &location, steps.len()).map(Some),
            };
            match next {
                Ok(Some(next)) => {
                    steps.push(target);
                    target = next;
                }
                Ok(None) => {
                    return Ok(Answered {
                        target,
                        steps,
                        answer,
                        leads: None,
                    });
                }
                Err(leads) => {
                    let leads = Some(leads);
                    return Ok(Answered {
                        target,
                        steps,
                        answer,
                        leads,
                    });
                }
            }
        }
    }

    /// Where a redirect leads, if it is followed; else why it is not.
    fn next(&self, from: &Target, location: &str, followed: usize) -> Result<Target, String> {
        let kept = |why: &str| {
            let location = shown(location);
            format!("it leads to `{location}`, which was not followed: {why}")
        };
        let next = from.join(location).map_err(|why| kept(&why))?;
        let kept = |why: &str| format!("it leads to {}, which was not followed: {why}", next.url);
        if self.asked.method.sends() {
            return Err(kept("what was sent is not sent again"));
        }
        if followed == REDIRECTS_MAX {
            return Err(kept("there were too many redirects"));
        }
        if from.is_safe() && !next.is_safe() {
            return Err(kept("it is not safe as this address is"));
        }
        if !self.asked.target.covers(&next) {
            return Err(kept(
                "it is another host, so fetch it with a call of its own",
            ));
        }
        let rules = (self.rules)(&next.host, next.port);
        if next.host != self.asked.target.host && (rules.denies || rules.asks) {
            return Err(kept(
                "a rule speaks of that host, so fetch it with a call of its own",
            ));
        }
        Ok(next)
    }

    /// Asks one address and writes down whom that reached.
    async fn ask(&mut self, target: &Target) -> Result<WebAnswer, Missed> {
        let addresses = match self.addresses(target).await {
            Ok(addresses) => addresses,
            Err(missed) if self.connections.is_empty() => return Err(missed),
            Err(missed) => {
                self.refused(target, None, &missed.why);
                return Err(missed);
            }
        };
        let first = addresses.first().copied();
        let mut headers = self.asked.headers.clone();
        if !headers.iter().any(|(name, _)| name == "accept") {
            headers.push(("accept".to_owned(), ACCEPT.to_owned()));
        }
        let body = self
            .asked
            .body
            .as_ref()
            .map(|body| body.clone().into_bytes());
        let left = self.until.saturating_duration_since(Instant::now());
        let whole_ms = u64::try_from(left.as_millis()).unwrap_or_default().max(1);
        let request = WebRequest {
            method: self.asked.method,
            url: target.url.to_string(),
            headers,
            body,
            addresses,
            limits: WebLimits {
                header_bytes: HEADERS_BYTES_MAX,
                body_bytes: BODY_BYTES_MAX,
                connect_ms: CONNECT_MS.min(whole_ms),
                whole_ms,
            },
        };
        match self.web.ask(request).await {
            Ok(answer) => {
                self.connections.push(Connection {
                    host: target.host.to_string(),
                    port: target.port,
                    address: Some(answer.peer.to_string()),
                    via: Via::Fetch,
                    refused: None,
                    sent_bytes: answer.sent_bytes,
                    received_bytes: answer.received_bytes,
                });
                Ok(answer)
            }
            Err(failure) => {
                let was_sent = !matches!(failure, WebFailure::NotSent(_));
                let why = failure.to_string();
                if was_sent || !self.connections.is_empty() {
                    self.refused(target, first, &why);
                }
                Err(Missed {
                    why,
                    denied: None,
                    was_sent,
                })
            }
        }
    }

    fn refused(&mut self, target: &Target, address: Option<IpAddr>, why: &str) {
        self.connections.push(Connection {
            host: target.host.to_string(),
            port: target.port,
            address: address.map(|address| address.to_string()),
            via: Via::Fetch,
            refused: Some(why.to_owned()),
            sent_bytes: 0,
            received_bytes: 0,
        });
    }

    /// The addresses that may be dialled. If one of them may not, none is: a name that leads both
    /// outside and inside means no good.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Missed> {
        let found = self.web.resolve(&target.host);
        let left = self.until.saturating_duration_since(Instant::now());
        let found = match tokio::time::timeout(left, found).await {
            Ok(found) => found.map_err(Missed::untouched)?,
            Err(_) => {
                return Err(Missed::untouched(
                    "its name was not found in time".to_owned(),
                ));
            }
        };
        let found: Vec<IpAddr> = found.iter().map(IpAddr::to_canonical).collect();
        if found.is_empty() {
            return Err(Missed::untouched("its name leads to no address".to_owned()));
        }
        for address in &found {
            self.judge(target, *address).map_err(|why| Missed {
                denied: Some(Denied::Reach {
                    host: target.host.to_string(),
                    port: Some(target.port),
                }),
                ..Missed::untouched(why)
            })?;
        }
        Ok(found.into_iter().take(ADDRESSES_MAX).collect())
    }

    /// Whether an address of the target may be dialled; else why not.
    fn judge(&self, target: &Target, address: IpAddr) -> Result<(), String> {
        let spelled = Host::from(address);
        let of_address = (self.rules)(&spelled, target.port);
        if of_address.denies {
            return Err(format!("it leads to {address}, which a rule denies"));
        }
        let spells_out = |host: &Host| (self.rules)(host, target.port).allows_exactly;
        let Err(private) = target.host.leads_to(address, spells_out) else {
            return Ok(());
        };
        let at = if matches!(target.port, 80 | 443) {
            spelled.to_string()
        } else {
            spelled.at_port(target.port)
        };
        Err(format!(
            "it leads to {address}, which is {}: that is reached only where an allow rule of the \
             person's spells the address out (`host({at})`)",
            private.words()
        ))
    }
}

/// Where an answer leads.
fn location(answer: &WebAnswer) -> Option<&str> {
    let is_redirect = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
    let location = answer.header("location").filter(|_| is_redirect);
    location.filter(|location| !location.is_empty())
}
