// Files of views/public under /assets. An address with ?v= of the file's content (the helper `asset`) never changes, so
// browsers keep it for a year. Texts are sent compressed; each is compressed once.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import type { RequestHandler } from 'express';
import { viewsDir } from '../paths.js';

const publicDir = join(viewsDir, 'public');
const compressors = { br: promisify(brotliCompress), gzip: promisify(gzip) };
const texts = new Set(['.css', '.js', '.svg', '.txt', '.json', '.webmanifest']);
const year = 31_536_000;

interface StaticFile {
  path: string;
  changedAt: number;
  bytes: Buffer;
  compressed: Map<string, Promise<Buffer>>;
}

/** Answers GET and HEAD for the files that were there at the start; leaves everything else to what comes after. */
export function staticFiles(): RequestHandler {
  const files = new Map<string, StaticFile>();
  for (const entry of readdirSync(publicDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(publicDir, path).replaceAll('\\', '/')}`, readStatic(path));
  }
  return async (req, res, next) => {
    const known = files.get(req.path);
    if (!known || (req.method !== 'GET' && req.method !== 'HEAD')) return next();
    const file = statSync(known.path).mtimeMs === known.changedAt ? known : readStatic(known.path);
    files.set(req.path, file);
    const extension = extname(file.path);
    const isVersioned = typeof req.query.v === 'string' && req.query.v !== '';
    res
      .set('Cache-Control', isVersioned ? `public, max-age=${year}, immutable` : 'public, max-age=3600')
      .type(extension);
    if (!texts.has(extension)) return void res.send(file.bytes);
    res.vary('Accept-Encoding');
    const encoding = (['br', 'gzip'] as const).find((one) => req.acceptsEncodings(one));
    if (encoding === undefined) return void res.send(file.bytes);
    const body = file.compressed.get(encoding) ?? compressors[encoding](file.bytes);
    file.compressed.set(encoding, body);
    res.set('Content-Encoding', encoding).send(await body);
  };
}

function readStatic(path: string): StaticFile {
  return { path, changedAt: statSync(path).mtimeMs, bytes: readFileSync(path), compressed: new Map() };
}
