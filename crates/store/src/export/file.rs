//! The sealed parts of an exported file.
//!
//! The file is a line of JSON, the [`Header`], and then frames: a length (4 bytes, big-endian) and a sealed part
//! (AES-256-GCM, as everything that the vault seals). What a part is sealed for names the header, the part's number
//! and whether it is the last: parts that were altered, swapped, left out or taken from another file do not open, and a
//! file that ends early has no last one.

use std::io::{self, Read, Write};
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ExportKey;
use super::header::{FORMAT, Header, KeyKind};
use crate::vault::{DataKey, Master, Place};
use crate::{StoreError, Vault};

/// A header is some 200 bytes, a part some 100 kB.
const MOST_HEADER: usize = 4096;
const MOST_PART: usize = 1 << 28;
/// What the first part holds: whether it opens tells a wrong key from a damaged file.
const CHECK: &[u8] = b"koine export";

/// What a file's parts are sealed with.
enum SealKey {
    /// The installation's own key, as it was when the file was begun.
    Master(Arc<Master>),
    Passphrase(DataKey),
}

/// What a file's parts are sealed with and for.
struct Seal {
    key: SealKey,
    header: Uuid,
    header_sha256: String,
    number: u64,
}

impl Seal {
    fn new(vault: &Vault, own: Option<DataKey>, id: Uuid, line: &[u8]) -> Result<Self, StoreError> {
        let hash = digest::digest(&digest::SHA256, line);
        let header_sha256 = STANDARD.encode(hash.as_ref());
        let key = match own {
            Some(key) => SealKey::Passphrase(key),
            None => SealKey::Master(vault.master()?),
        };
        Ok(Self { key, header: id, header_sha256, number: 0 })
    }

    fn key(&self) -> &DataKey {
        match &self.key {
            SealKey::Master(master) => master.key(),
            SealKey::Passphrase(key) => key,
        }
    }

    fn column(&self, is_last: bool) -> String {
        format!("export/{}/{}/{is_last}", self.header_sha256, self.number)
    }

    fn seal(&mut self, is_last: bool, plain: &[u8]) -> Vec<u8> {
        let column = self.column(is_last);
        let sealed =
            self.key().seal(Place { environment: Uuid::nil(), row: self.header, column: &column }, plain);
        self.number += 1;
        sealed
    }

    /// The part, and whether it is the last one.
    fn open(&mut self, sealed: &[u8]) -> Option<(Zeroizing<Vec<u8>>, bool)> {
        let opened = [false, true].into_iter().find_map(|is_last| {
            let column = self.column(is_last);
            let place = Place { environment: Uuid::nil(), row: self.header, column: &column };
            Some((self.key().open(place, sealed).ok()?, is_last))
        });
        self.number += 1;
        opened
    }
}

/// Writes a file, part by part.
pub(crate) struct Writer<'a> {
    to: &'a mut (dyn Write + Send),
    seal: Seal,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        to: &'a mut (dyn Write + Send),
        vault: &Vault,
        key: &ExportKey,
        schema: i64,
    ) -> Result<Self, StoreError> {
        let header = Header { koine_export: FORMAT, id: Uuid::now_v7(), schema, key: KeyKind::new(key) };
        let mut line = serde_json::to_vec(&header).expect("a header is JSON");
        line.push(b'\n');
        to.write_all(&line).map_err(StoreError::file)?;
        let seal = Seal::new(vault, header.key.data_key(key)?, header.id, &line)?;
        let mut writer = Self { to, seal };
        writer.write(false, CHECK)?;
        Ok(writer)
    }

    pub(crate) fn part(&mut self, plain: &[u8]) -> Result<(), StoreError> {
        self.write(false, plain)
    }

    /// The last part: without it a file is not whole.
    pub(crate) fn end(mut self) -> Result<(), StoreError> {
        self.write(true, &[])?;
        self.to.flush().map_err(StoreError::file)
    }

    fn write(&mut self, is_last: bool, plain: &[u8]) -> Result<(), StoreError> {
        let sealed = self.seal.seal(is_last, plain);
        let length = u32::try_from(sealed.len()).expect("a part is far smaller than 4 GiB");
        self.to.write_all(&length.to_be_bytes()).map_err(StoreError::file)?;
        self.to.write_all(&sealed).map_err(StoreError::file)
    }
}

