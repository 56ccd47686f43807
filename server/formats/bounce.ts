// Reports of mail servers that a mail did not arrive (RFC 3464 within RFC 6522). Reads the machine's part and the headers of
// the mail that came back; what stands in words for people is not looked at. Knows no store.

export interface Bounce {
  /** Of the mail that came back, without its angle brackets; null: the report names none. */
  messageId: string | null;
  action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  /** RFC 3463, such as 5.1.1. */
  status: string;
  /** What the mail server said, in one line. */
  reason: string;
}

const actions = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;
const mostParts = 20;
const deliveryStatus = ['message/delivery-status', 'message/global-delivery-status'];
const returned = ['message/rfc822', 'message/global', 'text/rfc822-headers', 'message/global-headers'];

/** Null: it is no such report, whatever else it is. Of several recipients the first that failed counts. */
export function readBounce(raw: string): Bounce | null {
  const message = split(raw.replace(/\r\n?/g, '\n'));
  const type = readType(message.headers.get('content-type'));
  if (type.name !== 'multipart/report' || type.params.get('report-type') !== 'delivery-status') return null;
  const boundary = type.params.get('boundary') ?? '';
  if (boundary === '' || boundary.length > 70) return null;
  const parts = partsOf(message.body, boundary).map((part) => {
    const { headers, body } = split(part);
    return { type: readType(headers.get('content-type')).name, body: decode(body, headers) };
  });
  const report = parts.find(({ type: name }) => deliveryStatus.includes(name));
  if (report === undefined) return null;
  const [whole, ...recipients] = report.body.split(/\n[ \t]*\n/).map(fields);
  const read = recipients.flatMap((one) => readRecipient(one) ?? []);
  const told = read.find(({ action }) => action === 'failed') ?? read[0];
  if (told === undefined) return null;
  const mail = parts.find(({ type: name }) => returned.includes(name));
  const named = mail && split(mail.body).headers.get('message-id');
  return { ...told, messageId: bare(named) ?? bare(whole?.get('original-envelope-id')) };
}

function readRecipient(fields: Map<string, string>): Omit<Bounce, 'messageId'> | null {
  const said = fields.get('action')?.trim().toLowerCase();
  const action = actions.find((one) => one === said);
  const [status] = /[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '') ?? [];
  if (action === undefined || status === undefined) return null;
  const words = (fields.get('diagnostic-code') ?? '').replace(/^[^;]*;/, '');
  const reason = `${status} ${words}`.replace(/[\s\p{C}]+/gu, ' ').trim();
  return { action, status, reason: reason.slice(0, 300) };
}

function bare(id: string | undefined): string | null {
  const [, inner = ''] = /^\s*<?([^<>\s]{1,250})>?\s*$/.exec(id ?? '') ?? [];
  return inner === '' ? null : inner;
}

/** Headers, and what follows the first empty line. */
function split(text: string): { headers: Map<string, string>; body: string } {
  if (text.startsWith('\n')) return { headers: new Map(), body: text.slice(1) };
  const end = text.indexOf('\n\n');
  return end < 0
    ? { headers: fields(text), body: '' }
    : { headers: fields(text.slice(0, end)), body: text.slice(end + 2) };
}

/** Of a name given twice the first counts. What is no field is passed over (RFC 5322 §2.2). */
function fields(block: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of block.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const [, name = '', value = ''] = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line) ?? [];
    if (name !== '' && !found.has(name.toLowerCase())) found.set(name.toLowerCase(), value.trim());
  }
  return found;
}

/** RFC 2045 §5.1; parameters quoted or not. */
function readType(value = 'text/plain'): { name: string; params: Map<string, string> } {
  const params = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of value.matchAll(
    /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/g,
  )) {
    const text = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    params.set(name.toLowerCase(), name.toLowerCase() === 'boundary' ? text : text.toLowerCase());
  }
  return { name: (value.split(';')[0] ?? '').trim().toLowerCase(), params };
}

/** RFC 2046 §5.1.1. */
function partsOf(body: string, boundary: string): string[] {
  const parts: string[][] = [];
  for (const line of body.split('\n')) {
    const end = line.trimEnd();
    if (end === `--${boundary}--`) break;
    if (end === `--${boundary}`) parts.push([]);
    else parts.at(-1)?.push(line);
    if (parts.length > mostParts) break;
  }
  return parts.slice(0, mostParts).map((lines) => lines.join('\n'));
}

function decode(body: string, headers: Map<string, string>): string {
  const encoding = (headers.get('content-transfer-encoding') ?? '').toLowerCase();
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8').replace(/\r\n?/g, '\n');
  if (encoding !== 'quoted-printable') return body;
  return body
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
