//! What every function shares: its settings, read from the environment here and nowhere else, and its clients.

use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use domain::PublicUrl;
use domain::upload::{MOST_ROWS, MOST_SENT};
use identity::{ClientSecret, Pool, Verifier};
use store::{AUDIT_RETENTION, Store, Table};

use crate::homes::Homes;
use crate::limit::{Limiter, Limits};
use crate::{Dimension, Keyring, Origins, ProxySecrets, RequestMetrics, TrustedProxyHops};

/// How long the template lets a function run that answers clients.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(10);

/// What a function is told by its environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table's name (`TABLE_NAME`).
    pub table: String,
    /// The pool whose tokens are good (`USER_POOL_ID`, `USER_POOL_CLIENT_ID`, `USER_POOL_CLIENT_SECRET` where the
    /// client has one; `USER_POOL_ISSUER` only where tokens do not name Cognito's own address, as with an emulator).
    pub pool: Pool,
    /// Who may sign up (`SIGN_UP`).
    pub sign_up: SignUpMode,
    /// Who may register developers (`DEVELOPER_REGISTRATION`).
    pub developer_registration: DeveloperRegistration,
    /// How often things may be done (`RATE_LIMIT_FACTOR` times the defaults).
    pub limits: Limits,
    /// The sites whose scripts may call (`ALLOWED_ORIGINS`).
    pub origins: Origins,
    /// Whether push notifications can be sent (`PUSH`).
    pub push: bool,
    /// How long audit entries are kept (`AUDIT_RETENTION_DAYS`, 1 to 3650, default 90).
    pub audit_retention: Duration,
    /// Where clients reach the deployment, for links that lead back to it (`PUBLIC_URL`); without it, API Gateway's name.
    pub public_url: Option<PublicUrl>,
    /// How many proxies in front of the deployment are trusted (`TRUSTED_PROXY_HOPS`).
    pub trusted_proxy_hops: TrustedProxyHops,
    /// The secrets of the proxy that all requests come through (`PROXY_SECRETS`), if it has any.
    pub proxy_secrets: Option<ProxySecrets>,
    /// Which metrics the log line of a request carries (`REQUEST_METRICS`), in which namespace (`METRICS_NAMESPACE`).
    pub request_metrics: Option<RequestMetrics>,
}

/// For how many days the files of exports and the reports of imports are kept where nothing else is configured.
pub const EXPORT_RETENTION_DAYS: u64 = 7;

/// Through what push notifications are sent: the ARNs of platform applications of Amazon SNS.
#[derive(Debug, Clone, Default)]
pub struct PushApplications {
    /// Apple's (`PUSH_APNS_ARN`).
    pub apns: Option<String>,
    /// Apple's for apps under development (`PUSH_APNS_SANDBOX_ARN`).
    pub apns_sandbox: Option<String>,
    /// Google's (`PUSH_FCM_ARN`).
    pub fcm: Option<String>,
}

/// What starts scheduled notifications: a group of EventBridge Scheduler, and the role that it takes.
#[derive(Debug, Clone)]
pub struct PushSchedules {
    /// The group's name (`PUSH_SCHEDULE_GROUP`).
    pub group: String,
    /// The role's ARN (`PUSH_SCHEDULE_ROLE_ARN`).
    pub role: String,
}

/// Who may become a master user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUpMode {
    /// Anybody.
    Open,
    /// One user, the first.
    First,
    /// Nobody.
    Closed,
}

/// Who may register a developer and ask for its tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeveloperRegistration {
    /// Anybody, without a credential: such a developer is of no account.
    #[default]
    Open,
    /// Master users, and keys of their accounts with the scope `admin`.
    Account,
}

impl DeveloperRegistration {
    /// Reads `open` or `account`.
    ///
    /// # Errors
    /// A sentence that names the allowed words.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "open" => Ok(Self::Open),
            "account" => Ok(Self::Account),
            _ => Err("DEVELOPER_REGISTRATION must be one of open, account".to_owned()),
        }
    }
}

