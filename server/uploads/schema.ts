// A picture that a collective uploaded, freed of everything but the picture. Shapes only.
import { z } from 'zod';
import type { Doc } from '../store/store.js';

export const imageTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

/** Bytes. */
export const maxImageBytes = 512 * 1024;
/** Pixels on each side. */
export const maxImageSide = 4096;

export interface CheckedImage {
  type: ImageType;
  /** Only what makes the picture: no text, place, camera, or anything after its end. */
  bytes: Buffer;
  width: number;
  height: number;
  /** Of the bytes, in hexadecimal. */
  sha256: string;
}

export interface Upload extends Doc, CheckedImage {
  collectiveId: string;
  createdAt: Date;
}

export const uploadId = z.uuid();
