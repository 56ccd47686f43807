import { expect } from 'chai';
import fc from 'fast-check';
import { type CalendarEvent, writeCalendar } from '../../../server/formats/ical.js';
import { breachesOf } from './icalRules.js';

const event: CalendarEvent = {
  uid: '0190-slot@roseau.example',
  sequence: 7,
  changedAt: new Date('2026-05-21T10:00:00Z'),
  startsAt: new Date('2026-12-10T18:00:00Z'),
  endsAt: new Date('2026-12-10T19:30:00Z'),
  summary: 'Réunion mensuelle',
};

/** As a calendar program reads: lines put together again, texts without their escapes. */
function read(file: string): [name: string, value: string][] {
  return file
    .replaceAll('\r\n ', '')
    .trimEnd()
    .split('\r\n')
    .map((line) => {
      const at = line.indexOf(':');
      const value = line.slice(at + 1).replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
      return [line.slice(0, at), value];
    });
}

describe('a calendar', () => {
  it('tells a meeting in UTC, with what tells it from others and from its earlier state', () => {
    expect(read(writeCalendar({ name: 'ROSEAU', language: 'fr', events: [event] }))).to.deep.equal([
      ['BEGIN', 'VCALENDAR'],
      ['VERSION', '2.0'],
      ['PRODID', '-//Chatiere//Chatiere//FR'],
      ['CALSCALE', 'GREGORIAN'],
      ['X-WR-CALNAME', 'ROSEAU'],
      ['BEGIN', 'VEVENT'],
      ['UID', '0190-slot@roseau.example'],
      ['SEQUENCE', '7'],
      ['DTSTAMP', '20260521T100000Z'],
      ['LAST-MODIFIED', '20260521T100000Z'],
      ['DTSTART', '20261210T180000Z'],
      ['DTEND', '20261210T193000Z'],
      ['SUMMARY', 'Réunion mensuelle'],
      ['END', 'VEVENT'],
      ['END', 'VCALENDAR'],
    ]);
  });

  it('keeps any text in its line: no line of another makes a property, none is longer than 75 octets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (summary) => {
        const text = `${summary}\r\nATTENDEE:mailto:x@example.org; a, b \\ n`;
        const file = writeCalendar({ name: '', language: 'en', events: [{ ...event, summary: text }] });
        expect(breachesOf(file)).to.deep.equal([]);
        for (const line of file.split('\r\n')) expect(Buffer.byteLength(line)).to.be.at.most(75);
        const names = read(file).map(([name]) => name);
        expect(names).not.to.include('ATTENDEE');
        const [, said = ''] = read(file).find(([name]) => name === 'SUMMARY') ?? [];
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are left out
        const plain = text.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
        expect(said).to.equal(plain);
      }),
    );
  });

  it('breaks no rule of RFC 5545, with an end that is none, with two events, and with nothing in it', () => {
    const calendar = (events: CalendarEvent[]) => writeCalendar({ name: 'a; b, c', language: 'en', events });
    expect(breachesOf(calendar([]))).to.deep.equal([]);
    expect(calendar([])).to.include('PRODID:-//Chatiere//Chatiere//EN\r\n').and.not.include('VEVENT');
    const also = {
      ...event,
      uid: 'b',
      endsAt: event.startsAt,
      url: 'https://roseau.example/my?é',
      description: 'x\ny',
    };
    expect(breachesOf(calendar([event, also, { ...event, uid: 'c', endsAt: null }]))).to.deep.equal([]);
    const broken = calendar([event]).replace('CALSCALE:GREGORIAN', 'METHOD:PUBLISH').replace('UID', 'X-UID');
    expect(breachesOf(broken)).to.deep.equal(['3.6.1: UID', 'RFC 5546 3.2.1: a published event names its organiser']);
  });
});