/// The clients' common configuration; each function makes the SDK clients that it needs out of it.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Region, credentials and HTTP client for any SDK client.
    pub config: SdkConfig,
    http: SharedHttpConnector,
}

/// What every handler needs.
#[derive(Debug, Clone)]
pub struct App {
    /// All data.
    pub store: Store,
    /// Who may sign up.
    pub sign_up: SignUpMode,
    /// Who may register developers.
    pub developer_registration: DeveloperRegistration,
    /// Whether push notifications can be sent.
    pub push: bool,
    pub(crate) verifier: Verifier,
    pub(crate) limiter: Limiter,
    pub(crate) homes: Homes,
    pub(crate) origins: Origins,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) trusted_proxy_hops: TrustedProxyHops,
    pub(crate) proxy_secrets: Option<ProxySecrets>,
    pub(crate) request_metrics: Option<Arc<RequestMetrics>>,
    /// What seals.
    pub keyring: Keyring,
}

impl Settings {
    /// The settings of this process.
    ///
    /// # Errors
    /// A sentence that names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, String> {
        let region = variable("AWS_REGION").or_else(|_| variable("AWS_DEFAULT_REGION"))?;
        let (id, client_id) = (variable("USER_POOL_ID")?, variable("USER_POOL_CLIENT_ID")?);
        let secret = variable("USER_POOL_CLIENT_SECRET").ok().filter(|secret| !secret.is_empty());
        // Tokens name Cognito's own address, whatever address the functions reach it by.
        let cognito = format!("https://cognito-idp.{region}.amazonaws.com");
        let issuer = variable("USER_POOL_ISSUER").unwrap_or_else(|_| format!("{cognito}/{id}"));
        let cognito = endpoint("AWS_ENDPOINT_URL", "COGNITO_IDENTITY_PROVIDER").unwrap_or(cognito);
        let cognito = cognito.trim_end_matches('/');
        let factor = match variable("RATE_LIMIT_FACTOR") {
            Ok(factor) => factor.parse().map_err(|_| "RATE_LIMIT_FACTOR must be a whole number".to_owned())?,
            Err(_) => 1,
        };
        Ok(Self {
            table: variable("TABLE_NAME")?,
            pool: Pool {
                jwks_url: format!("{cognito}/{id}/.well-known/jwks.json"),
                id,
                client_id,
                client_secret: secret.map(|secret| ClientSecret::new(&secret)),
                issuer,
            },
            sign_up: match variable("SIGN_UP").as_deref() {
                Ok("open") | Err(_) => SignUpMode::Open,
                Ok("first") => SignUpMode::First,
                Ok("closed") => SignUpMode::Closed,
                Ok(_) => return Err("SIGN_UP must be one of open, first, closed".to_owned()),
            },
            developer_registration: match variable("DEVELOPER_REGISTRATION") {
                Ok(word) => DeveloperRegistration::parse(&word)?,
                Err(_) => DeveloperRegistration::default(),
            },
            limits: Limits::times(factor),
            origins: Origins::parse(&variable("ALLOWED_ORIGINS").unwrap_or_else(|_| "*".to_owned()))?,
            push: match variable("PUSH").as_deref() {
                Ok("off") | Err(_) => false,
                Ok("on") => true,
                Ok(_) => return Err("PUSH must be one of on, off".to_owned()),
            },
            audit_retention: audit_retention()?,
            public_url: match variable("PUBLIC_URL").ok().filter(|url| !url.is_empty()) {
                Some(url) => Some(PublicUrl::parse(&url).map_err(|rule| format!("PUBLIC_URL {rule}"))?),
                None => None,
            },
            trusted_proxy_hops: match variable("TRUSTED_PROXY_HOPS") {
                Ok(hops) => TrustedProxyHops::parse(&hops)?,
                Err(_) => TrustedProxyHops::default(),
            },
            proxy_secrets: ProxySecrets::parse(&variable("PROXY_SECRETS").unwrap_or_default())?,
            request_metrics: request_metrics()?,
        })
    }
}

