//! Files whose bytes are not yet lines: gzip, UTF-16, and carriage returns alone as line ends. They
//! are read as a stream: held are a part of a few hundred kilobytes and the line that is not whole
//! yet.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::limits::Limits;
use super::reader::Reader;

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Bytes of the first read; nearly every header is shorter.
const FIRST_READ: usize = 4096;
/// Read and unpacked at a time.
const PART: usize = 256 << 10;

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// They are text.
    Plain,
    Utf16 {
        is_little: bool,
    },
    /// A carriage return ends a line, as on old Macs.
    CarriageReturns,
}

/// The form, from a file's beginning; `None` if more of it is needed.
fn form(beginning: &[u8], limits: Limits) -> Option<Form> {
    match beginning {
        [0xff, 0xfe, ..] => return Some(Form::Utf16 { is_little: true }),
        [0xfe, 0xff, ..] => return Some(Form::Utf16 { is_little: false }),
        [0xff | 0xfe] | [] => return None,
        // Without a mark: every other byte of letters is none.
        [1..=255, 0, 1..=255, 0, 1..=255, 0, ..] => {
            return Some(Form::Utf16 { is_little: true });
        }
        [0, 1..=255, 0, 1..=255, 0, 1..=255, ..] => {
            return Some(Form::Utf16 { is_little: false });
        }
        _ => {}
    }
    let looked_at = &beginning[..beginning.len().min(limits.first)];
    let line_end = memchr::memchr(b'\n', looked_at);
    let line = &looked_at[..line_end.unwrap_or(looked_at.len())];
    // Some writers end lines in two of them and a line feed.
    let ends_line = |pair: &[u8]| pair[0] == b'\r' && pair[1] != b'\r';
    if line.windows(2).any(ends_line) {
        Some(Form::CarriageReturns)
    } else if line_end.is_some() || looked_at.len() == limits.first {
        Some(Form::Plain)
    } else {
        None
    }
}

/// Turns UTF-16 and carriage returns into UTF-8 and line feeds, from part to part.
#[derive(Debug, Clone, Default)]
struct Text {
    /// Bytes of a character that is not whole yet.
    rest: Vec<u8>,
}

impl Text {
    fn decode(&mut self, form: Form, bytes: &[u8], text: &mut Vec<u8>) {
        match form {
            Form::Plain => text.extend_from_slice(bytes),
            Form::CarriageReturns => text.extend(bytes.iter().map(|byte| match byte {
                b'\r' => b'\n',
                byte => *byte,
            })),
            Form::Utf16 { is_little } => {
                let mut all = std::mem::take(&mut self.rest);
                all.extend_from_slice(bytes);
                let unit = |pair: &[u8]| {
                    let pair = [pair[0], pair[1]];
                    if is_little {
                        u16::from_le_bytes(pair)
                    } else {
                        u16::from_be_bytes(pair)
                    }
                };
                let mut whole = all.len() / 2 * 2;
                let is_first_half = |unit: u16| (0xd800..0xdc00).contains(&unit);
                if whole > 0 && is_first_half(unit(&all[whole - 2..whole])) {
                    whole -= 2;
                }
                self.rest = all.split_off(whole);
                let mut utf8 = [0; 4];
                for letter in char::decode_utf16(all.chunks_exact(2).map(unit)) {
                    let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
                    text.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
                }
            }
        }
    }
}

/// Where unpacking is within a gzip file, which may be several such files behind each other.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    /// Where the member that is read begins.
    member: u64,
    /// How many unpacked bytes were passed on.
    handed_on: u64,
    /// All that was unpacked.
    unpacked: u64,
    /// Whether nothing more can be read of it.
    is_over: bool,
}

/// Such a file, followed.
#[derive(Debug, Clone)]
pub struct Decoded {
    packed: Option<Packed>,
    form: Option<Form>,
    /// The beginning, until the form is known.
    beginning: Vec<u8>,
    text: Text,
    /// Text of the line that is not whole yet.
    held: Vec<u8>,
    in_long_line: bool,
}

impl Decoded {
    /// How to read a file that is not plain text with line feeds.
    pub fn needed(path: &Path, file: &File, limits: Limits) -> io::Result<Option<Self>> {
        let mut beginning = vec![0; FIRST_READ.min(limits.first)];
        let read = file.read_at(&mut beginning, 0)?;
        beginning.truncate(read);
        let is_named = path.extension().is_some_and(|ending| ending == "gz");
        let is_packed = beginning.starts_with(&GZIP) || beginning.is_empty() && is_named;
        if is_packed {
            return Ok(Some(Self::new(Some(Packed::default()), None)));
        }
        let mut found = form(&beginning, limits);
        if found.is_none() && read == FIRST_READ {
            beginning.resize(limits.first, 0);
            let read = file.read_at(&mut beginning, 0)?;
            beginning.truncate(read);
            found = form(&beginning, limits);
        }
        let found = found.filter(|form| *form != Form::Plain);
        Ok(found.map(|form| Self::new(None, Some(form))))
    }

