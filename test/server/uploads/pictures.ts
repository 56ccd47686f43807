// Pictures of six by four pixels, drawn by a browser, and what senders may hide in them.
import { crc32 } from 'node:zlib';

export const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAYAAACtBE5DAAAAOElEQVR4AWyJwQkAIAwDQx/+XcpRfDiQQziCo/mxJZBPaemFhLM+z68wxK13IWLyKdhSUOw2IOQdAAD//5TjpVAAAAAGSURBVAMAGbwVyYI66A8AAAAASUVORK5CYII=',
  'base64',
);
export const jpeg = Buffer.from(
  '/9j/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAEAAYDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAXEAEBAQEAAAAAAAAAAAAAAAAAARFB/8QAFAEBAAAAAAAAAAAAAAAAAAAABP/EABYRAAMAAAAAAAAAAAAAAAAAAAACMf/aAAwDAQACEQMRAD8Ajt3kAMWA2p//2Q==',
  'base64',
);
export const webp = Buffer.from(
  'UklGRlwAAABXRUJQVlA4WAoAAAAQAAAABQAAAwAAQUxQSAwAAAABDzBmERFiDiL6HwdWUDggKgAAAHABAJ0BKgYABAAEAGglqAJ0AXUAAP7wm0P8f3+7+pMfhHf7v6kmLrwAAA==',
  'base64',
);
export const losslessWebp = Buffer.from(
  'UklGRjQAAABXRUJQVlA4WAoAAAAAAAAABQAAAwAAVlA4TBYAAAAvBcAAAA9wM/1HqF1Vd/4DD+MQ0f8w',
  'base64',
);

export function pngChunk(type: string, data: Buffer | string): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length - 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** The PNG with a chunk after its header. */
export function pngWith(chunk: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
}

/** The PNG that says it has these dimensions. */
export function pngOfSize(width: number, height: number): Buffer {
  const header = Buffer.from(png.subarray(16, 29));
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  return Buffer.concat([png.subarray(0, 8), pngChunk('IHDR', header), png.subarray(33)]);
}

export function jpegSegment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** The JPEG with segments after its start. */
export function jpegWith(...segments: Buffer[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

/** Exif with an orientation and, in the GPS part, a text that must not survive. */
export function exif(orientation: number): Buffer {
  const tiff = Buffer.from('4d4d002a00000008' + '0002' + '0112000300000001', 'hex');
  const value = Buffer.from([0, orientation, 0, 0]);
  const gps = Buffer.from('88250004000000010000002600000000', 'hex');
  return jpegSegment(
    0xe1,
    Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, value, gps, Buffer.from('GPS 47.998 N')]),
  );
}

export function webpChunk(type: string, data: Buffer | string): Buffer {
  const bytes = Buffer.from(data);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, bytes, Buffer.alloc(bytes.length % 2)]);
}

/** A WebP file of these chunks. */
export function webpOf(...chunks: Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from('RIFF'), length, body]);
}