impl Settings {
    /// The base path of [`Settings::public_url`]: `/muster`, or nothing.
    #[must_use]
    pub fn base_path(&self) -> &str {
        self.public_url.as_ref().map_or("", PublicUrl::path)
    }

    /// The table's name alone, for a function that needs nothing else.
    ///
    /// # Errors
    /// A sentence that names the variable that is missing.
    pub fn table_from_env() -> Result<String, String> {
        variable("TABLE_NAME")
    }

    /// The bucket's name (`BUCKET_NAME`), for a function that has to do with files.
    ///
    /// # Errors
    /// A sentence that names the variable that is missing.
    pub fn bucket_from_env() -> Result<String, String> {
        variable("BUCKET_NAME")
    }

    /// How many bytes a file to import may have (`IMPORT_MAX_BYTES`).
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn import_max_bytes_from_env() -> Result<i64, String> {
        let Ok(text) = variable("IMPORT_MAX_BYTES") else { return Ok(MOST_ROWS) };
        let most = text.parse().ok().filter(|most| (1..=MOST_SENT).contains(most));
        most.ok_or_else(|| format!("IMPORT_MAX_BYTES must be a whole number from 1 to {MOST_SENT}"))
    }

    /// The state machine that does imports and exports (`STATE_MACHINE_ARN`), for a function that starts it.
    ///
    /// # Errors
    /// A sentence that names the variable that is missing.
    pub fn state_machine_from_env() -> Result<String, String> {
        variable("STATE_MACHINE_ARN")
    }

    /// Through what push notifications are sent, for the function that sends them; an empty variable is none.
    #[must_use]
    pub fn push_applications_from_env() -> PushApplications {
        let arn = |name| variable(name).ok().filter(|arn| !arn.is_empty());
        PushApplications {
            apns: arn("PUSH_APNS_ARN"),
            apns_sandbox: arn("PUSH_APNS_SANDBOX_ARN"),
            fcm: arn("PUSH_FCM_ARN"),
        }
    }

    /// What starts scheduled notifications, for the function that sends them.
    ///
    /// # Errors
    /// A sentence that names the variable that is missing.
    pub fn push_schedules_from_env() -> Result<PushSchedules, String> {
        Ok(PushSchedules { group: variable("PUSH_SCHEDULE_GROUP")?, role: variable("PUSH_SCHEDULE_ROLE_ARN")? })
    }

    /// The bus that events are put on (`EVENT_BUS_NAME`), if there is one.
    #[must_use]
    pub fn event_bus_from_env() -> Option<String> {
        variable("EVENT_BUS_NAME").ok().filter(|name| !name.is_empty())
    }

    /// For how long the files of exports and the reports of imports are kept (`EXPORT_RETENTION_DAYS`, 1 to 30).
    ///
    /// # Errors
    /// A sentence that names the variable that is wrong.
    pub fn export_retention_from_env() -> Result<Duration, String> {
        let days = match variable("EXPORT_RETENTION_DAYS") {
            Ok(days) => days.parse().ok().filter(|days| (1..=30).contains(days)),
            Err(_) => Some(EXPORT_RETENTION_DAYS),
        };
        let days = days.ok_or("EXPORT_RETENTION_DAYS must be a whole number from 1 to 30")?;
        Ok(Duration::from_secs(days * 24 * 60 * 60))
    }

    /// The address that notices come from (`MAIL_FROM`), as `Name <address>`; without one none are sent.
    #[must_use]
    pub fn mail_from_env() -> Option<String> {
        variable("MAIL_FROM").ok().filter(|from| !from.is_empty())
    }

