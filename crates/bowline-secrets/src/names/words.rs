//! The words by which names are judged, all in lower case.

/// How the last word of a password's name ends.
#[rustfmt::skip]
pub(super) const PASSWORD_ENDINGS: &[&str] = &[
    "password", "passwd", "passphrase", "passcode", "passwort",
];

/// Last words of a password's name that are too short to be looked for inside longer words.
#[rustfmt::skip]
pub(super) const PASSWORD_WORDS: &[&str] = &[
    "pass", "pwd", "pw", "psw", "userpass", "dbpass", "storepass", "keypass", "smtppass",
    "rootpass", "adminpass", "passw", "dbpwd", "rootpw", "bindpw", "requirepass", "masterauth",
    "identified", "kennwort", "senha", "contrasena", "psk", "userpwd",
];

/// How the last word of a machine secret's name ends.
#[rustfmt::skip]
pub(super) const SECRET_ENDINGS: &[&str] = &[
    "secret", "token", "apikey", "secretkey", "accesskey", "privatekey", "authkey", "masterkey",
    "credential", "credentials", "accountkey", "licensekey", "signingkey", "encryptionkey",
    "passkey", "sharedkey", "deploykey", "appkey", "servicekey", "clientkey",
];

/// Last words of a machine secret's name that stand for themselves.
#[rustfmt::skip]
pub(super) const SECRET_WORDS: &[&str] = &[
    "creds", "cred", "auth", "authorization", "hmac",
];

/// Names of cookies that stand for a session.
#[rustfmt::skip]
pub(super) const SESSION_WORDS: &[&str] = &[
    "session", "sessionid", "sid", "phpsessid", "jsessionid",
];

/// Words that make a following `key` a secret.
#[rustfmt::skip]
pub(super) const BEFORE_KEY: &[&str] = &[
    "api", "app", "application", "access", "account", "admin", "auth", "secret", "private",
    "signing", "sign", "signature", "encryption", "encrypt", "master", "service", "shared",
    "session", "client", "consumer", "license", "subscription", "ingest", "ingestion", "deploy",
    "webhook", "hmac", "jwt", "cookie", "cipher", "crypto", "aes", "write", "root", "token",
    "integration", "function", "functions", "management", "personal", "developer", "preshared",
    "psk", "security", "storage", "role", "restricted", "unseal", "recovery", "tunnel", "routing",
    "fernet", "secure", "stream", "rtmp", "sas", "ssh", "tls", "ssl",
    "rsa", "fcm", "gcm", "firebase", "sdk", "decrypt", "decryption", "pepper", "wallet", "vault",
];

/// Words that make a following `salt` a secret: those of web frameworks, not of one password.
#[rustfmt::skip]
pub(super) const BEFORE_SALT: &[&str] = &[
    "auth", "in", "nonce", "hash", "app", "secret", "cookie", "session", "security",
];

/// Providers whose name before `key` or `pat` makes it a secret.
#[rustfmt::skip]
pub(super) const PROVIDERS: &[&str] = &[
    "adyen", "airtable", "alchemy", "algolia", "amplitude", "anthropic", "assemblyai", "azure",
    "binance", "braintree", "brevo", "bugsnag", "cloudflare", "cloudinary", "cohere", "coinbase",
    "datadog", "dd", "deepgram", "deepseek", "digitalocean", "elevenlabs", "etherscan", "fastly",
    "fireworks", "gemini", "github", "gitlab", "google", "groq", "heroku", "hetzner", "honeycomb",
    "huggingface", "infura", "intercom", "ipinfo", "langsmith", "linear", "linode", "mailchimp",
    "mailgun", "mandrill", "mapbox", "maxmind", "mistral", "moonshot", "newrelic", "npm", "nvidia",
    "okta", "omdb", "openai", "openrouter", "openweather", "opsgenie", "pagerduty", "perplexity",
    "pinecone", "posthog", "postmark", "pusher", "rapidapi", "razorpay", "replicate", "resend",
    "rollbar", "segment", "sendgrid", "sentry", "shodan", "shopify", "slack", "snyk", "splunk",
    "square", "stability", "stripe", "supabase", "tavily", "tmdb", "together", "trello", "twilio",
    "typeform", "unsplash", "voyage", "vultr", "wandb", "weather", "xai", "zendesk",
];

/// Words before `token` that make it a place in a list, a piece of text or a public value.
#[rustfmt::skip]
pub(super) const BEFORE_NO_TOKEN: &[&str] = &[
    "page", "next", "continuation", "continue", "cursor", "sync", "resume", "cancel",
    "cancellation", "csrf", "xsrf", "sort", "stop", "start", "eos", "bos", "pad", "unk", "mask",
    "special", "max", "min", "sep", "cls", "text", "authenticity", "skip", "delta", "lock",
];

/// Words that make whatever is named public.
#[rustfmt::skip]
pub(super) const PUBLIC: &[&str] = &[
    "public", "publishable", "hashed",
];

/// Words after the telling one that do not change what the value is.
#[rustfmt::skip]
pub(super) const QUALIFIERS: &[&str] = &[
    "base", "value", "val", "plain", "plaintext", "raw", "old", "new",
];

/// Kinds for values whose provider is told by the name alone.
#[rustfmt::skip]
pub(super) const KINDS: &[(&str, &str)] = &[
    ("aws_secret", "aws-secret-access-key"), ("awssecret", "aws-secret-access-key"),
    ("secretaccesskey", "aws-secret-access-key"), ("secret_access_key",
    "aws-secret-access-key"), ("session_token", "session-token"), ("hcloud", "hetzner-token"),
    ("accountkey", "azure-storage-key"), ("sharedaccesskey", "azure-shared-access-key"),
    ("heroku", "heroku-key"), ("cloudflare", "cloudflare-token"), ("cf_api",
    "cloudflare-token"), ("twilio", "twilio-token"), ("datadog", "datadog-key"), ("dd_api",
    "datadog-key"),
];
