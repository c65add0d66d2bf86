//! The functions as one router, over AWS or whatever answers like it.

use std::time::Duration;

use arrivals::Arrivals;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cognitoidentityprovider as cognito;
use aws_sdk_dynamodb as dynamodb;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_s3 as s3;
use aws_sdk_sesv2 as ses;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use axum::Router;
use domain::PublicUrl;
use edge::{App, Clients, DeveloperRegistration, Limits, Origins, Settings, SignUpMode, TrustedProxyHops};
use events::{Bus, Events, Sender};
use files::Files;
use identity::{ClientSecret, Identity, Pool};
use mail::Mail;
use notifications::Notifications;
use store::Table;
use transfers::Transfers;
use utoipa_axum::router::OpenApiRouter;

use crate::gateway::Gateway;
use crate::permissions::Permissions;

/// Where the services answer.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// DynamoDB.
    pub dynamodb: String,
    /// S3.
    pub s3: String,
    /// Cognito.
    pub cognito: String,
    /// SES, by which notices go out; none go out without it.
    pub ses: Option<String>,
}

/// What the functions are connected to.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// Where the services answer.
    pub endpoints: Endpoints,
    /// The region.
    pub region: String,
    /// Access key and secret.
    pub credentials: (String, String),
    /// The table.
    pub table: String,
    /// The bucket.
    pub bucket: String,
    /// Whether files wait for a malware scan.
    pub malware_scan: bool,
    /// The user pool.
    pub pool_id: String,
    /// Its app client.
    pub client_id: String,
    /// The app client's secret, where it has one.
    pub client_secret: Option<String>,
    /// What its tokens name as their issuer.
    pub issuer: String,
    /// Who may sign up.
    pub sign_up: SignUpMode,
    /// Who may register developers.
    pub developer_registration: DeveloperRegistration,
    /// How many times the default limits.
    pub rate_limit_factor: u64,
    /// For how long the files of exports and the reports of imports are kept.
    pub export_retention: Duration,
    /// Where clients reach the API; without it, links name the host by which this machine was called.
    pub public_url: Option<PublicUrl>,
    /// How many proxies in front of it are trusted.
    pub trusted_proxy_hops: TrustedProxyHops,
    /// How long a function may run.
    pub function_timeout: Duration,
    /// Sees each call to DynamoDB.
    pub interceptor: Option<SharedInterceptor>,
}

/// The functions, connected.
#[derive(Debug, Clone)]
pub struct Functions {
    /// What all share.
    pub app: App,
    /// The credentials.
    pub identity: Identity,
    /// Notices to people.
    pub mail: Mail,
    /// The files.
    pub files: Files,
    gateway: Gateway,
    wiring: Wiring,
    clients: Clients,
}

impl Functions {
    /// Connects the functions.
    #[must_use]
    pub fn connect(wiring: &Wiring) -> Self {
        let clients = Clients::without_tls(wiring.config(), wiring.function_timeout);
        Self::connect_as(wiring, clients, None)
    }

    /// Connects clients that may do what the policies of one function allow.
    #[must_use]
    pub fn acting_as(&self, function: &'static str) -> Self {
        Self::connect_as(&self.wiring, self.clients.clone(), Some(function))
    }

    fn connect_as(wiring: &Wiring, clients: Clients, function: Option<&'static str>) -> Self {
        let permissions = Permissions::new(wiring, function).interceptor();
        let mut table = dynamodb::config::Builder::from(&clients.config)
            .endpoint_url(&wiring.endpoints.dynamodb)
            .interceptor(permissions.clone());
        if let Some(interceptor) = wiring.interceptor.clone() {
            table.push_interceptor(interceptor);
        }
        let table = Table::new(table, &wiring.table);
        let pool = cognito::config::Builder::from(&clients.config).endpoint_url(&wiring.endpoints.cognito);
        let pool = pool.interceptor(permissions.clone()).build();
        let settings = wiring.settings();
        let identity = Identity::new(cognito::Client::from_conf(pool), &settings.pool);
        let bucket = s3::config::Builder::from(&clients.file_config()).endpoint_url(&wiring.endpoints.s3);
        let bucket = bucket.interceptor(permissions.clone()).build();
        let files = Files::new(s3::Client::from_conf(bucket), &wiring.bucket);
        let mail = match &wiring.endpoints.ses {
            Some(endpoint) => {
                let ses = ses::config::Builder::from(&clients.config).endpoint_url(endpoint);
                let ses = ses.interceptor(permissions).build();
                Mail::new(ses::Client::from_conf(ses), Some("Muster <muster@localhost>".to_owned()))
            }
            None => Mail::default(),
        };
        let app = App::with_table(&settings, &clients, table);
        Self {
            app,
            identity,
            mail,
            files,
            gateway: Gateway { function_timeout: wiring.function_timeout, base_path: settings.base_path().to_owned() },
            wiring: wiring.clone(),
            clients,
        }
    }

