// What may become a picture here: PNG, JPEG or WebP by its content, of bearable size, freed of all but the picture.
// SVG, HTML, JSON and everything else is refused whatever its name or declared type.
import { createHash } from 'node:crypto';
import { imageSize } from 'image-size';
import { DomainError } from '../errors.js';
import { bareJpeg } from './jpeg.js';
import { barePng, pngSignature } from './png.js';
import { type CheckedImage, type ImageType, maxImageBytes, maxImageSide } from './schema.js';
import { bareWebp, isWebp } from './webp.js';

/** The picture in the file. Refuses: invalid (empty, too large, not one of the three, damaged, too many pixels). */
export function checkImage(bytes: Buffer): CheckedImage {
  if (bytes.length === 0) throw refused('uploads.error.empty');
  if (bytes.length > maxImageBytes) throw refused('uploads.error.tooHeavy');
  const type = typeOf(bytes);
  if (!type) throw refused('uploads.error.type');
  const bare = bareOf(bytes, type);
  if (!bare) throw refused('uploads.error.damaged');
  const size = sizeOf(bare);
  // Exif orientations from 5 on show the picture turned by a quarter.
  const isTurned = (size.orientation ?? 1) >= 5;
  const [width, height] = isTurned ? [size.height, size.width] : [size.width, size.height];
  if (width > maxImageSide || height > maxImageSide) throw refused('uploads.error.tooManyPixels');
  return { type, bytes: bare, width, height, sha256: createHash('sha256').update(bare).digest('hex') };
}

/** Pixels of a picture of others: more is a trap for whoever unpacks it. */
const maxPixels = 50_000_000;

/**
 * The file as a picture of one of the three types, by its own bytes and never by what its server calls it; unchanged. Null: it
 * is none, is damaged at its beginning, or unpacks to more than 50 million pixels.
 */
export function pictureIn(bytes: Buffer): { type: ImageType; bytes: Buffer } | null {
  const type = typeOf(bytes);
  if (!type) return null;
  try {
    const { width, height } = imageSize(bytes);
    return width > 0 && height > 0 && width * height <= maxPixels ? { type, bytes } : null;
  } catch {
    return null;
  }
}

function typeOf(bytes: Buffer): ImageType | null {
  if (bytes.subarray(0, 8).equals(pngSignature)) return 'image/png';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  return isWebp(bytes) ? 'image/webp' : null;
}

function bareOf(bytes: Buffer, type: ImageType): Buffer | null {
  if (type === 'image/png') return barePng(bytes);
  return type === 'image/webp' ? bareWebp(bytes) : bareJpeg(bytes, sizeOf(bytes).orientation);
}

/** Refuses: invalid. Called only on the three types, so no other decoder of the library runs. */
function sizeOf(bytes: Buffer): { width: number; height: number; orientation?: number } {
  try {
    const size = imageSize(bytes);
    if (size.width > 0 && size.height > 0) return size;
  } catch (cause) {
    throw refused('uploads.error.damaged', cause);
  }
  throw refused('uploads.error.damaged');
}

function refused(key: string, cause?: unknown): DomainError {
  return new DomainError('invalid', key, { field: 'logo', ...(cause === undefined ? {} : { cause }) });
}
