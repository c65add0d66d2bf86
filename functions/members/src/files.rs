//! Files as answers: each must have been uploaded for this member, or for nobody yet, and be what its field asks for.

use std::collections::HashSet;

use domain::field::Pointer;
use domain::upload::Meant;
use domain::{Answer, Answers, Error, FieldError, Member, Question, Upload, UploadId, UploadStatus};
use edge::App;

use crate::seat::Role;

/// The files that `after` has and `before` had not, which are all fit: 1 `GetItem` each, all at once.
///
/// # Errors
/// [`Error::Invalid`] with an entry for each file that is not.
pub(crate) async fn new_files(
    app: &App,
    questions: &[Question<'_>],
    (before, after): (&Answers, &Answers),
    (member, role): (&Member, Role),
    at: &Pointer,
) -> Result<Vec<Upload>, Error> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for question in questions.iter().filter(|question| question.field.fields.kind.takes_files()) {
        let key = question.field.fields.key.as_str();
        let Some(id) = file(after, key).filter(|id| file(before, key) != Some(*id)) else { continue };
        if file_keys(questions).any(|other| other != key && file(after, other) == Some(id)) {
            errors.push(at.child(key).error("repeated", "answers another field already; upload it once more"));
            continue;
        }
        match app.store.upload(id).await {
            Ok(upload) => match unfit(&upload, question, member, role, &at.child(key)) {
                None => files.push(upload),
                Some(error) => errors.push(error),
            },
            Err(Error::NotFound) => errors.push(unknown(&at.child(key))),
            Err(error) => return Err(error),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(Error::Invalid(errors)) }
}

/// The files of `member` that `before` had and that `after` has nowhere, not even where nobody is asked at the moment,
/// as far as they are still there: 1 `GetItem` each.
pub(crate) async fn gone_files(
    app: &App,
    questions: &[Question<'_>],
    (before, after): (&Answers, &Answers),
    member: &Member,
) -> Result<Vec<Upload>, Error> {
    let kept: HashSet<_> = after.iter().filter_map(|(key, _)| file(after, key)).collect();
    let mut gone = Vec::new();
    for id in file_keys(questions).filter_map(|key| file(before, key)).filter(|id| !kept.contains(id)) {
        match app.store.upload(id).await {
            Err(Error::NotFound) => {}
            // An answer from a time when the field asked for text may name anybody's file.
            Ok(upload) if upload.fields.member_id != Some(member.id) => {}
            found => gone.push(found?),
        }
    }
    Ok(gone)
}

/// The keys of those of the questions that files answer.
fn file_keys<'a>(questions: &'a [Question<'_>]) -> impl Iterator<Item = &'a str> {
    let files = questions.iter().filter(|question| question.field.fields.kind.takes_files());
    files.map(|question| question.field.fields.key.as_str())
}

fn file(answers: &Answers, key: &str) -> Option<UploadId> {
    match answers.get(key)? {
        Answer::Text(id) => id.parse().ok(),
        Answer::Boolean(_) | Answer::Several(_) | Answer::Number { .. } => None,
    }
}

/// What is told of a file that is not there, or not the caller's to give: both alike.
fn unknown(at: &Pointer) -> FieldError {
    at.error("unknown", "must be the id of an upload for this member")
}

fn unfit(upload: &Upload, question: &Question<'_>, member: &Member, role: Role, at: &Pointer) -> Option<FieldError> {
    // A member does not take what the owner of the segment has uploaded for nobody yet.
    let can_answer = upload.fields.can_answer_for(member.id, role == Role::Manager);
    if upload.fields.segment_id != member.segment_id || !can_answer {
        return Some(unknown(at));
    }
    match upload.status {
        UploadStatus::Pending => {
            return Some(at.error("not_available", "names a file that has not arrived or is still being checked"));
        }
        UploadStatus::Rejected => {
            return Some(at.error("not_available", "names a file that was rejected; upload another one"));
        }
        UploadStatus::Available => {}
    }
    let unfit = upload.fields.unfit(Meant::Field(question.field)).into_iter().next()?;
    let what = if unfit.pointer == "/size" { "bigger than" } else { "of a type other than" };
    Some(at.error(unfit.code, &format!("names a file that is {what} the field takes")))
}