    fn new(packed: Option<Packed>, form: Option<Form>) -> Self {
        Self {
            packed,
            form,
            beginning: Vec::new(),
            text: Text::default(),
            held: Vec::new(),
            in_long_line: false,
        }
    }

    /// The text of a last line without a line end.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Reads from `start` to `end` and hands over complete lines; `after` is called after each part
    /// of them.
    pub fn read(
        &mut self,
        file: &File,
        (start, end): (u64, u64),
        limits: Limits,
        reader: &mut Reader,
        after: &mut dyn FnMut(&mut Reader),
    ) -> io::Result<()> {
        if let Some(packed) = self.packed {
            return self.unpack(packed, file, end, limits, reader, after);
        }
        let mut bytes = vec![0; PART.min(end.saturating_sub(start) as usize)];
        let mut at = start;
        while at < end {
            let most = bytes.len().min((end - at) as usize);
            let read = file.read_at(&mut bytes[..most], at)?;
            if read == 0 {
                break;
            }
            at += read as u64;
            self.take(&bytes[..read], limits, reader, after);
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        mut packed: Packed,
        file: &File,
        end: u64,
        limits: Limits,
        reader: &mut Reader,
        after: &mut dyn FnMut(&mut Reader),
    ) -> io::Result<()> {
        let mut part = vec![0; PART];
        while !packed.is_over && packed.member < end {
            let at = packed.member;
            let mut bytes = BufReader::new(Range { file, at, end });
            // What is cut off within the first bytes of a member is awaited.
            if bytes.fill_buf()?.len() < GZIP.len() {
                break;
            }
            let mut member = GzDecoder::new(&mut bytes);
            let mut unpacked = 0;
            let is_whole = loop {
                match member.read(&mut part) {
                    Ok(0) => break true,
                    Ok(read) => {
                        let known = packed.handed_on.saturating_sub(unpacked).min(read as u64);
                        unpacked += read as u64;
                        packed.handed_on = packed.handed_on.max(unpacked);
                        packed.unpacked += read as u64 - known;
                        self.take(&part[known as usize..read], limits, reader, after);
                    }
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => break false,
                    Err(error) if is_damage(&error) => {
                        packed.is_over = true;
                        reader.stop_at("is the last before damaged gzip data");
                        break false;
                    }
                    Err(error) => {
                        self.packed = Some(packed);
                        return Err(error);
                    }
                }
                if packed.unpacked > limits.unpacked {
                    packed.is_over = true;
                    reader.stop_at("is the last of what is unpacked: the file holds far more");
                    break false;
                }
            };
            drop(member);
            self.packed = Some(packed);
            if !is_whole {
                break;
            }
            packed.member = bytes.get_ref().at - bytes.buffer().len() as u64;
            packed.handed_on = 0;
        }
        self.packed = Some(packed);
        Ok(())
    }

    /// Takes in bytes that follow those before.
    fn take(
        &mut self,
        bytes: &[u8],
        limits: Limits,
        reader: &mut Reader,
        after: &mut dyn FnMut(&mut Reader),
    ) {
        if let Some(form) = self.form {
            self.text.decode(form, bytes, &mut self.held);
        } else {
            self.beginning.extend_from_slice(bytes);
            self.form = form(&self.beginning, limits);
            let Some(form) = self.form else {
                return;
            };
            let beginning = std::mem::take(&mut self.beginning);
            self.text.decode(form, &beginning, &mut self.held);
        }
        if self.in_long_line {
            let end = memchr::memchr(b'\n', &self.held);
            self.in_long_line = end.is_none();
            self.held
                .drain(..end.map_or(self.held.len(), |end| end + 1));
        }
        if let Some(last) = memchr::memrchr(b'\n', &self.held) {
            reader.push(&self.held[..=last]);
            self.held.drain(..=last);
            after(reader);
        }
        if self.held.len() > limits.line {
            reader.skip_line();
            self.in_long_line = true;
            self.held.clear();
        }
    }
}

fn is_damage(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData
    )
}

/// A part of a file, read from its start.
struct Range<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Range<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(self.end.saturating_sub(self.at) as usize);
        let read = self.file.read_at(&mut bytes[..most], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
