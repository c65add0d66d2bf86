//! `/flows/upload`: private files, which come within the body of a request.

use std::time::Duration;

use ::uploads::{MostRows, begun, member_of};
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State as Shared;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::answer::Given;
use domain::upload::{FileType, MOST_ROWS, Sha256};
use domain::{Body as _, Error, SegmentId, Upload, UploadFields};
use edge::{Answer, App, Caller, LenientBody, Path, Seed};
use files::{Files, ObjectKey};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Made;
use super::names::{Fields, Form, Names};
use super::schema;
use crate::State;

/// What the paths of uploads begin with.
pub(crate) const PATH: &str = "/flows/upload/";

/// How many bytes a file may have.
const MOST: usize = 4 * 1024 * 1024;

/// How many bytes a body may have that brings a file: fewer than Lambda takes of an event, and more than base64 makes of the
/// largest one.
pub(crate) const MOST_SENT: usize = 5_800_000;

/// What is told of one that is larger.
pub(crate) const TOO_LARGE: &str =
    "The body is larger than it may be: 256 KiB, or a file of 4 MiB where one is uploaded.";

/// How often, and how many times, to look whether a file has been checked.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 40;

const NAMES: Names = Names(&[("file", "size", Form::Shown), ("mime", "content_type", Form::Shown)]);

/// Files are encoded by whatever the client's platform has: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(upload_file))
}

/// Uploads a file of a segment: for whoever manages it, or for the member that the caller is there.
///
/// `mime` is a type, or `cer` or `key`; `file` is base64 of at most 4 MiB. The answer waits up to two seconds until the file
/// is checked; one that takes longer cannot be an answer before. The `uuid` answers a custom field of the type `url`.
#[utoipa::path(post, path = "/flows/upload/{segment_id}", tag = "upload",
    request_body(content = schema::NewUpload, example = json!({ "mime": "application/pdf", "file": "JVBERi0xLjcKJeLjz9MK" })),
    responses((status = 201, description = "The file is stored.", body = schema::Upload,
        example = json!({ "uuid": "0199d2a4-5c00-7000-8000-000000000f11" }))))]
async fn upload_file(
    Shared(state): Shared<State>,
    caller: Caller,
    seed: Seed,
    Path(segment): Path<SegmentId>,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Made> {
    let (app, files) = (&state.app, &state.files);
    let (kind, bytes) = read(body)?;
    let sha256: [u8; 32] = digest(&SHA256, &bytes).as_ref().try_into().map_err(Error::internal)?;
    let member = member_of(app, &caller, segment).await?;
    let fields = UploadFields::parse(json!({
        "segment_id": segment, "member_id": member, "filename": filename(kind), "content_type": kind.as_str(),
        "size": bytes.len(), "sha256": Sha256::of(&sha256).as_str(),
    }));
    let fields = fields.map_err(|error| NAMES.tell(error))?;
    let upload = begun(app, &caller, seed, fields, MostRows(MOST_ROWS)).await.map_err(|error| NAMES.tell(error))?;
    let quarantine = ObjectKey::quarantine(upload.id.uuid());
    files.receive(&quarantine, kind.as_str(), &sha256, bytes).await.map_err(Error::from)?;
    checked(app, files, (&upload, &quarantine)).await?;
    Ok(Made(json!({ "uuid": upload.id })))
}

/// Waits until a file is checked, for a while. It leaves quarantine once the table says what came of it; asking
/// S3 costs the table nothing.
async fn checked(app: &App, files: &Files, (upload, quarantine): (&Upload, &ObjectKey)) -> Result<(), Error> {
    for _ in 0..LOOKS {
        match files.head(quarantine).await {
            Ok(_) => tokio::time::sleep(LOOK_EVERY).await,
            Err(files::Error::NotFound) => {
                return match files.head(&ObjectKey::clean(upload.id.uuid())).await {
                    Err(files::Error::NotFound) => refused(app, upload).await,
                    found => found.map(drop).map_err(Error::from),
                };
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Why a file was not taken.
async fn refused(app: &App, upload: &Upload) -> Result<(), Error> {
    let reason = app.store.upload(upload.id).await?.reason;
    reason.map_or(Ok(()), |reason| Err(Error::invalid("", "rejected", &reason)))
}

/// What a file is said to hold, and its bytes.
fn read(mut body: Fields) -> Result<(FileType, Vec<u8>), Error> {
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    let (mime, file) = (text(body.remove("mime")), text(body.remove("file")));
    let kind = kind(&mime).ok_or_else(|| {
        let message = format!("must be cer, key, or one of {}", FileType::NAMES.join(", "));
        Error::invalid("/mime", "invalid_choice", &message)
    })?;
    if file.is_empty() {
        return Err(Error::invalid("/file", "required", "is required: the file in base64"));
    }
    // A browser's FileReader writes a data URL.
    let encoded = file.split_once(";base64,").map_or(file.as_str(), |(_, encoded)| encoded);
    let encoded: String = encoded.chars().filter(|sign| !sign.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(encoded).map_err(|_| Error::invalid("/file", "invalid_base64", "must be base64"))?;
    if bytes.len() > MOST {
        return Err(Error::invalid("/file", "too_long", "must have at most 4 MiB"));
    }
    Ok((kind, bytes))
}

/// What a file holds, by its type or by the ending of its name.
fn kind(mime: &str) -> Option<FileType> {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(match mime.trim_start_matches('.') {
        "cer" => FileType::Certificate,
        "key" => FileType::Key,
        "png" => FileType::Png,
        "jpg" | "jpeg" | "image/jpg" => FileType::Jpeg,
        "pdf" => FileType::Pdf,
        other => return FileType::parse(other),
    })
}

/// What a file is called that came without a name.
fn filename(kind: FileType) -> &'static str {
    match kind {
        FileType::Png => "file.png",
        FileType::Jpeg => "file.jpg",
        FileType::Pdf => "file.pdf",
        FileType::Certificate => "file.cer",
        FileType::Key => "file.key",
        FileType::Csv => "file.csv",
        FileType::Ndjson => "file.ndjson",
    }
}
