//! A row becomes a user: a new one, or a change of the one that it finds.

use domain::segment::Settings;
use domain::transfer::RowStatus;
use domain::user::{Role, Unique, UserState};
use domain::{
    Act, Action, Email, Entry, Error, FieldError, MatchBy, MergePatch, ParsedBody, ReferenceId, Segment, Status, Time,
    User, UserFields, UserId,
};
use serde_json::Value;
use store::{Also, From, Scope, Tries, UserRecord, Window};

use crate::apply::Importing;
use crate::batch::ImportRow;

/// So many entries of a user's history are looked through for the row's own.
const ENTRIES: u32 = 100;

/// What came of a row, and the user that it made or found.
type Applied = (RowStatus, Option<UserId>);

impl Importing<'_> {
    /// Does a row.
    pub(crate) async fn applied(&self, segment: &Segment, row: ImportRow) -> Result<Applied, Error> {
        let body = row.body?;
        let Some(key) = self.key(&body)? else { return self.created(segment, row.number, body).await };
        let mut tries = Tries::default();
        loop {
            match self.transfers.store.user_by(Scope::Segment(segment.id), &key).await? {
                None => return self.created(segment, row.number, body).await,
                // The row itself has made it, before it was cut off.
                Some(found) if found.user.id == self.user_id(row.number) => {
                    return Ok((RowStatus::Created, Some(found.user.id)));
                }
                Some(found) => match self.changed(segment, row.number, (&found, body.clone())).await {
                    // Somebody has changed it meanwhile.
                    Err(Error::Stale) => tries.again().await?,
                    changed => return changed.map(|status| (status, Some(found.user.id))),
                },
            }
        }
    }

    /// By what the row finds its user.
    fn key(&self, body: &Value) -> Result<Option<Unique>, Error> {
        let by = self.import.fields.match_by.0;
        let text =
            |name: &str| body.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let missing =
            |name: &str| Error::invalid(&format!("/{name}"), "required", "is required: by it the row finds its user");
        let wrong = |name: &str, (code, message)| Error::invalid(&format!("/{name}"), code, message);
        match by {
            MatchBy::None => Ok(None),
            MatchBy::ReferenceId => {
                let id = text("reference_id").ok_or_else(|| missing("reference_id"))?;
                let id = ReferenceId::parse(&id).map_err(|broken| wrong("reference_id", broken))?;
                Ok(Some(Unique::reference(&id)))
            }
            MatchBy::Email => {
                let email = text("email").ok_or_else(|| missing("email"))?;
                let email = Email::parse(&email).map_err(|broken| wrong("email", broken))?;
                Ok(Some(Unique::email(&email)))
            }
        }
    }

    async fn created(&self, segment: &Segment, number: u64, body: Value) -> Result<Applied, Error> {
        let mut new = ParsedBody::<UserFields>::parse(body);
        new.check_in(&segment.fields.settings.0, None);
        let id = self.user_id(number);
        // Its time as a row is the import's, like its id; what is told of it begins now.
        let made = User::of_segment(id, segment.id, new.readable()?.clone(), Time::of(id.uuid()));
        let identification_scope = segment.fields.settings.0.identification_scope.0;
        let user = User { updated_at: Time::now(), identification_scope, ..made };
        new.add_errors(self.transfers.store.check_photo(None, &user, self.import.actor).await?);
        if self.import.fields.dry_run.0 {
            new.add_errors(self.rehearsed(None, &user).await?);
        }
        new.into_result()?;
        if self.import.fields.dry_run.0 {
            return Ok((RowStatus::Created, None));
        }
        let entry = Entry::between(None, &user, Action::Created, Act::of(self.import.actor, &self.request(number)));
        match self.transfers.store.create_user(&user, segment.owner_id, &entry).await {
            // The row itself has made it, before it was cut off.
            Err(error @ (Error::Conflict(_) | Error::Invalid(_))) => {
                if self.transfers.store.user(id).await?.is_none() {
                    return Err(error);
                }
            }
            made => drop(made?),
        }
        Ok((RowStatus::Created, Some(id)))
    }

    async fn changed(
        &self,
        segment: &Segment,
        number: u64,
        (found, body): (&UserRecord, Value),
    ) -> Result<RowStatus, Error> {
        let request = self.request(number);
        if found.user.updated_at >= self.import.created_at && self.is_done(found.user.id, &request).await? {
            return Ok(RowStatus::Updated);
        }
        let user = &found.user;
        let after = patched(user, body, &segment.fields.settings.0)?;
        let entry = Entry::between(Some(user), &after, Action::Updated, Act::of(self.import.actor, &request));
        let mut errors: Vec<_> = login(found, &after).into_iter().collect();
        errors.extend(self.transfers.store.check_photo(Some(user), &after, self.import.actor).await?);
        if self.import.fields.dry_run.0 {
            errors.extend(self.rehearsed(Some(user), &after).await?);
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        if entry.changes.is_empty() {
            return Ok(RowStatus::Unchanged);
        }
        if !self.import.fields.dry_run.0 {
            self.transfers.store.change_user(found, &after, &entry, Also::default()).await?;
        }
        Ok(RowStatus::Updated)
    }

    /// What the history of a user calls the row.
    fn request(&self, number: u64) -> String {
        format!("{}/{number}", self.import.id)
    }

    /// Whether this very row has changed the user before it was cut off.
    async fn is_done(&self, user: UserId, request: &str) -> Result<bool, Error> {
        let (from, filters, ids) = (From::Offset(0), Vec::new(), (None, None));
        let window = Window { size: ENTRIES, from, descending: true, filters, ids };
        let entries = self.transfers.store.entries(user, &window).await?;
        Ok(entries.rows.iter().any(|entry| entry.request_id == request))
    }

    /// What the table would refuse, where nothing is to be written.
    async fn rehearsed(&self, before: Option<&User>, user: &User) -> Result<Vec<FieldError>, Error> {
        let had = before.map(User::unique_values).unwrap_or_default();
        let new: Vec<_> = user.unique_values().into_iter().filter(|unique| !had.contains(unique)).collect();
        let mut errors = self.claims(&new);
        for unique in &new {
            let holder = self.transfers.store.holder(Scope::Segment(self.import.segment_id), unique).await?;
            if holder.is_some() && !errors.contains(&unique.taken()) {
                errors.push(unique.taken());
            }
        }
        errors.extend(self.unknown(before, user).await?);
        let had = before.and_then(|before| before.fields.parent_id);
        if let Some(parent) = user.fields.parent_id.filter(|parent| Some(*parent) != had) {
            let found = self.transfers.store.user(parent).await?.map(|record| record.user);
            let fits = found.is_some_and(|parent| {
                parent.segment_id == user.segment_id
                    && parent.status != Status::Deleted
                    && parent.fields.parent_id.is_none()
            });
            if !fits {
                let message = "must be the id of a user of this segment who has no parent itself";
                errors.push(FieldError::new("/parent_id", "unknown", message));
            }
        }
        Ok(errors)
    }
}

