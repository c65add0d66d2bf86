//! Does the jobs that changes have left: each from where it was left off, and none of them for ever in one run.

use std::borrow::Cow;
use std::time::Duration;

use domain::{Act, AuditAction, AuditEntry, AuditScope, Error, MemberId, SegmentId, Time, UserId};
use files::{Files, ObjectKey};
use futures_util::future::join_all;
use identity::Identity;
use store::{Configuration, Job, Progress, Store, Tries};
use uuid::Uuid;

use crate::{AT_ONCE, traces, undo};

/// What jobs work on.
pub type System<'a> = (&'a Store, &'a Identity, &'a Files);

/// So long goes one job on while others wait.
const SLICE: Duration = Duration::from_secs(60);

/// Does all jobs that nobody else is doing, until `end`; what is left then, the next run goes on with.
///
/// # Errors
/// The last of those that failed; the others are done, and the next run tries it again.
pub async fn run((store, identity, files): System<'_>, end: Time) -> Result<(), Error> {
    let mut outcome = Ok(());
    for kind in Job::KINDS {
        for job in store.jobs(kind).await? {
            if Time::now() > end {
                return outcome;
            }
            let until = end.min(Time::now().plus(SLICE));
            let done = one((store, identity, files), job, until).await;
            if let Err(error) = &done {
                tracing::error!(?job, cause = ?error, "a job could not be finished; the next run tries again");
            }
            outcome = done.and(outcome);
        }
    }
    outcome
}

async fn one(system: System<'_>, job: Job, end: Time) -> Result<(), Error> {
    let (store, ..) = system;
    let Some(taken) = store.take_job(job).await? else { return Ok(()) };
    let Some(progress) = work(system, job, (taken, end)).await? else { return Ok(()) };
    // Joining and answering ask nothing of the membership's item, which would be contended: what began before the change
    // and has not ended may still write what the job was to find.
    let overtaken = matches!(
        job,
        Job::EraseSegment(_) | Job::EraseMembership(_) | Job::EraseImport(_) | Job::EraseExport(_) | Job::Refresh(_)
    );
    if progress.is_early() && overtaken {
        return store.job_again(job, &progress).await;
    }
    store.job_done(job, &progress).await
}

/// Does a job; `None` where time was up before its end.
async fn work(
    (store, identity, files): System<'_>,
    job: Job,
    (progress, end): (Progress, Time),
) -> Result<Option<Progress>, Error> {
    match job {
        Job::EraseSegment(id) => return erase_segment((store, identity), (job, id), (progress, end)).await,
        Job::EraseMember(id) => store.erase_member(id).await?,
        Job::EndKeys(account, key) => {
            let (scope, act) = (AuditScope::of_account(account), Act::by_itself("reconcile"));
            store.end_child_keys(key, &AuditEntry::new(AuditAction::KeyRevoked, scope, key, act)).await?;
        }
        Job::EraseTraces(segment, user) => {
            if !traces::erase_traces((store, files), (segment, user)).await? {
                return store.job_again(job, &progress).await.map(|()| None);
            }
        }
        Job::Undo(first) => {
            let users = store.undone(first).await?;
            undo(store, identity, &users, Act::by_itself("reconcile")).await?;
        }
        Job::EraseUpload(_) | Job::EraseUnaccepted(_) | Job::EraseImport(_) | Job::EraseExport(_) => {
            erase_files(store, files, job).await?;
        }
        Job::EraseMembership(id) => {
            // A request that was cut off has been repeated and made it once more: its members are not those that go.
            match store.membership(id).await {
                Err(Error::NotFound) => {}
                found => return found.map(|_| Some(progress)),
            }
            let erase = |member: Uuid| one_member(store, member.into(), None);
            let left = each(store, job, progress, end, |after| store.member_ids(id, after), erase).await?;
            if left.is_some() {
                store.erase_membership(id).await?;
            }
            return Ok(left);
        }
        Job::Refresh(id) => {
            let configuration = match store.configuration(id).await {
                // Deleted since.
                Err(Error::NotFound) => return store.job_done(job, &progress).await.map(|()| None),
                read => store.with_catalogs(read?).await?,
            };
            let refresh = |member: Uuid| one_member(store, member.into(), Some(&configuration));
            return each(store, job, progress, end, |after| store.member_ids(id, after), refresh).await;
        }
    }
    Ok(Some(progress))
}

