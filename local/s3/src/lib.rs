//! Amazon S3 for one machine: what a developer and the tests run against instead of the service.
//!
//! Requests are read, verified and answered by `s3s`; this crate keeps the buckets and is strict where a mistake
//! would show only in production. An object whose checksum or length was wrong is never kept, an unknown bucket is
//! never made, a key is never a path, and a header that should have been signed is refused when it was not.
//! What is not emulated answers 501, so that nothing is silently ignored.

mod cors;
mod digest;
mod error;
mod event;
mod operations;
mod receive;
mod server;
mod signed;
mod store;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;

pub use cors::CorsRule;
pub use error::Error;

use store::{Created, Store};

/// How to open a [`LocalS3`].
#[derive(Clone)]
pub struct Options {
    /// The folder that keeps the data, made if missing; with `None` all is gone when the last clone is dropped.
    pub data: Option<PathBuf>,
    /// The only access key whose signatures are accepted.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// The region that requests must be signed for.
    pub region: String,
}

/// Called with S3's event notification when an object has been created.
pub type OnCreated = Arc<dyn Fn(serde_json::Value) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The emulated service; clones share it.
#[derive(Clone)]
pub struct LocalS3 {
    shared: Arc<Shared>,
}

impl LocalS3 {
    /// Opens the data folder, which no other process may have open, and removes what a crash left half done.
    pub fn open(options: Options) -> Result<Self, Error> {
        let store = Store::open(options.data.as_deref())?;
        let on_created = Mutex::new(None);
        Ok(Self { shared: Arc::new(Shared { store, options, on_created }) })
    }

    /// Makes the bucket unless it exists.
    pub fn ensure_bucket(&self, name: &str) -> Result<(), Error> {
        if !s3s::path::check_bucket_name(name) {
            let reason = "its name is not one that S3 allows".to_owned();
            return Err(Error::Bucket { bucket: name.to_owned(), reason });
        }
        self.shared.store.create_bucket(name).map_err(|error| Error::bucket(name, &error))?;
        Ok(())
    }

    /// Replaces the bucket's CORS configuration; with no rule, browsers of other origins are shut out.
    pub fn set_cors(&self, bucket: &str, rules: &[CorsRule]) -> Result<(), Error> {
        cors::check(rules)
            .and_then(|()| self.shared.store.set_cors(bucket, rules))
            .map_err(|error| Error::bucket(bucket, &error))
    }

    /// Calls `hook` for each object created from now on, and for those whose call a crash cut off.
    ///
    /// At least once for each, in no order, as S3 does. A later hook replaces this one. Those of an earlier process
    /// are told when [`Self::serve`] starts, so set the hook before.
    pub fn on_created(&self, hook: OnCreated) {
        *self.shared.on_created.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Answers requests, path-style over HTTP/1.1, until the future is dropped.
    pub async fn serve(self, listener: TcpListener) {
        self.shared.deliver_pending();
        server::serve(self.shared, listener).await;
    }
}

/// What all requests share.
struct Shared {
    store: Store,
    options: Options,
    on_created: Mutex<Option<OnCreated>>,
}

impl Shared {
    fn hook(&self) -> Option<OnCreated> {
        self.on_created.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells the hook of a new object, without letting its writer wait.
    fn deliver(self: &Arc<Self>, created: Created) {
        let Some(hook) = self.hook() else { return };
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            hook(event::notification(&shared.options.region, &created)).await;
            // Only now: had the process died in the hook, the next one would call it again.
            if let Err(error) = shared.store.delivered(created.sequence) {
                tracing::error!(%error, "a delivered S3 event could not be removed and will be delivered again");
            }
        });
    }

    fn deliver_pending(self: &Arc<Self>) {
        if self.hook().is_none() {
            return;
        }
        match self.store.undelivered() {
            Ok(pending) => pending.into_iter().for_each(|created| self.deliver(created)),
            Err(error) => tracing::error!(%error, "the S3 events of an earlier run could not be read"),
        }
    }
}