    /// Whether files wait for GuardDuty's malware scan (`MALWARE_SCAN`).
    ///
    /// # Errors
    /// A sentence that names the variable that is wrong.
    pub fn malware_scan_from_env() -> Result<bool, String> {
        match variable("MALWARE_SCAN").as_deref() {
            Ok("off") | Err(_) => Ok(false),
            Ok("guardduty") => Ok(true),
            Ok(_) => Err("MALWARE_SCAN must be one of off, guardduty".to_owned()),
        }
    }
}

/// Reads which metrics log lines carry: none where nothing is configured.
fn request_metrics() -> Result<Option<RequestMetrics>, String> {
    let dimension = match variable("REQUEST_METRICS").as_deref() {
        Ok("off") | Err(_) => return Ok(None),
        Ok("function") => Dimension::Function(variable("AWS_LAMBDA_FUNCTION_NAME")?),
        Ok("route") => Dimension::Route,
        Ok(_) => return Err("REQUEST_METRICS must be one of off, function, route".to_owned()),
    };
    Ok(Some(RequestMetrics { namespace: variable("METRICS_NAMESPACE")?, dimension }))
}

/// Reads how long audit entries are kept.
fn audit_retention() -> Result<Duration, String> {
    let Ok(text) = variable("AUDIT_RETENTION_DAYS") else { return Ok(AUDIT_RETENTION) };
    let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
    let days: u64 = days.ok_or_else(|| "AUDIT_RETENTION_DAYS must be a whole number from 1 to 3650".to_owned())?;
    Ok(Duration::from_secs(days * 24 * 60 * 60))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"))
}

impl Clients {
    /// Clients configured by the environment, as in Lambda.
    ///
    /// Lambda gives region and credentials by variables. `aws_config::load` would also look for profiles, STS, ECS
    /// and IMDS: half a megabyte that starts more slowly.
    #[must_use]
    pub fn from_env() -> Self {
        let region = variable("AWS_REGION").or_else(|_| variable("AWS_DEFAULT_REGION")).ok().map(Region::new);
        let credentials = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(region);
        let config = config.credentials_provider(credentials).service_config(Endpoints).build();
        Self::with_connector(config, FUNCTION_TIMEOUT, tls_connector())
    }

    /// Clients of emulators, which have no certificates: to read those of AWS takes most of the time of a start in tests.
    #[must_use]
    pub fn without_tls(config: SdkConfig, function_timeout: Duration) -> Self {
        let connector = Connector::builder().connector_settings(connector_settings(LOCAL_CONNECT)).build_http();
        Self::with_connector(config, function_timeout, SharedHttpConnector::new(connector))
    }

    /// An attempt of a call has a fifth of the function's time, and the call with its repetitions half of it.
    fn with_connector(config: SdkConfig, function_timeout: Duration, http: SharedHttpConnector) -> Self {
        let timeouts = timeouts(function_timeout / 5, function_timeout / 2);
        Self { config: config.into_builder().http_client(shared(&http)).timeout_config(timeouts).build(), http }
    }

    /// The configuration of a client that copies and sends large files, which no client of the API waits for.
    #[must_use]
    pub fn file_config(&self) -> SdkConfig {
        self.config.to_builder().timeout_config(timeouts(FILE_ATTEMPT, FILE_CALL)).build()
    }
}

/// How long one attempt of a call may take that copies a file of at most 5 GiB or sends a part of one, and the call with its
/// repetitions.
const FILE_ATTEMPT: Duration = Duration::from_secs(120);
const FILE_CALL: Duration = Duration::from_secs(240);

fn timeouts(attempt: Duration, call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(call).build()
}

/// How long the start of a function waits for what it prepares.
const WARM_UP: Duration = Duration::from_secs(3);

/// Endpoints by `AWS_ENDPOINT_URL_DYNAMODB` and the like, or by `AWS_ENDPOINT_URL` for all.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        endpoint(key.env(), &service)
    }
}

