//! Rate limits: a process borrows requests from the table in batches, so that a limit costs a fraction of a write.
//!
//! What one process has borrowed and does not use, no other can: so batches begin with one request and double, and a
//! process that serves many requests at once borrows for all of them together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use domain::{Error, Origin, Time, UserId};
use store::{Store, UploadQuota};

use crate::source::source;

/// How often things may be done within a minute, and how often they may fail within a day.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    credential: u64,
    key_by_source: u64,
    idempotency_by_source: u64,
    sign_up_by_source: u64,
    developers_by_source: u64,
    developer_tokens_by_source: u64,
    login_by_account: u64,
    login_by_source: u64,
    recovery_by_account: u64,
    recovery_by_source: u64,
    code_by_account: u64,
    exists_by_credential: u64,
    exists_by_source: u64,
    pub(crate) failures_by_source: u64,
    uploads_by_user: UploadQuota,
    uploads_by_team: UploadQuota,
    pub(crate) failures_by_account: u64,
}

/// What a user of a segment may upload.
const USER_UPLOADS: UploadQuota = UploadQuota { files: 200, bytes: 1 << 30, pending: 50 };

/// What a master user or a key may upload.
const TEAM_UPLOADS: UploadQuota = UploadQuota { files: 20_000, bytes: 100 << 30, pending: 2_000 };

impl Limits {
    /// The default limits, each times `factor`.
    #[must_use]
    pub fn times(factor: u64) -> Self {
        let times = |quota: UploadQuota| UploadQuota {
            files: quota.files * factor,
            bytes: quota.bytes * factor,
            pending: quota.pending * factor,
        };
        Self {
            uploads_by_user: times(USER_UPLOADS),
            uploads_by_team: times(TEAM_UPLOADS),
            credential: 600 * factor,
            key_by_source: 60 * factor,
            idempotency_by_source: 60 * factor,
            sign_up_by_source: 10 * factor,
            developers_by_source: 5 * factor,
            // Clients ask for one before each look-up.
            developer_tokens_by_source: 600 * factor,
            login_by_account: 10 * factor,
            login_by_source: 60 * factor,
            recovery_by_account: 3 * factor,
            recovery_by_source: 20 * factor,
            code_by_account: 5 * factor,
            exists_by_credential: 30 * factor,
            exists_by_source: 60 * factor,
            failures_by_source: 20 * factor,
            // Ten sources that all reach theirs: a few strangers cannot.
            failures_by_account: 200 * factor,
        }
    }
}

/// What is limited, and to whom it is counted: by account always means an account together with a source.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limited {
    Credential,
    KeyBySource,
    IdempotencyBySource,
    SignUpBySource,
    DevelopersBySource,
    DeveloperTokensBySource,
    LoginByAccount,
    LoginBySource,
    RecoveryByAccount,
    RecoveryBySource,
    CodeByAccount,
    ExistsByCredential,
    ExistsBySource,
}

impl Limited {
    /// The name that clients see, how many requests a minute has, and how many of them a process borrows at once at
    /// the most: one by one where a limit guards a secret.
    fn policy(self, limits: &Limits) -> Policy {
        let (name, limit) = match self {
            Self::Credential => {
                let limit = limits.credential;
                return Policy { name: "credential", limit, most: (limit / 10).max(1) };
            }
            Self::DeveloperTokensBySource => {
                let limit = limits.developer_tokens_by_source;
                return Policy { name: "developer-token", limit, most: (limit / 10).max(1) };
            }
            Self::DevelopersBySource => ("developer", limits.developers_by_source),
            Self::KeyBySource => ("unknown-key", limits.key_by_source),
            Self::IdempotencyBySource => ("idempotency", limits.idempotency_by_source),
            Self::SignUpBySource => ("sign-up", limits.sign_up_by_source),
            Self::LoginByAccount => ("login-account", limits.login_by_account),
            Self::LoginBySource => ("login", limits.login_by_source),
            Self::RecoveryByAccount => ("recovery-account", limits.recovery_by_account),
            Self::RecoveryBySource => ("recovery", limits.recovery_by_source),
            Self::CodeByAccount => ("code", limits.code_by_account),
            Self::ExistsByCredential => ("exists", limits.exists_by_credential),
            Self::ExistsBySource => ("exists-source", limits.exists_by_source),
        };
        Policy { name, limit, most: 1 }
    }
}

#[derive(Debug, Clone, Copy)]
struct Policy {
    name: &'static str,
    limit: u64,
    most: u64,
}

/// The length of a window, in seconds.
const WINDOW: u64 = 60;

/// Leases of former windows are dropped when there are more than this.
const LEASES: usize = 10_000;

/// Counts requests against the limits.
#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    leases: Arc<Mutex<HashMap<String, Lease>>>,
    borrowing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lease {
    window: u64,
    /// Borrowed and not used yet.
    left: u64,
    /// Borrowed by all processes, as far as this one knows.
    lent: u64,
    /// How many were borrowed the last time.
    batch: u64,
}

/// What a request's answer says of the limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Report {
    policy: Policy,
    remaining: u64,
    reset: u64,
}

/// Where extractors leave their reports for the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<Report>>>);

impl Limiter {
    pub(crate) fn new(store: Store, limits: Limits) -> Self {
        Self { store, limits, leases: Arc::default(), borrowing: Arc::default() }
    }