impl Importing<'_> {
    /// What a row newly names that the segment does not have.
    async fn unknown(&self, before: Option<&User>, user: &User) -> Result<Vec<FieldError>, Error> {
        let (store, segment) = (&self.transfers.store, self.import.segment_id);
        let (had, has) = (before.map(|before| &before.fields), &user.fields);
        let mut errors = Vec::new();
        let mut refuse = |field: &str, thing: &str| {
            errors.push(FieldError::new(field, "unknown", &format!("must be the id of a {thing} of this segment")));
        };
        if let Some(partner) = has.partner_id.filter(|id| had.and_then(|had| had.partner_id) != Some(*id))
            && missing(store.partner(segment, partner).await)?
        {
            refuse("/partner_id", "partner");
        }
        if let Some(status) = has.status_id.filter(|id| had.and_then(|had| had.status_id) != Some(*id))
            && missing(store.custom_status(segment, status).await)?
        {
            refuse("/status_id", "status");
        }
        Ok(errors)
    }
}

fn missing<T>(found: Result<T, Error>) -> Result<bool, Error> {
    match found {
        Err(Error::NotFound) => Ok(true),
        found => found.map(|_| false),
    }
}

/// The user with the fields that a row gives. A row is what a new user may be, so that it changes no status.
fn patched(user: &User, body: Value, settings: &Settings) -> Result<User, Error> {
    MergePatch::<UserFields>::parse(body.clone())?;
    user.patched(MergePatch::<UserState>::read(body), Role::Manager, Some(settings), Time::now())
}

/// Refuses another e-mail of a user who logs in by it, which Cognito would have to be told.
fn login(found: &UserRecord, after: &User) -> Option<FieldError> {
    let changes = found.has_login && found.user.fields.email != after.fields.email;
    let message = "is what the user logs in by; change it by PATCH /v1/users/{user}";
    changes.then(|| FieldError::new("/email", "has_login", message))
}
