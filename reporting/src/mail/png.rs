//! A PNG of few colours: what mail programs show of drawings, since they draw no SVG.

use std::io::{self, Write as _};

use flate2::{Compression, Crc, write::ZlibEncoder};

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

/// Points of a picture: places in a palette, the first of which is not there at all.
pub(super) struct Points {
    width: usize,
    height: usize,
    places: Vec<u8>,
}

impl Points {
    /// Nothing is drawn yet.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, places: vec![0; width.saturating_mul(height)] }
    }

    /// Draws a point, counted from the left and from the ground; what is outside is not there.
    pub(super) fn set(&mut self, x: usize, from_ground: usize, place: u8) {
        let line = self.height.checked_sub(from_ground.saturating_add(1));
        let at =
            line.filter(|_| x < self.width).map(|line| line.saturating_mul(self.width).saturating_add(x));
        if let Some(point) = at.and_then(|at| self.places.get_mut(at)) {
            *point = place;
        }
    }

    /// The picture, in the colours of places 1, 2, ….
    pub(super) fn png(&self, palette: &[Colour]) -> Vec<u8> {
        // Writing into memory does not fail.
        self.written(palette).unwrap_or_default()
    }

    fn written(&self, palette: &[Colour]) -> io::Result<Vec<u8>> {
        let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        let mut head = [size(self.width), size(self.height)].concat();
        // Eight bits a point, which are places in the palette; the usual way in all else.
        head.extend_from_slice(&[8, 3, 0, 0, 0]);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        for line in self.places.chunks(self.width.max(1)) {
            // Each line begins with how it was filtered: not at all.
            packed.write_all(&[0])?;
            packed.write_all(line)?;
        }
        let packed = packed.finish()?;
        let colours = [&[[0; 3]][..], palette].concat().concat();
        let mut opacity = vec![u8::MAX; palette.len().saturating_add(1)];
        if let Some(first) = opacity.first_mut() {
            *first = 0;
        }
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [
            (b"IHDR", &*head),
            (b"PLTE", &*colours),
            (b"tRNS", &*opacity),
            (b"IDAT", &packed),
            (b"IEND", &[]),
        ] {
            let mut sum = Crc::new();
            sum.update(kind);
            sum.update(data);
            out.extend_from_slice(&size(data.len()));
            out.extend_from_slice(kind);
            out.extend_from_slice(data);
            out.extend_from_slice(&sum.sum().to_be_bytes());
        }
        Ok(out)
    }
}