    /// Returns the quota of uploads of a user of a segment, or of a team.
    pub(crate) fn upload_quota(&self, is_user: bool) -> UploadQuota {
        if is_user { self.limits.uploads_by_user } else { self.limits.uploads_by_team }
    }

    /// Takes one request of `subject`.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where none is left in this window.
    pub(crate) async fn take(&self, what: Limited, subject: &str, reports: &Reports) -> Result<(), Error> {
        let policy = what.policy(&self.limits);
        let now = u64::try_from(Time::now().seconds()).unwrap_or_default();
        let (window, reset) = (now / WINDOW, WINDOW - now % WINDOW);
        let key = format!("{}|{subject}", policy.name);
        let lease = self.lease(&key, window, policy).await?;
        let remaining = lease.map(|lease| policy.limit.saturating_sub(lease.lent) + lease.left);
        reports.add(Report { policy, remaining: remaining.unwrap_or(0), reset });
        if remaining.is_some() { Ok(()) } else { Err(Error::RateLimited { retry_after: reset }) }
    }

    /// Takes one request of a source at an account.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where none is left in this window.
    pub(crate) async fn take_at(
        &self,
        what: Limited,
        account: &str,
        source: IpAddr,
        reports: &Reports,
    ) -> Result<(), Error> {
        self.take(what, &format!("{account}|{}", source_name(source)), reports).await
    }

    /// A lease from which a request has been taken.
    async fn lease(&self, key: &str, window: u64, policy: Policy) -> Result<Option<Lease>, Error> {
        if policy.most == 1 {
            return self.borrow(key, window, policy).await;
        }
        if let Some(lease) = self.borrowed(key, window) {
            return Ok(Some(lease));
        }
        // One borrows for all who wait: each for itself would have used up the minute at once.
        let _one = self.borrowing.lock().await;
        match self.borrowed(key, window) {
            Some(lease) => Ok(Some(lease)),
            None => self.borrow(key, window, policy).await,
        }
    }

    /// Takes from what is borrowed already.
    fn borrowed(&self, key: &str, window: u64) -> Option<Lease> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let lease = leases.get_mut(key).filter(|lease| lease.window == window && lease.left > 0)?;
        lease.left -= 1;
        Some(*lease)
    }

    /// Borrows twice as many as the last time, or else, near the end, a single request, and takes one of them.
    async fn borrow(&self, key: &str, window: u64, policy: Policy) -> Result<Option<Lease>, Error> {
        let expires_at = Time::now().plus(Duration::from_secs(2 * WINDOW));
        let doubled = (2 * self.last_batch(key, window)).clamp(1, policy.most);
        for batch in [doubled, 1] {
            if let Some(lent) = self.store.lease(key, window, (batch, policy.limit), expires_at).await? {
                return Ok(Some(self.keep(key, Lease { window, left: batch - 1, lent, batch })));
            }
            if batch == 1 {
                break;
            }
        }
        Ok(None)
    }

    fn last_batch(&self, key: &str, window: u64) -> u64 {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.get(key).filter(|lease| lease.window == window).map_or(0, |lease| lease.batch)
    }

    fn keep(&self, key: &str, new: Lease) -> Lease {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() >= LEASES {
            leases.retain(|_, lease| lease.window == new.window);
        }
        leases.insert(key.to_owned(), new);
        new
    }
}

impl Reports {
    fn add(&self, report: Report) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }

    /// Writes the `RateLimit` and `RateLimit-Policy` headers (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Limits are counted at the same time: the order in which they were done would tell which accounts exist.
        reports.sort_by_key(|report| report.policy.name);
        let list = |each: fn(&Report) -> String| {
            let listed = reports.iter().map(each).collect::<Vec<_>>().join(", ");
            HeaderValue::from_str(&listed).ok().filter(|_| !reports.is_empty())
        };
        let policies = list(|report| format!("\"{}\";q={};w={WINDOW}", report.policy.name, report.policy.limit));
        let limits = list(|report| format!("\"{}\";r={};t={}", report.policy.name, report.remaining, report.reset));
        if let (Some(policies), Some(limits)) = (policies, limits) {
            headers.insert("ratelimit-policy", policies);
            headers.insert("ratelimit", limits);
        }
    }
}

/// The name under which what is tried at a user's account counts, however the account was named.
pub(crate) fn account(user: UserId) -> String {
    format!("user:{user}")
}

/// The name under which a source counts: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has.
pub(crate) fn source_name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX));
            format!("{network}/64")
        }
    }
}

/// Where this request's reports go.
pub(crate) fn reports(parts: &Parts) -> Reports {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// Returns the origin of the request, for the audit.
pub(crate) fn origin(parts: &Parts) -> Arc<Origin> {
    let agent = parts.headers.get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
    Arc::new(Origin::new(Some(source(parts)), agent.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_sources_count_by_their_network() {
        let name = |text: &str| text.parse().map(source_name).unwrap_or_default();
        assert_eq!(name("203.0.113.7"), "203.0.113.7");
        assert_eq!(name("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(name("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(name("2001:db8:1:2::1"), name("2001:db8:1:2:ffff::9"));
        assert_ne!(name("2001:db8:1:2::1"), name("2001:db8:1:3::1"));
    }
}
