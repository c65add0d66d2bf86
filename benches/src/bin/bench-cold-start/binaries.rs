//! The functions as they are deployed: the release build, zipped.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use benches::Failure;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The two that are compared.
pub(crate) struct Binaries {
    pub(crate) empty: Binary,
    pub(crate) addresses: Binary,
}

/// A function's program.
pub(crate) struct Binary(PathBuf);

/// Builds both.
pub(crate) fn build() -> Result<(), Failure> {
    let arguments = ["build", "--release", "--package", "addresses", "--package", "empty"];
    if Command::new("cargo").args(arguments).status()?.success() {
        Ok(())
    } else {
        Err("The functions do not build.".into())
    }
}

impl Binaries {
    /// Where cargo puts them.
    pub(crate) fn find() -> Result<Self, Failure> {
        let asked = Command::new("cargo").args(["metadata", "--format-version", "1", "--no-deps"]).output()?;
        let told: serde_json::Value = serde_json::from_slice(&asked.stdout)
            .map_err(|_| "Run this inside the workspace: cargo does not tell where it puts what it builds.")?;
        let target = told.get("target_directory").and_then(|target| target.as_str()).unwrap_or("target");
        let release = Path::new(target).join("release");
        Ok(Self { empty: Binary::at(release.join("empty"))?, addresses: Binary::at(release.join("addresses"))? })
    }
}

impl Binary {
    fn at(path: PathBuf) -> Result<Self, Failure> {
        if path.is_file() {
            Ok(Self(path))
        } else {
            Err(format!("There is no {}; run this without --build false.", path.display()).into())
        }
    }

    /// The program.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The size of its deployment package, in bytes.
    pub(crate) fn zipped(&self) -> Result<usize, Failure> {
        let mut package = ZipWriter::new(Cursor::new(Vec::new()));
        let best = SimpleFileOptions::default().compression_level(Some(9)).unix_permissions(0o755);
        package.start_file("bootstrap", best)?;
        package.write_all(&fs::read(&self.0)?)?;
        Ok(package.finish()?.into_inner().len())
    }
}
