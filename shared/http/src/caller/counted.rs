//! The limits of a caller, and the record of its rejected tries.

use domain::{Actor, AuditAction, AuditEntry, Error, Upload};
use store::UserRecord;

use super::{Caller, Credential};
use crate::limit::{Limited, account};
use crate::tries::Proof;

impl Caller {
    /// Counts a question whether somebody exists.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn asks_who_exists(&self) -> Result<(), Error> {
        self.app.limiter.take(Limited::ExistsByCredential, &self.limit_name(), &self.reports).await
    }

    /// Counts a try at the caller's own password, as a login from the same source would be: 1 read.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn tries_password(&self) -> Result<(), Error> {
        let (user, limiter) = (self.session()?.claims.user_id, &self.app.limiter);
        let name = account(user);
        let taken = limiter.take_at(Limited::LoginByAccount, &name, self.source, &self.reports);
        let (taken, failed) = tokio::join!(taken, limiter.check_failures(Proof::Password, (&name, user), self.source));
        taken.and(failed)
    }

    /// Counts a message to an address that the caller chooses, as a recovery from the same source would be: 1 write.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_mail_limit(&self) -> Result<(), Error> {
        let name = account(self.session()?.claims.user_id);
        self.app.limiter.take_at(Limited::RecoveryByAccount, &name, self.source, &self.reports).await
    }

    /// Counts and records a try at the caller's own password that proved to be wrong: 2 writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_wrong_password(&self, record: &UserRecord) -> Result<(), Error> {
        let name = account(record.user.id);
        let counted = self.app.limiter.record_failure(Proof::Password, &name, self.source);
        tokio::try_join!(counted, self.record_rejected(AuditAction::PasswordRejected, record)).map(drop)
    }

    /// Records that what the caller proves itself with was wrong: 1 write.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_rejected(&self, action: AuditAction, record: &UserRecord) -> Result<(), Error> {
        let entry = AuditEntry::new(action, record.audit_scope(), record.user.id, self.act()).failed();
        self.app.store.record_audit(&entry).await
    }

    /// Counts an upload that is about to begin against the quota of the caller: of a team where the segment is its own, else
    /// of one user.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn counts_upload(&self, upload: &Upload) -> Result<(), Error> {
        let by = self.actor();
        let is_user = matches!(by, Actor::User(user) if user != upload.owner_id);
        self.app.store.count_upload(upload, by, self.app.limiter.upload_quota(is_user)).await
    }

    /// The name under which requests are counted: a key and its tokens share one.
    pub(super) fn limit_name(&self) -> String {
        match &self.credential {
            Credential::Token(_) => self.credential(),
            Credential::Key(key) => format!("key:{}", key.hash()),
        }
    }
}
