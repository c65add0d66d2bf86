//! Who may begin an upload, and what it is held to.

use domain::upload::Meant;
use domain::{CustomField, Error, FieldError, KeyScope, Member, MemberId, UploadFields, UserId};
use edge::{App, Caller};

use crate::is_itself;

/// The master user whose the upload will be, if the caller may begin it and nothing speaks against it.
pub(crate) async fn owner(app: &App, caller: &Caller, fields: &UploadFields, most_rows: i64) -> Result<UserId, Error> {
    let (owner, errors) = match fields.member_id {
        Some(member) => for_member(app, caller, member, fields).await?,
        None => for_segment(caller, fields, most_rows).await?,
    };
    if errors.is_empty() { Ok(owner) } else { Err(Error::Invalid(errors)) }
}

async fn for_segment(
    caller: &Caller,
    fields: &UploadFields,
    most_rows: i64,
) -> Result<(UserId, Vec<FieldError>), Error> {
    let segment = caller.segment(fields.segment_id, KeyScope::Write).await?;
    let mut errors = fields.unfit(Meant::Segment(most_rows));
    if fields.field.is_some() {
        let message = "is required with field: whose membership has the field";
        errors.push(FieldError::new("/member_id", "required", message));
    }
    Ok((segment.owner_id, errors))
}

async fn for_member(
    app: &App,
    caller: &Caller,
    member: MemberId,
    fields: &UploadFields,
) -> Result<(UserId, Vec<FieldError>), Error> {
    let (access, record) = caller.accesses(app.store.member(member)).await?;
    let member = record.member;
    match access.manages(&member, KeyScope::Write) {
        Err(Error::NotFound) if is_itself(&access, &member) => member.takes_part()?,
        managed => managed?,
    }
    let mut errors = Vec::new();
    if member.segment_id != fields.segment_id {
        errors.push(FieldError::new("/segment_id", "invalid_choice", "must be the segment of the member"));
    }
    match field(app, &member, fields).await? {
        Ok(field) => errors.extend(fields.unfit(field.as_ref().map_or(Meant::Member, Meant::Field))),
        Err(unknown) => errors.push(unknown),
    }
    Ok((member.owner_id, errors))
}

/// The custom field that the file answers, if it names one.
async fn field(
    app: &App,
    member: &Member,
    fields: &UploadFields,
) -> Result<Result<Option<CustomField>, FieldError>, Error> {
    let Some(key) = &fields.field else { return Ok(Ok(None)) };
    let configuration = app.store.configuration(member.membership_id).await?;
    let is_meant = |field: &CustomField| field.fields.key == *key && field.fields.kind.takes_files();
    let found = configuration.fields.into_iter().find(is_meant);
    let message = "must be the key of a field of type file or link, of the member's membership";
    Ok(found.map(Some).ok_or_else(|| FieldError::new("/field", "invalid_choice", message)))
}
