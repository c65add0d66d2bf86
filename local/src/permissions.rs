//! Permissions: a function may call AWS only as its policies in `template.yaml` allow, on this machine too.
//!
//! The gateway and the workers say which function runs. Each signed request is compared with that function's policies
//! before it is sent, as IAM compares it. A request outside of any function, such as one of a test, is an operator's.

mod access;
mod policy;
mod template;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, SharedInterceptor, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use self::access::{Names, read_accesses};
use self::policy::Policies;
use self::template::Template;
use crate::functions::Wiring;

tokio::task_local! {
    /// The function that answers the request of this task.
    static FUNCTION: &'static str;
}

#[expect(clippy::expect_used, reason = "the template is part of this program, and a test reads it")]
static POLICIES: LazyLock<Policies> =
    LazyLock::new(|| Policies::read(&Template::parse().expect("template.yaml is YAML")));

/// Names the file that each access is appended to once, as `Function action resource` or `Function action denied`.
const ACCESS_LOG: &str = "MUSTER_ACCESS_LOG";

/// Refuses the requests of a client that the policies of its function do not allow.
#[derive(Debug, Clone)]
pub struct Permissions {
    /// The only function that has this client; that of the task if none.
    function: Option<&'static str>,
    names: Names,
}

/// A denied request, in the words of IAM.
#[derive(Debug, thiserror::Error)]
#[error("AccessDenied: {function}Function is not authorized to perform {action} on resource {resource}")]
struct Denied {
    function: &'static str,
    action: String,
    resource: String,
}

/// Runs what a function does for a request to this path.
pub(crate) async fn run_function<T>(path: &str, running: impl Future<Output = T>) -> T {
    FUNCTION.scope(POLICIES.function_of(path).unwrap_or_default(), running).await
}

/// Lists what each function is granted: its name, the action, and the resource.
pub fn list_grants() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    POLICIES.all_grants().map(|(function, (action, resource))| (function, action, resource))
}

impl Permissions {
    /// Creates the permissions of one function, or of the one that answers the request.
    #[must_use]
    pub fn new(wiring: &Wiring, function: Option<&'static str>) -> Self {
        let (table, bucket, pool_id) = (wiring.table.clone(), wiring.bucket.clone(), wiring.pool_id.clone());
        Self { function, names: Names { table, bucket, pool_id } }
    }

    /// Returns what a client needs to ask for permission.
    #[must_use]
    pub fn interceptor(&self) -> SharedInterceptor {
        SharedInterceptor::new(self.clone())
    }
}

#[dyn_dispatch_hint]
impl Intercept for Permissions {
    fn name(&self) -> &'static str {
        "Permissions"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(function) = self.function.or_else(|| FUNCTION.try_with(|function| *function).ok()) else {
            return Ok(());
        };
        let request = context.request();
        // An unsigned request needs no permission: anybody may send it.
        let is_signed = request.headers().contains_key("authorization") || request.uri().contains("X-Amz-Signature=");
        let Some(called) = bag.load::<Metadata>().filter(|_| is_signed) else { return Ok(()) };
        let accesses = read_accesses(&self.names, called.service(), called.name(), request);
        if accesses.is_empty() {
            return Err(format!("{} of {} needs a permission that is unknown", called.name(), called.service()).into());
        }
        for access in accesses {
            let grants = POLICIES.grants(function, &access);
            if grants.is_empty() {
                record_access(format_args!("{function} {} denied", access.action));
                let denied = Denied { function, action: access.action, resource: access.resource };
                tracing::error!(%denied, "the template does not allow this");
                return Err(denied.into());
            }
            for (action, resource) in grants {
                record_access(format_args!("{function} {action} {resource}"));
            }
        }
        Ok(())
    }
}

/// Finds a member of an object; null where it has none.
fn find_member<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}

/// Appends an access to the log, once per process, where a log is asked for.
fn record_access(line: std::fmt::Arguments<'_>) {
    static LOG: LazyLock<Option<PathBuf>> = LazyLock::new(|| std::env::var_os(ACCESS_LOG).map(PathBuf::from));
    static RECORDED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let Some(log) = &*LOG else { return };
    let line = line.to_string();
    if !RECORDED.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
        return;
    }
    // One write, so that the lines of two processes do not mix.
    let appended = OpenOptions::new().create(true).append(true).open(log);
    if let Err(error) = appended.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())) {
        tracing::error!(%error, "an access could not be recorded");
    }
}
