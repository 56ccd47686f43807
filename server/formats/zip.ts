// Archives as ZIP (PKWARE APPNOTE 6.3), as documents of office programs need them: a few entries, held in memory, no ZIP64.
import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

export interface ZipEntry {
  /** ASCII, with slashes. */
  name: string;
  text: string;
  /** Left as it is: the first entry of an OpenDocument file must be. */
  isStored?: boolean;
}

const stored = 0;
const deflated = 8;
/** 1980-01-01, the first day that the format knows: the same content gives the same bytes. */
const day = 0x21;
/** Names are UTF-8. */
const flags = 0x800;

export async function writeZip(entries: readonly ZipEntry[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const plain = Buffer.from(entry.text);
    const bytes = entry.isStored ? plain : await deflate(plain);
    const about = aboutEntry(entry.isStored ? stored : deflated, crc32(plain), bytes.length, plain.length, name.length);
    const head = Buffer.concat([signature(0x04034b50), about, u16(0), name]);
    directory.push(central(about, offset, name));
    parts.push(head, bytes);
    offset += head.length + bytes.length;
  }
  const names = Buffer.concat(directory);
  const count = u16(entries.length);
  const end = [signature(0x06054b50), u16(0), u16(0), count, count, u32(names.length), u32(offset), u16(0)];
  return Buffer.concat([...parts, names, ...end]);
}

/** What both the head of an entry and the directory say, from "version needed" to the length of the name. */
function aboutEntry(method: number, crc: number, size: number, plainSize: number, nameSize: number): Buffer {
  return Buffer.concat([
    ...[u16(20), u16(flags), u16(method), u16(0), u16(day)],
    ...[u32(crc), u32(size), u32(plainSize), u16(nameSize)],
  ]);
}

function central(about: Buffer, offset: number, name: Buffer): Buffer {
  const rest = [u16(0), u16(0), u16(0), u16(0), u32(0), u32(offset), name];
  return Buffer.concat([signature(0x02014b50), u16(20), about, ...rest]);
}

const signature = u32;

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