/// Reads a file, part by part.
pub(crate) struct Reader<'a> {
    from: &'a mut (dyn Read + Send),
    seal: Seal,
    pub(crate) schema: i64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        from: &'a mut (dyn Read + Send),
        vault: &Vault,
        key: &ExportKey,
    ) -> Result<Self, StoreError> {
        let line = header_line(from)?;
        let header: Header = serde_json::from_slice(&line)
            .ok()
            .filter(|header: &Header| header.koine_export == FORMAT)
            .ok_or_else(|| StoreError::Invalid { what: "the file is no export of this koine".to_owned() })?;
        let seal = Seal::new(vault, header.key.data_key(key)?, header.id, &line)?;
        let mut reader = Self { from, seal, schema: header.schema };
        match reader.sealed_part()?.and_then(|sealed| reader.seal.open(&sealed)) {
            Some((check, false)) if check.as_slice() == CHECK => Ok(reader),
            _ => Err(StoreError::ExportKey),
        }
    }

    /// The next part; `None` after the last one, with nothing behind it.
    pub(crate) fn part(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let number = self.seal.number;
        let sealed = self.sealed_part()?.ok_or_else(|| StoreError::Invalid {
            what: format!("the file is not whole: it ends before part {number}"),
        })?;
        match self.seal.open(&sealed) {
            None => Err(StoreError::corrupt(format!("part {number} of the file"))),
            Some((part, false)) => Ok(Some(part)),
            Some((_, true)) => match self.from.read(&mut [0]).map_err(StoreError::file)? {
                0 => Ok(None),
                _ => Err(StoreError::corrupt("something follows the file's end")),
            },
        }
    }

    /// `None` when the file ends here or within it.
    fn sealed_part(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let mut length = [0; 4];
        if !fill(self.from, &mut length)? {
            return Ok(None);
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > MOST_PART {
            return Err(StoreError::corrupt(format!("part {} of the file", self.seal.number)));
        }
        // Read as it comes: a wrong length asks for no memory that the file does not fill.
        let mut sealed = Vec::new();
        let mut part = Read::take(&mut *self.from, length as u64);
        let read = part.read_to_end(&mut sealed).map_err(StoreError::file)?;
        Ok((read == length).then_some(sealed))
    }
}

fn header_line(from: &mut dyn Read) -> Result<Vec<u8>, StoreError> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < MOST_HEADER && line.last() != Some(&b'\n') && fill(from, &mut byte)? {
        line.push(byte[0]);
    }
    Ok(line)
}

/// `false` when there is not as much.
fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> Result<bool, StoreError> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(StoreError::file(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    fn vault() -> Vault {
        let key = MasterKey::generate();
        let master = Master::new(&key);
        let vault = Vault::new(key);
        vault.take(master);
        vault
    }

    fn written(vault: &Vault, key: &ExportKey) -> Vec<u8> {
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, vault, key, 7).unwrap();
        for part in [b"first".as_slice(), b"second"] {
            writer.part(part).unwrap();
        }
        writer.end().unwrap();
        file
    }

    fn read(vault: &Vault, key: &ExportKey, file: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut file = file;
        let mut reader = Reader::new(&mut file, vault, key)?;
        assert_eq!(reader.schema, 7);
        let mut parts = Vec::new();
        while let Some(part) = reader.part()? {
            parts.push(part.to_vec());
        }
        Ok(parts)
    }

    #[test]
    fn what_was_written_is_read_with_the_same_key_only() {
        let (one, other) = (vault(), vault());
        let phrase = ExportKey::passphrase(" correct horse battery \n").unwrap();
        let wrong = ExportKey::passphrase("correct horse buttery").unwrap();
        let parts = [b"first".to_vec(), b"second".to_vec()];
        let (by_master, by_phrase) = (written(&one, &ExportKey::Master), written(&one, &phrase));
        assert_eq!(read(&one, &ExportKey::Master, &by_master).unwrap(), parts);
        assert_eq!(read(&other, &phrase, &by_phrase).unwrap(), parts, "another installation may read it");
        assert!(matches!(read(&other, &ExportKey::Master, &by_master), Err(StoreError::ExportKey)));
        assert!(matches!(read(&one, &wrong, &by_phrase), Err(StoreError::ExportKey)));
        for (key, file) in [(&phrase, &by_master), (&ExportKey::Master, &by_phrase)] {
            assert!(matches!(read(&one, key, file), Err(StoreError::Invalid { .. })));
        }
        assert!(ExportKey::passphrase("too short").is_err());
        assert!(!format!("{phrase:?}").contains("horse"));
    }

    #[test]
    fn whatever_is_cut_altered_or_added_is_noticed() {
        let vault = vault();
        let file = written(&vault, &ExportKey::Master);
        for length in 0..file.len() {
            assert!(read(&vault, &ExportKey::Master, &file[..length]).is_err(), "cut to {length}");
        }
        for at in 0..file.len() {
            let mut altered = file.clone();
            altered[at] ^= 1;
            assert!(read(&vault, &ExportKey::Master, &altered).is_err(), "altered at {at}");
        }
        assert!(read(&vault, &ExportKey::Master, &[file.as_slice(), b"x"].concat()).is_err());
    }
}
