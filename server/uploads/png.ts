// The picture in a PNG file and nothing else (W3C PNG, third edition, §5 chunks). Decodes no pixel.
import { crc32 } from 'node:zlib';

export const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Chunks that decide how the pixels look. Text, time, place, profiles and animation are left out. */
const kept = new Set(['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'IDAT', 'IEND']);

/** The file with only those chunks, ending at IEND. Null when it is no whole PNG file. */
export function barePng(bytes: Buffer): Buffer | null {
  if (!bytes.subarray(0, 8).equals(pngSignature)) return null;
  const parts: Buffer[] = [pngSignature];
  let hasPixels = false;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    if (end > bytes.length) return null;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4)) return null;
    const isFirst = at === 8;
    if (isFirst !== (type === 'IHDR') || (isFirst && length !== 13)) return null;
    if (kept.has(type)) parts.push(bytes.subarray(at, end));
    else if (isCritical(type)) return null;
    if (type === 'IDAT') hasPixels = true;
    if (type === 'IEND') return hasPixels && length === 0 ? Buffer.concat(parts) : null;
    at = end;
  }
  return null;
}

/** A capital first letter: no reader may skip the chunk. */
function isCritical(type: string): boolean {
  return /^[A-Z]/.test(type);
}
