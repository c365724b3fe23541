//! A request that carries files: `multipart/form-data`, from Python's files, bytes and paths.

use bytes::Bytes;
use http::HeaderValue;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::ids;

const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The parts so far.
#[derive(Debug)]
pub(super) struct FormData {
    boundary: String,
    out: Vec<u8>,
}

impl FormData {
    pub(super) fn new() -> Self {
        Self {
            // Long enough to be in no file by chance.
            boundary: format!("{:016x}{:016x}", ids::random_u64(), ids::random_u64()),
            out: Vec::new(),
        }
    }

    /// A parameter: lists are as many parts as they have items, as the vendors' own SDKs send them.
    ///
    /// # Errors
    /// TypeError for what has no form as text.
    pub(super) fn field(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(list) = value.cast::<PyList>() {
            return list.iter().try_for_each(|item| self.field(&format!("{name}[]"), &item));
        }
        if let Ok(dict) = value.cast::<PyDict>() {
            return dict.iter().try_for_each(|(key, item)| {
                let key: String = key.extract()?;
                self.field(&format!("{name}[{key}]"), &item)
            });
        }
        let text = match value.cast::<PyBool>() {
            Ok(flag) => flag.is_true().to_string(),
            Err(_) => value.str()?.to_cow()?.into_owned(),
        };
        self.text(name, &text);
        Ok(())
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.begin(name, None);
        self.end(text.as_bytes());
    }

    /// A file, or each of a list of files.
    ///
    /// # Errors
    /// TypeError for what is no file, and whatever reading it raises.
    pub(super) fn files(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(list) = value.cast::<PyList>() {
            return list.iter().try_for_each(|file| self.files(name, &file));
        }
        let file = File::read(name, value)?;
        self.file(name, &file);
        Ok(())
    }

    /// An image, or each of a list: it is named by what it is, as some programs hand over bytes without a name.
    pub(super) fn images(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(list) = value.cast::<PyList>() {
            return list.iter().try_for_each(|image| self.images(name, &image));
        }
        let mut image = File::read(name, value)?;
        if let Some(kind) = image_kind(&image.content) {
            image.name = format!("{}.{kind}", name.trim_end_matches("[]"));
            image.content_type = format!("image/{kind}");
        }
        self.file(name, &image);
        Ok(())
    }

    fn file(&mut self, name: &str, file: &File) {
        self.begin(name, Some(&file.name));
        self.out
            .extend_from_slice(format!("Content-Type: {}\r\n", file.content_type).as_bytes());
        self.end(&file.content);
    }

    fn begin(&mut self, name: &str, file: Option<&str>) {
        let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let file = file.map_or_else(String::new, |file| format!("; filename=\"{}\"", quoted(file)));
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{}\"{file}\r\n",
            self.boundary,
            quoted(name)
        );
        self.out.extend_from_slice(head.as_bytes());
    }

    fn end(&mut self, content: &[u8]) {
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(content);
        self.out.extend_from_slice(b"\r\n");
    }

    /// The body, and the header that says what it is.
    pub(super) fn finished(mut self) -> (Bytes, HeaderValue) {
        self.out
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        let content_type = format!("multipart/form-data; boundary={}", self.boundary);
        // Letters and digits.
        let content_type =
            HeaderValue::from_str(&content_type).unwrap_or_else(|_| HeaderValue::from_static("multipart/form-data"));
        (Bytes::from(self.out), content_type)
    }
}

#[derive(Debug)]
struct File {
    name: String,
    content: Vec<u8>,
    content_type: String,
}

impl File {
    /// Bytes, a file that is open for reading, a path, or a tuple of name, any of these, and perhaps the content type.
    fn read(field: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = value.py();
        if let Ok(tuple) = value.cast::<PyTuple>().cloned() {
            if tuple.len() < 2 {
                return Err(not_a_file(field, value));
            }
            let mut file = Self::read(field, &tuple.get_item(1)?)?;
            if let Some(name) = tuple.get_item(0)?.extract::<Option<String>>()? {
                file.content_type = guessed(py, &name)?;
                file.name = name;
            }
            if let Some(content_type) = tuple.get_item(2).ok().and_then(|kind| kind.extract::<String>().ok()) {
                file.content_type = HeaderValue::from_str(&content_type)
                    .map(|_| content_type)
                    .map_err(|_| {
                        PyValueError::new_err(format!("the content type of '{field}' is no header's value"))
                    })?;
            }
            return Ok(file);
        }
        let (name, content) = if let Ok(bytes) = value.cast::<PyBytes>() {
            ("upload".to_owned(), bytes.as_bytes().to_vec())
        } else if let Ok(bytes) = value.cast::<PyByteArray>() {
            ("upload".to_owned(), bytes.to_vec())
        } else if value.hasattr("__fspath__")? {
            let path: std::path::PathBuf = value.extract()?;
            (base_name(&path.to_string_lossy()), py.detach(|| std::fs::read(&path))?)
        } else if let Some(read) = value.getattr_opt("read")? {
            let content = read.call0()?;
            let Ok(bytes) = content.cast::<PyBytes>() else {
                let why = "is opened as text: open it in binary mode ('rb')";
                return Err(PyTypeError::new_err(format!("the file '{field}' {why}")));
            };
            let name = value
                .getattr_opt("name")?
                .and_then(|name| name.extract::<String>().ok());
            (
                name.map_or_else(|| "upload".to_owned(), |name| base_name(&name)),
                bytes.as_bytes().to_vec(),
            )
        } else {
            return Err(not_a_file(field, value));
        };
        Ok(Self {
            content_type: guessed(py, &name)?,
            name,
            content,
        })
    }
}

fn not_a_file(field: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let kind = value
        .get_type()
        .name()
        .map_or_else(|_| "that".to_owned(), |name| name.to_string());
    let takes = "a file opened in binary mode, bytes, a pathlib.Path, or a tuple of name and content";
    PyTypeError::new_err(format!("{field} must be {takes}, not {kind}"))
}

fn base_name(path: &str) -> String {
    path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned()
}

/// The content type as Python's `mimetypes`, and so the vendors' SDKs, have it.
fn guessed(py: Python<'_>, name: &str) -> PyResult<String> {
    let guess = py.import("mimetypes")?.call_method1("guess_type", (name,))?;
    let kind: Option<String> = guess.get_item(0)?.cast::<PyString>().ok().map(|kind| kind.to_string());
    Ok(kind.unwrap_or_else(|| UNKNOWN_TYPE.to_owned()))
}

fn image_kind(content: &[u8]) -> Option<&'static str> {
    match content {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_header() {
        let mut form = FormData::new();
        form.file(
            "file",
            &File {
                name: "a\"\r\nX: 1".to_owned(),
                content: b"abc".to_vec(),
                content_type: UNKNOWN_TYPE.to_owned(),
            },
        );
        form.text("model", "whisper-1");
        let (body, content_type) = form.finished();
        let text = String::from_utf8_lossy(&body);
        let boundary = content_type
            .to_str()
            .unwrap_or_default()
            .rsplit('=')
            .next()
            .unwrap_or_default();
        assert!(text.contains("filename=\"a%22%0D%0AX: 1\"\r\nContent-Type: application/octet-stream\r\n\r\nabc\r\n"));
        assert!(text.contains("name=\"model\"\r\n\r\nwhisper-1\r\n"));
        assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    }
}
