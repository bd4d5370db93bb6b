//! The file: head, sealed frames, parts.

use std::io::{ErrorKind, Read, Write};

use aws_lc_rs::digest;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use pki::Sealer;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::BackupError;
use super::key::Secret;
use super::{End, Head, MAGIC, Part, PartEnd, VERSION};

/// Content of one frame.
const FRAME_BYTES: usize = 64 * 1024;

/// Longest frame that is believed.
const FRAME_LIMIT: usize = 1024 * 1024;

/// Longest head that is believed.
const HEAD_LIMIT: usize = 64 * 1024;

/// What the first frame says when the key fits.
const CHECK: &[u8] = b"gatehouse";

/// What messages call the place before the first part, and behind the last one.
const BEGINNING: &str = "beginning";
const ENDING: &str = "end";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Check = 1,
    Begin = 2,
    Content = 3,
    EndOfPart = 4,
    End = 5,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [
            Self::Check,
            Self::Begin,
            Self::Content,
            Self::EndOfPart,
            Self::End,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// Binds frames to their file and place.
struct Frames {
    sealer: Sealer,
    head: [u8; 32],
    number: u64,
}

impl Frames {
    fn context(&mut self, kind: Kind) -> Vec<u8> {
        let number = self.number;
        self.number += 1;
        let mut context = self.head.to_vec();
        context.extend_from_slice(&number.to_be_bytes());
        context.push(kind as u8);
        context
    }
}

/// Writes a backup.
pub(super) struct Writer<W> {
    out: W,
    frames: Frames,
    parts: u64,
}

impl<W: Write + Send> Writer<W> {
    /// Writes the head; `made_at` is a moment in RFC 3339.
    pub(super) fn begin(mut out: W, secret: &Secret, made_at: String) -> std::io::Result<Self> {
        let key = secret.recipe();
        let sealer = secret.sealer(&key).map_err(std::io::Error::other)?;
        let by = format!("gatehouse/{}", env!("CARGO_PKG_VERSION"));
        let head = serde_json::to_vec(&Head { made_at, by, key })?;
        let length = u32::try_from(head.len()).map_err(std::io::Error::other)?;
        let mut begin = MAGIC.to_vec();
        begin.extend_from_slice(&VERSION.to_be_bytes());
        begin.extend_from_slice(&length.to_be_bytes());
        begin.extend_from_slice(&head);
        out.write_all(&begin)?;
        let frames = Frames {
            sealer,
            head: pki::sha256(&begin),
            number: 0,
        };
        let mut writer = Self {
            out,
            frames,
            parts: 0,
        };
        writer.frame(Kind::Check, CHECK)?;
        Ok(writer)
    }

    fn frame(&mut self, kind: Kind, plain: &[u8]) -> std::io::Result<()> {
        let context = self.frames.context(kind);
        let sealed = self.frames.sealer.seal(plain, &context);
        let sealed = sealed.map_err(std::io::Error::other)?;
        let length = u32::try_from(sealed.len()).map_err(std::io::Error::other)?;
        self.out.write_all(&[kind as u8])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)
    }

    fn json(&mut self, kind: Kind, value: &impl Serialize) -> std::io::Result<()> {
        self.frame(kind, &serde_json::to_vec(value)?)
    }

    /// Writes a part whose content `fill` gives. Whatever it returns ends the part or the backup.
    pub(super) fn part<E: From<std::io::Error>>(
        &mut self,
        part: &Part,
        fill: impl FnOnce(&mut dyn Sink) -> Result<u64, E>,
    ) -> Result<u64, E> {
        self.json(Kind::Begin, part)?;
        let (size, end) = self.content(fill)?;
        self.json(Kind::EndOfPart, &end)?;
        self.parts += 1;
        Ok(size)
    }

    fn content<E: From<std::io::Error>>(
        &mut self,
        fill: impl FnOnce(&mut dyn Sink) -> Result<u64, E>,
    ) -> Result<(u64, PartEnd), E> {
        let content = Content {
            pending: Vec::with_capacity(FRAME_BYTES),
            writer: self,
        };
        let mut counted = Counted {
            inner: GzEncoder::new(content, Compression::fast()),
            bytes: 0,
            hash: digest::Context::new(&digest::SHA256),
        };
        let size = fill(&mut counted)?;
        let Counted { inner, bytes, hash } = counted;
        inner.finish()?.send()?;
        let sha256 = hexadecimal(hash.finish().as_ref());
        Ok((size, PartEnd { bytes, sha256 }))
    }

    /// Ends the backup and gives the file back.
    pub(super) fn end(mut self) -> std::io::Result<W> {
        let parts = self.parts;
        self.json(Kind::End, &End { parts })?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Where the content of a part goes.
pub(super) trait Sink: Write + Send {}
impl<T: Write + Send> Sink for T {}

/// The compressed content of a part, in frames.
struct Content<'a, W> {
    writer: &'a mut Writer<W>,
    pending: Vec<u8>,
}

impl<W: Write + Send> Content<'_, W> {
    fn send(&mut self) -> std::io::Result<()> {
        if !self.pending.is_empty() {
            self.writer.frame(Kind::Content, &self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }
}

impl<W: Write + Send> Write for Content<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(FRAME_BYTES - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        if self.pending.len() == FRAME_BYTES {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts and hashes what goes through.
struct Counted<T> {
    inner: T,
    bytes: u64,
    hash: digest::Context,
}

impl<T> Counted<T> {
    fn note(&mut self, bytes: &[u8]) {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.hash.update(bytes);
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        self.note(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.note(&buffer[..length]);
        Ok(length)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Reads a backup.
pub(super) struct Reader<R> {
    input: R,
    frames: Frames,
    parts: u64,
    /// What is being read, for messages.
    at: String,
    /// A fault met while the content of a part was read.
    fault: Option<BackupError>,
}

impl<R: Read + Send> Reader<R> {
    /// Reads the head and checks the key; `name` is what messages call the file.
    pub(super) fn begin(mut input: R, name: &str, secret: &Secret) -> Result<Self, BackupError> {
        let stranger = || BackupError::NotABackup(name.to_owned());
        let mut begin = vec![0; MAGIC.len() + 6];
        input.read_exact(&mut begin).map_err(|_| stranger())?;
        if !begin.starts_with(MAGIC) {
            return Err(stranger());
        }
        let numbers = &begin[MAGIC.len()..];
        let found = u16::from_be_bytes([numbers[0], numbers[1]]);
        if found != VERSION {
            let known = VERSION;
            return Err(BackupError::Newer { found, known });
        }
        let length = u32::from_be_bytes([numbers[2], numbers[3], numbers[4], numbers[5]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > HEAD_LIMIT {
            return Err(BackupError::damaged(BEGINNING, "its head is too long"));
        }
        let mut head = vec![0; length];
        input
            .read_exact(&mut head)
            .map_err(|_| cut_short(BEGINNING))?;
        let parsed: Head = serde_json::from_slice(&head)
            .map_err(|_| BackupError::damaged(BEGINNING, "its head is not readable"))?;
        let sealer = secret.sealer(&parsed.key)?;
        begin.extend_from_slice(&head);
        let mut reader = Self {
            input,
            frames: Frames {
                sealer,
                head: pki::sha256(&begin),
                number: 0,
            },
            parts: 0,
            at: BEGINNING.to_owned(),
            fault: None,
        };
        match reader.frame() {
            Ok((Kind::Check, plain)) if plain == CHECK => Ok(reader),
            Err(error @ BackupError::Truncated { .. }) => Err(error),
            _ => Err(BackupError::WrongKey),
        }
    }

    fn damaged(&self, detail: &str) -> BackupError {
        BackupError::damaged(&self.at, detail)
    }

    fn frame(&mut self) -> Result<(Kind, Vec<u8>), BackupError> {
        let mut begin = [0; 5];
        self.fill(&mut begin)?;
        let kind = Kind::of(begin[0]).ok_or_else(|| self.damaged("a frame is of no known kind"))?;
        let length = u32::from_be_bytes([begin[1], begin[2], begin[3], begin[4]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > FRAME_LIMIT {
            return Err(self.damaged("a frame is too long"));
        }
        let mut sealed = vec![0; length];
        self.fill(&mut sealed)?;
        let context = self.frames.context(kind);
        let plain = self.frames.sealer.open(&sealed, &context);
        let plain = plain.map_err(|_| self.damaged("a frame was changed or moved"))?;
        Ok((kind, plain))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.input.read_exact(bytes).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                cut_short(&self.at)
            } else {
                self.damaged(&error.to_string())
            }
        })
    }

    fn json<T: DeserializeOwned>(&self, plain: &[u8]) -> Result<T, BackupError> {
        serde_json::from_slice(plain).map_err(|_| self.damaged("a frame says nothing known"))
    }

    /// The next part; `None` at the end of the backup.
    pub(super) fn next_part(&mut self) -> Result<Option<Part>, BackupError> {
        match self.frame()? {
            (Kind::Begin, plain) => {
                let part: Part = self.json(&plain)?;
                self.at = part.label();
                Ok(Some(part))
            }
            (Kind::End, plain) => {
                self.at = ENDING.to_owned();
                let end: End = self.json(&plain)?;
                if end.parts != self.parts {
                    return Err(self.damaged("parts are missing"));
                }
                match self.input.read(&mut [0]) {
                    Ok(0) => Ok(None),
                    _ => Err(self.damaged("there is more behind it")),
                }
            }
            _ => Err(self.damaged("a frame is at the wrong place")),
        }
    }

    /// Reads the content of the part that began, and checks it.
    pub(super) fn content<T>(
        &mut self,
        take: impl FnOnce(&mut (dyn Read + Send)) -> Result<T, BackupError>,
    ) -> Result<T, BackupError> {
        let content = Opened {
            reader: self,
            pending: Vec::new(),
            place: 0,
            end: None,
        };
        let mut counted = Counted {
            inner: GzDecoder::new(content),
            bytes: 0,
            hash: digest::Context::new(&digest::SHA256),
        };
        let taken = take(&mut counted);
        // What was left, the end of the compression included.
        let drained = std::io::copy(&mut counted, &mut std::io::sink());
        let Counted { inner, bytes, hash } = counted;
        let (mut content, hash) = (inner.into_inner(), hash.finish());
        let rest = std::io::copy(&mut content, &mut std::io::sink());
        let end = content.end.take();
        // What is wrong with the file explains what the taker met.
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let taken = taken?;
        if let Err(error) = drained.and(rest) {
            return Err(self.damaged(&error.to_string()));
        }
        let end = end.ok_or_else(|| self.damaged("it has no end"))?;
        if end.bytes != bytes || end.sha256 != hexadecimal(hash.as_ref()) {
            return Err(self.damaged("its checksum differs"));
        }
        self.parts += 1;
        Ok(taken)
    }
}

fn cut_short(part: &str) -> BackupError {
    BackupError::Truncated {
        part: part.to_owned(),
    }
}

/// The compressed content of a part.
struct Opened<'a, R> {
    reader: &'a mut Reader<R>,
    pending: Vec<u8>,
    place: usize,
    end: Option<PartEnd>,
}

impl<R: Read + Send> Read for Opened<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.place == self.pending.len() {
            if self.end.is_some() || self.reader.fault.is_some() {
                return Ok(0);
            }
            let next = self.reader.frame().and_then(|(kind, plain)| match kind {
                Kind::Content => {
                    (self.pending, self.place) = (plain, 0);
                    Ok(())
                }
                Kind::EndOfPart => {
                    self.end = Some(self.reader.json(&plain)?);
                    Ok(())
                }
                _ => Err(self.reader.damaged("a frame is at the wrong place")),
            });
            if let Err(fault) = next {
                self.reader.fault = Some(fault);
            }
        }
        let length = buffer.len().min(self.pending.len() - self.place);
        buffer[..length].copy_from_slice(&self.pending[self.place..self.place + length]);
        self.place += length;
        Ok(length)
    }
}
