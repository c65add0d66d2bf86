//! Who may begin an upload, and what it is held to.

use domain::upload::Meant;
use domain::{
    CustomField, Error, FieldError, KeyScope, Member, MemberId, Segment, UploadFields, UploadPurpose, UserId,
};
use edge::{Access, App, Caller};

use crate::is_itself;

/// The master user whose the upload will be, and its fields with the user whose photo it is, if the caller may begin it and
/// nothing speaks against it.
pub(crate) async fn owner(
    app: &App,
    caller: &Caller,
    fields: UploadFields,
    most_rows: i64,
) -> Result<(UserId, UploadFields), Error> {
    let (owner, errors) = match (fields.member_id, fields.purpose()) {
        (Some(member), _) => for_member(app, caller, member, &fields).await?,
        (None, Some(UploadPurpose::Photo)) => return for_user(app, caller, fields).await,
        (None, Some(UploadPurpose::Answer | UploadPurpose::Import) | None) => {
            for_segment(caller, &fields, most_rows).await?
        }
    };
    if errors.is_empty() { Ok((owner, fields)) } else { Err(Error::Invalid(errors)) }
}

/// A photo: for the user that the segment's team names, for nobody yet where it names none, or for the caller itself.
async fn for_user(app: &App, caller: &Caller, fields: UploadFields) -> Result<(UserId, UploadFields), Error> {
    let (access, segment) = caller.accesses(app.store.segment(fields.segment_id)).await?;
    let itself = photographed(&access, &segment)?;
    let mut errors = fields.unfit(Meant::Photo);
    errors.extend(with_field(&fields));
    let is_known = match (fields.user_id, itself) {
        (None, _) => true,
        (Some(user), Some(itself)) => user == itself,
        (Some(user), None) => {
            let found = app.store.user(user).await?.map(|record| record.user);
            found.is_some_and(|user| user.segment_id == Some(segment.id) && user.status != domain::Status::Deleted)
        }
    };
    if !is_known {
        errors.push(FieldError::new("/user_id", "unknown", "must be the id of a user of this segment"));
    }
    let fields = UploadFields { user_id: itself.or(fields.user_id), ..fields };
    if errors.is_empty() { Ok((segment.owner_id, fields)) } else { Err(Error::Invalid(errors)) }
}

/// The user itself, unless the caller manages the segment.
fn photographed(access: &Access, segment: &Segment) -> Result<Option<UserId>, Error> {
    match access.manages(segment, KeyScope::Write) {
        Err(Error::NotFound) => {
            let user = access.user().filter(|record| record.user.segment_id == Some(segment.id));
            user.map(|record| Some(record.user.id)).ok_or(Error::NotFound)
        }
        managed => managed.map(|()| None),
    }
}

async fn for_segment(
    caller: &Caller,
    fields: &UploadFields,
    most_rows: i64,
) -> Result<(UserId, Vec<FieldError>), Error> {
    let segment = caller.segment(fields.segment_id, KeyScope::Write).await?;
    let mut errors = fields.unfit(match fields.purpose {
        Some(UploadPurpose::Import) => Meant::Import(most_rows),
        Some(UploadPurpose::Answer | UploadPurpose::Photo) => Meant::Answer,
        None => Meant::Undeclared(most_rows),
    });
    errors.extend(with_field(fields));
    errors.extend(with_user(fields));
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
        Err(Error::NotFound) if is_itself(&access, &member) => {
            member.takes_part()?;
            app.check_participation(&access, member.segment_id).await?;
        }
        managed => managed?,
    }
    let mut errors = Vec::new();
    if member.segment_id != fields.segment_id {
        errors.push(FieldError::new("/segment_id", "invalid_choice", "must be the segment of the member"));
    }
    errors.extend(with_user(fields));
    if fields.purpose.is_some_and(|purpose| purpose != UploadPurpose::Answer) {
        errors.push(FieldError::new("/purpose", "invalid_choice", "must be answer where there is a member_id"));
    }
    match field(app, &member, fields).await? {
        Ok(field) => errors.extend(fields.unfit(field.as_ref().map_or(Meant::Answer, Meant::Field))),
        Err(unknown) => errors.push(unknown),
    }
    Ok((member.owner_id, errors))
}

/// The error of a custom field without the member that answers it.
fn with_field(fields: &UploadFields) -> Option<FieldError> {
    let message = "is required with field: whose membership has the field";
    fields.field.as_ref().map(|_| FieldError::new("/member_id", "required", message))
}

/// The error of a user where the file is no photo.
fn with_user(fields: &UploadFields) -> Option<FieldError> {
    let message = "is for the purpose photo only";
    fields.user_id.map(|_| FieldError::new("/user_id", "not_applicable", message))
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
