// Calendars as iCalendar files (RFC 5545): moments in UTC, lines of at most 75 octets ending in CR LF. Knows no store.

export interface CalendarEvent {
  /** Globally unique, and the same whenever the same thing is told again (RFC 5545 §3.8.4.7). */
  uid: string;
  /** Rises with each change of the event (§3.8.7.4). */
  sequence: number;
  /** When it was last changed, not when the file is written: a file without METHOD says so in DTSTAMP too (§3.8.7.2). */
  changedAt: Date;
  startsAt: Date;
  /** Null, or not after its start: it has no length. */
  endsAt: Date | null;
  summary: string;
  description?: string;
  url?: string;
}

export interface Calendar {
  name: string;
  /** BCP 47: of its texts. */
  language: string;
  events: readonly CalendarEvent[];
}

/** The file. It has no METHOD: a published one names an organiser with a mail address (RFC 5546 §3.2.1). */
export function writeCalendar({ name, language, events }: Calendar): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    `PRODID:-//Chatiere//Chatiere//${escaped(language.toUpperCase())}`,
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${escaped(name)}`,
    ...(events.length === 0 ? nothing : events.flatMap(linesOf)),
    'END:VCALENDAR',
  ];
  return `${lines.map(fold).join('\r\n')}\r\n`;
}

/** A file holds one component at least (§3.4). This one shows nowhere (§3.6.5). */
const nothing = [
  'BEGIN:VTIMEZONE',
  'TZID:UTC',
  'BEGIN:STANDARD',
  'DTSTART:19700101T000000',
  'TZOFFSETFROM:+0000',
  'TZOFFSETTO:+0000',
  'END:STANDARD',
  'END:VTIMEZONE',
];

function linesOf(event: CalendarEvent): string[] {
  return [
    'BEGIN:VEVENT',
    `UID:${escaped(event.uid)}`,
    `SEQUENCE:${event.sequence}`,
    `DTSTAMP:${utc(event.changedAt)}`,
    `LAST-MODIFIED:${utc(event.changedAt)}`,
    `DTSTART:${utc(event.startsAt)}`,
    ...(event.endsAt === null || event.endsAt <= event.startsAt ? [] : [`DTEND:${utc(event.endsAt)}`]),
    `SUMMARY:${escaped(event.summary)}`,
    ...(event.description ? [`DESCRIPTION:${escaped(event.description)}`] : []),
    ...(event.url ? [`URL:${new URL(event.url).href}`] : []),
    'END:VEVENT',
  ];
}

/** 2026-12-10T18:00:00.000Z -> 20261210T180000Z (§3.3.5, form 2). */
function utc(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** §3.3.11; control characters have no place in a text. */
function escaped(text: string): string {
  return (
    text
      .replace(/\r\n?/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: leaving them out is the point
      .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
      .replace(/[\\;,]/g, '\\$&')
      .replaceAll('\n', '\\n')
  );
}

/** §3.1: 75 octets, never in the middle of a character; what continues starts with a space, which counts. */
function fold(line: string): string {
  const parts: string[] = [];
  let part = '';
  let size = 0;
  for (const character of line) {
    const octets = Buffer.byteLength(character);
    if (size + octets > 75) {
      parts.push(part);
      part = ' ';
      size = 1;
    }
    part += character;
    size += octets;
  }
  return [...parts, part].join('\r\n');
}
