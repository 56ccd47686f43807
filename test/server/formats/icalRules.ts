// What RFC 5545 requires of a calendar file, read from the RFC and not from our writer: every breach as a sentence.

interface Component {
  name: string;
  properties: { name: string; params: string; value: string }[];
  components: Component[];
}

const once = ['UID', 'DTSTAMP', 'DTSTART', 'DTEND', 'SEQUENCE', 'LAST-MODIFIED', 'SUMMARY', 'DESCRIPTION', 'URL'];
const texts = ['UID', 'SUMMARY', 'DESCRIPTION', 'X-WR-CALNAME'];
const utcMoment = /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])[0-5]\d([0-5]\d|60)Z$/;

/** Empty: none. */
export function breachesOf(file: string): string[] {
  const found: string[] = [];
  const say = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  say(file.endsWith('\r\n'), '3.1: the last line ends');
  say(!/[^\r]\n|\r[^\n]/.test(file), '3.1: lines end in CR LF');
  for (const line of file.split('\r\n'))
    say(Buffer.byteLength(line) <= 75, `3.1: a line of at most 75 octets: ${line}`);
  const calendar = parse(
    file
      .replaceAll(/\r\n[ \t]/g, '')
      .split('\r\n')
      .slice(0, -1),
    say,
  );
  if (calendar === null) return [...found, '3.4: one calendar from begin to end'];
  checkCalendar(calendar, say);
  return found;
}

type Say = (holds: boolean, what: string) => void;

function parse(lines: readonly string[], say: Say): Component | null {
  const open: Component[] = [];
  let whole: Component | null = null;
  for (const line of lines) {
    const [, name = '', params = '', value = ''] = /^([A-Za-z0-9-]+)((?:;[^:]*)?):(.*)$/s.exec(line) ?? [];
    say(name !== '', `3.1: a content line: ${line}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they may not be there
    say(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(value), '3.1: no control characters');
    const inner = open.at(-1);
    if (name === 'BEGIN') {
      const component = { name: value, properties: [], components: [] };
      inner?.components.push(component);
      open.push(component);
    } else if (name === 'END') {
      say(inner?.name === value, `3.6: what ends has begun: ${value}`);
      whole = open.pop() ?? null;
    } else inner?.properties.push({ name, params, value });
  }
  return open.length === 0 ? whole : null;
}

function checkCalendar(calendar: Component, say: Say): void {
  const of = (one: Component, name: string) => one.properties.filter((property) => property.name === name);
  say(calendar.name === 'VCALENDAR', '3.4: a calendar');
  say(of(calendar, 'PRODID').length === 1, '3.6: one PRODID');
  say(of(calendar, 'VERSION').length === 1 && of(calendar, 'VERSION')[0]?.value === '2.0', '3.6: VERSION 2.0');
  say(of(calendar, 'METHOD').length <= 1, '3.6: at most one METHOD');
  say(calendar.components.length > 0, '3.6: one component at least');
  const isPublished = of(calendar, 'METHOD').some(({ value }) => value === 'PUBLISH');
  const known = ['PRODID', 'VERSION', 'CALSCALE', 'METHOD'];
  for (const { name } of calendar.properties) say(known.includes(name) || name.startsWith('X-'), `3.6: ${name}`);
  const events = calendar.components.filter(({ name }) => name === 'VEVENT');
  const uids = events.map((event) => of(event, 'UID')[0]?.value);
  say(new Set(uids).size === uids.length, '3.8.4.7: each UID once');
  for (const zone of calendar.components.filter(({ name }) => name === 'VTIMEZONE')) {
    say(of(zone, 'TZID').length === 1, '3.6.5: a zone has one TZID');
    say(zone.components.length > 0, '3.6.5: a zone has one observance at least');
    for (const observance of zone.components) {
      for (const name of ['DTSTART', 'TZOFFSETFROM', 'TZOFFSETTO'])
        say(of(observance, name).length === 1, `3.6.5: ${name}`);
    }
  }
  for (const event of events) {
    for (const name of once) say(of(event, name).length <= 1, `3.6.1: ${name} at most once`);
    for (const name of ['UID', 'DTSTAMP']) say(of(event, name).length === 1, `3.6.1: ${name}`);
    if (of(calendar, 'METHOD').length === 0) say(of(event, 'DTSTART').length === 1, '3.6.1: DTSTART without METHOD');
    if (isPublished) say(of(event, 'ORGANIZER').length === 1, 'RFC 5546 3.2.1: a published event names its organiser');
    for (const name of ['DTSTAMP', 'LAST-MODIFIED', 'DTSTART', 'DTEND']) {
      for (const { value } of of(event, name)) say(utcMoment.test(value), `3.3.5: a moment in UTC: ${value}`);
    }
    const [start, end] = [of(event, 'DTSTART')[0]?.value ?? '', of(event, 'DTEND')[0]?.value];
    say(end === undefined || end > start, '3.8.2.2: an end after the start');
    for (const { value } of of(event, 'SEQUENCE')) say(/^\d{1,10}$/.test(value), '3.8.7.4: a whole number');
    for (const { value } of of(event, 'URL')) say(URL.canParse(value), '3.3.13: an address');
    for (const name of texts)
      for (const { value } of of(event, name)) {
        say(/^(?:[^\\;,]|\\[\\;,nN])*$/s.test(value), `3.3.11: a text with its escapes: ${value}`);
      }
  }
}
