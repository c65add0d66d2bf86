//! What a purged user leaves in what others have made of it: exports, import files, reports and notifications.

use domain::{Error, Export, ExportId, Import, SegmentId, TransferStatus, UserId};
use files::{Files, ObjectKey};
use store::{Store, retried};

/// Erases the traces of a purged user in its segment; `false` where an import or export is still under way, which may
/// write it.
pub(crate) async fn erase_traces(
    (store, files): (&Store, &Files),
    (segment, user): (SegmentId, UserId),
) -> Result<bool, Error> {
    store.forget_recipient(segment, user).await?;
    store.forget_origins(segment, user).await?;
    let (exports, imports) = tokio::try_join!(store.exports(segment), store.imports(segment))?;
    let exports_over = erase_exports((store, files), (segment, user), exports).await?;
    let imports_over = erase_reports((store, files), &imports, user).await?;
    let in_use: Vec<_> = imports.iter().filter(|import| import.run.status.is_open()).collect();
    for upload in store.import_files(segment).await? {
        // Which rows a file has, nobody knows any more: each file goes, but for one that is being read.
        if in_use.iter().all(|import| import.fields.upload_id != upload) {
            store.forget_import_file(upload).await?;
        }
    }
    Ok(exports_over && imports_over)
}

/// Deletes the exports that may name a user; `false` where one is still under way.
async fn erase_exports(
    (store, files): (&Store, &Files),
    (segment, user): (SegmentId, UserId),
    exports: Vec<Export>,
) -> Result<bool, Error> {
    let mut over = true;
    for export in exports {
        if export.run.status.is_open() {
            over = false;
        } else if export_names(files, &export, user).await? {
            retried(|| async {
                match store.export(segment, export.id).await {
                    Err(Error::NotFound) => Ok(()),
                    found => store.delete_export(&found?, None).await,
                }
            })
            .await?;
        }
    }
    Ok(over)
}

/// Deletes the imports whose reports may name a user; `false` where one is still under way.
async fn erase_reports((store, files): (&Store, &Files), imports: &[Import], user: UserId) -> Result<bool, Error> {
    let mut over = true;
    for import in imports {
        if import.run.status.is_open() {
            over = false;
        } else if report_names(files, import, user).await? {
            unless_gone(store.delete_import(import, None).await)?;
        }
    }
    Ok(over)
}

/// Whether an export that is over may say anything of a user.
async fn export_names(files: &Files, export: &Export, user: UserId) -> Result<bool, Error> {
    let fields = &export.fields.fields.0.0;
    let has_ids = fields.is_empty() || fields.iter().any(|field| field.as_str() == "id");
    // Its filters may hold the user's values, and a file without ids tells of nobody that it is somebody else.
    if !export.fields.filters.0.parameters().is_empty() || (has_file(export) && !has_ids) {
        return Ok(true);
    }
    names(files, &export_key(export.id), user).await
}

fn has_file(export: &Export) -> bool {
    export.run.status == TransferStatus::Completed && export.written_rows > 0
}

fn export_key(id: ExportId) -> ObjectKey {
    ObjectKey::export(id.uuid())
}

async fn report_names(files: &Files, import: &Import, user: UserId) -> Result<bool, Error> {
    // One that did not complete has left the results of its rows.
    if import.run.status != TransferStatus::Completed {
        return Ok(true);
    }
    names(files, &ObjectKey::report(import.id.uuid()), user).await
}

/// Whether an object has the id of a user in it; one that is gone has not.
async fn names(files: &Files, key: &ObjectKey, user: UserId) -> Result<bool, Error> {
    let etag = match files.head(key).await {
        Err(files::Error::NotFound) => return Ok(false),
        head => head?.etag,
    };
    let mut finder = Finder::new(&user.to_string());
    match files.read(key, &etag, None, |bytes| finder.see(bytes)).await {
        Err(files::Error::NotFound) => Ok(false),
        read => read.map(|()| finder.found).map_err(Error::from),
    }
}

fn unless_gone(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        // Somebody else has forgotten it.
        Err(Error::Stale) => Ok(()),
        done => done,
    }
}

/// Looks for a text in bytes that come piece by piece.
struct Finder {
    text: Vec<u8>,
    /// The end of what has come, in which the text may begin.
    tail: Vec<u8>,
    found: bool,
}

impl Finder {
    fn new(text: &str) -> Self {
        Self { text: text.as_bytes().to_vec(), tail: Vec::new(), found: false }
    }

    fn see(&mut self, bytes: &[u8]) {
        if self.found || self.text.is_empty() {
            return;
        }
        self.tail.extend_from_slice(bytes);
        self.found = self.tail.windows(self.text.len()).any(|window| window == self.text);
        let begin = self.tail.len().saturating_sub(self.text.len() - 1);
        self.tail.drain(..begin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_however_it_comes_in_pieces() {
        let file = b"aaaabaaabaaaab\naab";
        for size in 1..file.len() {
            for (text, is_there) in [("aab\naab", true), ("aaaabaaab", true), ("aaaaa", false), ("b\nb", false)] {
                let mut finder = Finder::new(text);
                file.chunks(size).for_each(|piece| finder.see(piece));
                assert_eq!(finder.found, is_there, "{text:?} in pieces of {size}");
            }
        }
    }
}