/// The value of a variable for one service, or for all.
fn endpoint(name: &str, service: &str) -> Option<String> {
    variable(&format!("{name}_{service}")).or_else(|_| variable(name)).ok()
}

impl App {
    /// The parts that every function has.
    #[must_use]
    pub fn new(settings: &Settings, clients: &Clients) -> Self {
        Self::with_table(settings, clients, Table::new((&clients.config).into(), &settings.table))
    }

    /// The data alone, for a function that answers no HTTP.
    #[must_use]
    pub fn store_of(table: &str, clients: &Clients) -> Store {
        let store = Store::new(Table::new((&clients.config).into(), table));
        store.with_audit_retention(audit_retention().unwrap_or(AUDIT_RETENTION))
    }

    /// The same over a table whose client was configured elsewhere, as tests do to see each call.
    #[must_use]
    pub fn with_table(settings: &Settings, clients: &Clients, table: Table) -> Self {
        let store = Store::new(table).with_audit_retention(settings.audit_retention);
        Self {
            sign_up: settings.sign_up,
            developer_registration: settings.developer_registration,
            push: settings.push,
            verifier: Verifier::new(settings.pool.clone(), clients.http.clone()),
            limiter: Limiter::new(store.clone(), settings.limits),
            homes: Homes::default(),
            origins: settings.origins.clone(),
            public_url: settings.public_url.clone(),
            trusted_proxy_hops: settings.trusted_proxy_hops,
            proxy_secrets: settings.proxy_secrets.clone(),
            request_metrics: settings.request_metrics.clone().map(Arc::new),
            keyring: Keyring::new(store.clone()),
            store,
        }
    }

    /// Opens the connections and fetches what requests will need, while Lambda lends a full CPU. What fails here is
    /// tried again by the first request that needs it. Only a function that `seals` may read the secrets.
    pub async fn warm(&self, seals: bool) {
        if tokio::time::timeout(WARM_UP, self.prepare(seals)).await.is_err() {
            tracing::warn!("warming up took too long; the first request tries again");
        }
    }

    async fn prepare(&self, seals: bool) {
        let secret = async { if seals { self.keyring.warm().await } else { Ok(()) } };
        let (keys, secret, calls) = tokio::join!(self.verifier.warm(), secret, self.store.warm());
        for failure in [keys.err(), secret.err(), calls.err()].into_iter().flatten() {
            tracing::warn!(cause = ?failure, "warming up failed; the first request tries again");
        }
    }
}

/// What AWS's own certificates come from; to read all that the system trusts takes a millisecond of each cold start.
/// Where `SSL_CERT_FILE` is set, its certificates are trusted instead.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// One connector for all clients: certificates are read once, and connections are shared.
fn tls_connector() -> SharedHttpConnector {
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    let roots = match variable("SSL_CERT_FILE") {
        Ok(_) => TrustStore::default(),
        Err(_) => TrustStore::empty().with_pem_certificate(AMAZON_ROOTS),
    };
    let connector = Connector::builder().connector_settings(connector_settings(CONNECT)).tls_provider(tls);
    let connector = match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => connector.tls_context(context),
        Err(_) => connector,
    };
    SharedHttpConnector::new(connector.build())
}

/// How long a connection to AWS may take, and one to an emulator, whose machine may serve hundreds of requests at once.
const CONNECT: Duration = Duration::from_secs(1);
const LOCAL_CONNECT: Duration = Duration::from_secs(10);

fn connector_settings(connect: Duration) -> HttpConnectorSettings {
    HttpConnectorSettings::builder().connect_timeout(connect).read_timeout(FILE_ATTEMPT).build()
}

fn shared(http: &SharedHttpConnector) -> aws_smithy_runtime_api::client::http::SharedHttpClient {
    let http = http.clone();
    http_client_fn(move |_, _| http.clone())
}
