// The picture in a JPEG file and nothing else (ITU-T T.81 annex B markers). Decodes no pixel.

/** Frames that browsers show: baseline, extended, progressive. */
const frames = new Set([0xc0, 0xc1, 0xc2]);
/** Tables and restart interval: DHT, DQT, DRI. */
const tables = new Set([0xc4, 0xdb, 0xdd]);
const [soi, eoi, sos, app14] = [0xd8, 0xd9, 0xda, 0xee];

/**
 * The file with only what draws the picture, ending at its end marker; comments and application data (Exif with its
 * place and camera, XMP, profiles, thumbnails) are left out. `orientation` (Exif 2 to 8) is written back alone,
 * because the picture lies on its side without. Null when it is no whole JPEG file of a kind that browsers show.
 */
export function bareJpeg(bytes: Buffer, orientation: number | undefined): Buffer | null {
  if (bytes[0] !== 0xff || bytes[1] !== soi) return null;
  const parts: Buffer[] = [bytes.subarray(0, 2)];
  if (orientation !== undefined && orientation >= 2 && orientation <= 8) parts.push(orientationSegment(orientation));
  let frameCount = 0;
  let scanCount = 0;
  for (let at = 2; at + 2 <= bytes.length; ) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1];
    if (marker === undefined) return null;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === eoi) {
      if (frameCount !== 1 || scanCount === 0) return null;
      parts.push(bytes.subarray(at, at + 2));
      return Buffer.concat(parts);
    }
    if (at + 4 > bytes.length) return null;
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) return null;
    const segment = bytes.subarray(at, end);
    if (frames.has(marker)) frameCount += 1;
    else if (!(tables.has(marker) || marker === sos || isColourNote(marker, segment))) {
      if (!isSkipped(marker)) return null;
      at = end;
      continue;
    }
    parts.push(segment);
    at = end;
    if (marker === sos) {
      scanCount += 1;
      at = endOfScan(bytes, end);
      parts.push(bytes.subarray(end, at));
    }
  }
  return null;
}

/** APP0 to APP15 and COM. */
function isSkipped(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
}

/** Adobe's APP14 tells how colours are coded: without it some pictures turn green. Twelve fixed bytes. */
function isColourNote(marker: number, segment: Buffer): boolean {
  return marker === app14 && segment.length === 16 && segment.toString('latin1', 4, 9) === 'Adobe';
}

/** Where the pixel data ends: the first marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = from; at + 1 < bytes.length; at += 1) {
    const next = bytes[at + 1] ?? 0;
    if (bytes[at] === 0xff && next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return bytes.length;
}

/** APP1 with an Exif block of one entry: tag 0x0112, SHORT, one value. */
function orientationSegment(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a000000080001011200030000000100000000' + '00000000', 'hex');
  tiff.writeUInt16BE(orientation, 18);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  const exif = Buffer.concat([head, Buffer.from('Exif\0\0', 'latin1'), tiff]);
  exif.writeUInt16BE(exif.length - 2, 2);
  return exif;
}
