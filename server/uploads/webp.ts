// The picture in a WebP file and nothing else (RFC 9649). Decodes no pixel.

const alphaFlag = 0x10;
const animationFlag = 0x02;

export interface Size {
  width: number;
  height: number;
}

/**
 * The file with only its still picture and transparency; profile, Exif, XMP, unknown chunks and what follows the end
 * are left out. Null when it is no whole still WebP file, or when its parts disagree about its size.
 */
export function bareWebp(bytes: Buffer): Buffer | null {
  if (!isWebp(bytes)) return null;
  const end = bytes.readUInt32LE(4) + 8;
  if (end > bytes.length) return null;
  let canvas: Size | null = null;
  let header: Buffer | null = null;
  let alpha: Buffer | null = null;
  for (let at = 12; at + 8 <= end; ) {
    const type = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const chunkEnd = at + 8 + length + (length % 2);
    if (chunkEnd > end + (length % 2)) return null;
    const data = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'VP8X') {
      if (header || length !== 10 || ((data[0] ?? 0) & animationFlag) !== 0) return null;
      canvas = { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
      header = Buffer.from(data);
      header[0] = (data[0] ?? 0) & alphaFlag;
    } else if (type === 'ALPH') {
      alpha = data;
    } else if (type === 'VP8 ' || type === 'VP8L') {
      const size = type === 'VP8 ' ? lossySize(data) : losslessSize(data);
      if (!size || (canvas && (canvas.width !== size.width || canvas.height !== size.height))) return null;
      const extended = header ? [chunk('VP8X', header), ...(alpha ? [chunk('ALPH', alpha)] : [])] : [];
      return riff([...extended, chunk(type, data)]);
    }
    at = chunkEnd;
  }
  return null;
}

export function isWebp(bytes: Buffer): boolean {
  return bytes.length >= 20 && bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
}

/** RFC 6386 §9.1: key frame, start code, then 14 bits each. */
function lossySize(data: Buffer): Size | null {
  if (data.length < 10 || ((data[0] ?? 1) & 1) !== 0 || data.readUIntBE(3, 3) !== 0x9d012a) return null;
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
}

/** RFC 9649 §3.4: signature, then 14 bits each, one less than the size. */
function losslessSize(data: Buffer): Size | null {
  if (data.length < 5 || data[0] !== 0x2f) return null;
  const bits = data.readUInt32LE(1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function riff(chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}