    /// What checks files that have arrived.
    #[must_use]
    pub fn arrivals(&self) -> Arrivals {
        let Self { app, files, wiring, .. } = self.acting_as("Arrivals");
        Arrivals { store: app.store, files, scanned: wiring.malware_scan }
    }

    /// What does imports and exports.
    #[must_use]
    pub fn transfers(&self) -> Transfers {
        let Self { app, files, wiring, .. } = self.acting_as("Transfers");
        Transfers { store: app.store, files, retention: wiring.export_retention }
    }

    /// What sends push notifications.
    #[must_use]
    pub fn notifications(&self, sender: notifications::Sender) -> Notifications {
        Notifications { store: self.acting_as("Notifications").app.store, sender }
    }

    /// What sends events, to `bus` and to webhooks anywhere.
    #[must_use]
    pub fn events(&self, bus: Bus) -> Events {
        Events::new(self.acting_as("Events").app.store, bus, Sender::to_anywhere())
    }

    /// All routes behind API Gateway, for [`crate::serve`].
    pub fn router(&self) -> Router {
        let gateway = self.gateway.clone();
        let routes = self.routes();
        Router::new().fallback(move |from, request| gateway.clone().answer(routes.clone(), from, request))
    }

    /// All routes, with the edge around them, as Lambda calls them.
    pub fn routes(&self) -> Router {
        let (app, identity) = (self.app.clone(), self.identity.clone());
        let auth = auth::router().with_state(auth::State {
            app: app.clone(),
            identity: identity.clone(),
            mail: self.mail.clone(),
        });
        let users = users::router().with_state(users::State { app: app.clone(), identity, mail: self.mail.clone() });
        let data = [
            addresses::router(),
            keys::router(),
            segments::router(),
            memberships::router(),
            members::router(),
            push::router(),
        ];
        let data = data.into_iter().map(|router| router.with_state(app.clone()));
        let most_rows = uploads::MostRows(domain::upload::MOST_ROWS);
        let uploads = uploads::State { app: app.clone(), files: self.files.clone(), most_rows };
        let uploads = uploads::router().with_state(uploads);
        let machine = imports::Machine::Looks;
        let imports = imports::State { app: app.clone(), files: self.files.clone(), machine };
        let imports = imports::router().with_state(imports);
        // Whoever tries webhooks on this machine has a receiver on this machine.
        let webhooks = webhooks::router().with_state(webhooks::State { app: app.clone(), anywhere: true });
        let merged = [auth, users, uploads, imports, webhooks]
            .into_iter()
            .chain(data)
            .fold(docs::router(), OpenApiRouter::merge);
        let (files, mail) = (self.files.clone(), self.mail.clone());
        let dialects = dialects::State { app: app.clone(), identity: self.identity.clone(), files, mail };
        let merged = merged.merge(dialects::router().with_state(dialects));
        edge::wrap(merged, &app, dialects::DIALECTS)
    }
}

impl Wiring {
    /// The configuration that every client begins with.
    #[must_use]
    pub fn config(&self) -> SdkConfig {
        let (key, secret) = &self.credentials;
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(dynamodb::config::SharedCredentialsProvider::new(Credentials::new(
                key, secret, None, None, "local",
            )))
            .build()
    }

    fn settings(&self) -> Settings {
        Settings {
            table: self.table.clone(),
            pool: Pool {
                id: self.pool_id.clone(),
                client_id: self.client_id.clone(),
                client_secret: self.client_secret.as_deref().map(ClientSecret::new),
                issuer: self.issuer.clone(),
                jwks_url: format!("{}/{}/.well-known/jwks.json", self.endpoints.cognito, self.pool_id),
            },
            sign_up: self.sign_up,
            developer_registration: self.developer_registration,
            limits: Limits::times(self.rate_limit_factor),
            origins: Origins::Any,
            push: true,
            audit_retention: store::AUDIT_RETENTION,
            public_url: self.public_url.clone(),
            trusted_proxy_hops: self.trusted_proxy_hops,
            proxy_secrets: None,
            request_metrics: None,
        }
    }
}