/// Erases a segment that is deleted with its users, and leaves the files of its imports and exports to jobs.
async fn erase_segment(
    (store, identity): (&Store, &Identity),
    (job, id): (Job, SegmentId),
    (progress, end): (Progress, Time),
) -> Result<Option<Progress>, Error> {
    // A request that was cut off has been repeated, and has made it once more.
    match store.segment(id).await {
        Err(Error::NotFound) => {}
        found => return found.map(|_| Some(progress)),
    }
    let erase = |user| erase_user(store, identity, user);
    let left = each(store, job, progress, end, |after| store.user_ids(id, after), erase).await?;
    if left.is_some() {
        store.leave_transfers(id).await?;
        store.erase_segment(id).await?;
    }
    Ok(left)
}

/// Erases the files that a job is about.
async fn erase_files(store: &Store, files: &Files, job: Job) -> Result<(), Error> {
    match job {
        Job::EraseUpload(id) => Ok(files.erase(id.uuid()).await?),
        Job::EraseUnaccepted(id) => {
            if store.forget_unaccepted(id).await? {
                files.erase(id.uuid()).await?;
            }
            Ok(())
        }
        Job::EraseImport(id) => {
            files.erase_import(id.uuid()).await?;
            store.erase_batches(id).await
        }
        Job::EraseExport(id) => Ok(files.delete(&ObjectKey::export(id.uuid())).await?),
        Job::EraseSegment(_)
        | Job::EraseMember(_)
        | Job::EraseMembership(_)
        | Job::EraseTraces(..)
        | Job::Refresh(_)
        | Job::Undo(_)
        | Job::EndKeys(..) => Ok(()),
    }
}

/// Does something with each row of a directory in the order of their ids, as `some` lists them; `None` where time is up,
/// or the job has begun again.
async fn each<L: Future<Output = Result<Vec<Uuid>, Error>>, D: Future<Output = Result<(), Error>>>(
    store: &Store,
    job: Job,
    mut progress: Progress,
    end: Time,
    some: impl Fn(Option<Uuid>) -> L,
    with: impl Fn(Uuid) -> D,
) -> Result<Option<Progress>, Error> {
    loop {
        let after = progress.reached.as_deref().and_then(|id| id.parse().ok());
        let rows = some(after).await?;
        for some in rows.chunks(AT_ONCE) {
            let done = join_all(some.iter().map(|row| with(*row))).await;
            done.into_iter().collect::<Result<(), Error>>()?;
        }
        let Some(last) = rows.last() else { return Ok(Some(progress)) };
        match store.job_reached(job, &progress, last.to_string()).await? {
            Some(reached) if Time::now() < end => progress = reached,
            Some(_) | None => return Ok(None),
        }
    }
}

/// Erases a user whose segment is deleted.
async fn erase_user(store: &Store, identity: &Identity, id: Uuid) -> Result<(), Error> {
    let id = UserId::from(id);
    // The identity of one that has purged itself is gone; its tombstone is not. A password that is being set may have
    // created an identity that the record does not name yet.
    if store.user(id).await?.is_some_and(|record| record.has_login || record.pending.is_some()) {
        identity.delete(id).await?;
    }
    store.erase_with_segment(id).await
}

async fn one_member(store: &Store, member: MemberId, configuration: Option<&Configuration>) -> Result<(), Error> {
    let done = match configuration {
        Some(configuration) => refresh(store, member, configuration).await,
        // The membership's end is told, not that of each member.
        None => store.delete_member_now(member, Act::by_itself("reconcile").untold()).await,
    };
    match done {
        Err(Error::Unavailable(cause)) => Err(Error::Unavailable(cause)),
        Err(error) => {
            // The same member would be in the way of all behind it for ever.
            tracing::error!(cause = ?error, "a member could not be brought up to date; the others are");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Finds a member by what the levels and fields are now: those that the job has read, or later ones.
async fn refresh(store: &Store, member: MemberId, configuration: &Configuration) -> Result<(), Error> {
    let mut configuration = Cow::Borrowed(configuration);
    let mut tries = Tries::default();
    loop {
        let record = match store.member(member).await {
            // Deleted since.
            Err(Error::NotFound) => return Ok(()),
            found => found?,
        };
        match store.refresh_member(&record, &configuration).await {
            // Somebody has changed it meanwhile, perhaps under other levels and fields.
            Err(Error::Stale) => tries.again().await?,
            refreshed => return refreshed.map(drop),
        }
        configuration = match store.configuration(record.member.membership_id).await {
            // Deleted since.
            Err(Error::NotFound) => return Ok(()),
            read => Cow::Owned(store.with_catalogs(read?).await?),
        };
    }
}
