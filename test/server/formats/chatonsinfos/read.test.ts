// The quirky hoster of the fixtures, read: what each file says, and every remark at its line.
import { expect } from 'chai';
import {
  readChatonsInfos,
  readFederation,
  readMetrics,
  readOrganization,
  readService,
} from '../../../../server/formats/chatonsinfos/read.js';
import type { FormatWarning, ReadResult } from '../../../../server/formats/warnings.js';
import { readFixture } from '../../../support/chatonsinfosServer.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text.replaceAll('{{base}}', 'https://b.example'));
const fixture = (name: string): Uint8Array =>
  Buffer.from(Buffer.from(readFixture(name)).toString('latin1').replaceAll('{{base}}', 'https://b.example'), 'latin1');

function accepted<T>(result: ReadResult<T>): { model: T; warnings: FormatWarning[] } {
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result;
}

/** Remarks other than on missing fields, as `code@line`. */
const remarks = (warnings: FormatWarning[]): string[] =>
  warnings.filter(({ code }) => code !== 'missing').map(({ code, line }) => `${code}@${line}`);

const missing = (warnings: FormatWarning[]): string[] =>
  warnings.filter(({ code }) => code === 'missing').map(({ key, level }) => `${level} ${key}`);

/** The line of a fixture that holds this text, so that the tests need not count. */
function lineWith(name: string, text: string): number {
  const lines = Buffer.from(readFixture(name)).toString('latin1').split('\n');
  return lines.findIndex((line) => line.includes(text) && !line.startsWith('#')) + 1;
}

describe('readOrganization', () => {
  const name = 'organization.properties';
  const at = (text: string): number => lineWith(name, text);

  it('understands every quirk of a hand-kept file', () => {
    expect(accepted(readOrganization(fixture(name))).model).to.deep.equal({
      kind: 'organization',
      file: { protocol: 'ChatonsInfos-0.5', dateTime: '2026-02-11T09:30:00', generator: 'chatonsinfos_ynh' },
      name: "L'Atelier de la Bouture",
      description:
        'Services libres: courriel, pads et nuage.\nPour les associations de la vallée.\nAdhésion à prix libre.',
      type: 'ASSOCIATION',
      statusLevel: 'ACTIVE',
      startDate: '2019-03-14',
      website: 'https://bouture.example/',
      logo: 'https://bouture.example/logo.png',
      contactUrl: 'https://bouture.example/contact',
      contactEmail: 'bonjour@bouture.example',
      legalUrl: 'https://bouture.example/mentions',
      guideTechnical: 'https://doc.bouture.example/technique',
      guideUser: 'https://doc.bouture.example/',
      ownerName: 'Association La Bouture',
      countryName: 'France',
      countryCode: 'FR',
      latitude: 45.764,
      longitude: 4.8357,
      address: '12 rue des Boutures, Lyon',
      memberOf: {
        chatons: { startDate: '2019-11-02', statusLevel: 'IDLE', statusDescription: 'Pause estivale' },
        roseau: { startDate: '2024-05-12' },
      },
      socialNetworks: {
        pixelfed: 'https://images.bouture.example/@bouture',
        gotosocial: 'https://social.bouture.example/@bouture',
      },
      chatrooms: { xmpp: 'xmpp:salon@chat.bouture.example?join' },
      funding: { tipee: 'https://tipee.example/bouture' },
      subs: [
        { key: 'pads', url: 'https://b.example/pads.properties' },
        { key: 'nuage', url: 'https://b.example/nuage.properties' },
        { key: 'video', url: 'https://b.example/video-latin1.properties' },
        { key: 'courriel', url: 'https://b.example/courriel-bom.properties' },
      ],
      labels: [],
      series: [],
      unknown: [
        { key: 'organization.chatrooms.irc', value: '#bouture sur un serveur connu' },
        { key: 'organization.mascot', value: 'Le bouturage' },
        { key: 'x-bouture.note', value: "Bonjour, c'est nous" },
      ],
    });
  });

  it('says at its line what it had to guess or leave aside', () => {
    const { warnings } = accepted(readOrganization(fixture(name)));
    expect(remarks(warnings)).to.deep.equal([
      `enum-case@${at('organization.type')}`,
      `enum-case@${at('organization.status.level')}`,
      `key-renamed@${at('organization.startDate')}`,
      `date-not-iso@${at('organization.startDate')}`,
      `key-renamed@${at('organization.logo.url')}`,
      `key-renamed@${at('organization.technical.url')}`,
      `enum-case@${at('organization.country.code')}`,
      `decimal-comma@${at('latitude')}`,
      `key-renamed@${at('organization.geography')}`,
      `key-renamed@${at('pixelfeld')}`,
      `bad-url@${at('chatrooms.irc')}`,
      `key-renamed@${at('Tipee')}`,
      `unknown-key@${at('mascot')}`,
      `unknown-key@${at('x-bouture')}`,
      `duplicate-key@${at('Ancien nom')}`,
      `bad-line@${at('Merci')}`,
    ]);
    expect(missing(warnings)).to.deep.equal(['warning organization.memberof.roseau.status.level']);
  });

  it('gives the level of what is missing: name is an error, type a warning, website an advice', () => {
    const { warnings } = accepted(readOrganization(utf8('file.class = Organization')));
    expect(missing(warnings)).to.include.members([
      'error organization.name',
      'warning organization.type',
      'info organization.website',
    ]);
  });

  it('says nothing of a network for which the file leaves every key empty', () => {
    const result = readOrganization(utf8('file.class=organization\norganization.memberof.chatons.startdate ='));
    const { model, warnings } = accepted(result);
    expect(model.memberOf).to.deep.equal({});
    expect(model.unknown).to.deep.equal([]);
    expect(warnings.map(({ key }) => key)).to.not.include('organization.memberof.chatons.status.level');
  });

  it('prefers the name that the format gives over an alias, wherever they stand', () => {
    const text =
      'file.class=organization\norganization.logo = https://a.example/\norganization.logo.url = https://b.example/';
    const { model, warnings } = accepted(readOrganization(utf8(text)));
    expect(model.logo).to.equal('https://a.example/');
    expect(remarks(warnings)).to.deep.equal(['key-renamed@3', 'duplicate-key@3']);
  });

  it('takes no script, credentials or local file for an address', () => {
    const bad = [
      'javascript:alert(1)',
      'https://me:secret@x.example/',
      'https://me@x.example/',
      'https://:secret@x.example/',
      'file:///etc/passwd',
      'https://x .example/',
    ];
    for (const value of bad) {
      const { model, warnings } = accepted(
        readOrganization(utf8(`file.class=organization\norganization.website = ${value}`)),
      );
      expect(model.website, value).to.equal(undefined);
      expect(model.unknown).to.deep.equal([{ key: 'organization.website', value }]);
      expect(remarks(warnings)).to.deep.equal(['bad-url@2']);
    }
  });

  it('is not led astray by keys that are names of the language', () => {
    const text = 'file.class=organization\norganization.funding.__proto__ = https://x.example/\n__proto__ = x';
    const { model } = accepted(readOrganization(utf8(text)));
    expect(model.funding).to.deep.equal({});
    expect(Object.getPrototypeOf(model.funding)).to.equal(Object.prototype);
    expect(model.unknown.map(({ key }) => key)).to.deep.equal(['organization.funding.__proto__', '__proto__']);
  });

  it('reads at most 200 references to other files', () => {
    const subs = Array.from({ length: 201 }, (_, index) => `subs.s${index} = https://x.example/${index}`);
    const { model, warnings } = accepted(readOrganization(utf8(['file.class=organization', ...subs].join('\n'))));
    expect(model.subs).to.have.length(200);
    expect(remarks(warnings)).to.deep.equal(['subs-limit@202']);
  });

  it('accepts no impossible day or place', () => {
    const text = [
      'file.class = organization',
      'organization.startdate = 31/02/2020',
      'organization.enddate = 2020-13-01',
      'organization.geolocation.latitude = 91.5',
      'organization.geolocation.longitude = ouest',
      'organization.country.code = France',
      'organization.contact.email = bonjour chez nous',
    ].join('\n');
    const { model, warnings } = accepted(readOrganization(utf8(text)));
    expect(remarks(warnings)).to.deep.equal([
      'bad-date@2',
      'bad-date@3',
      'bad-coordinate@4',
      'bad-coordinate@5',
      'bad-country-code@6',
      'bad-email@7',
    ]);
    expect(model.unknown).to.have.length(6);
  });
});

describe('readService', () => {
  it('reads states of old drafts, a doubtful licence address and an impossible host', () => {
    const name = 'pads.properties';
    const { model, warnings } = accepted(readService(fixture(name)));
    const { statusLevel, registration, registrationLoad, installType, startDate } = model;
    expect({ statusLevel, registration, registrationLoad, installType, startDate }).to.deep.equal({
      statusLevel: 'OK',
      registration: 'None',
      registrationLoad: 'OPEN',
      installType: 'PACKAGE',
      startDate: '2020-05-02',
    });
    expect(model.software.modules).to.deep.equal(['ep_comments_page', 'ep_headings2', 'ep_markdown']);
    expect(model.host.name).to.equal("L'Atelier de la Bouture");
    expect(model.subs).to.deep.equal([{ key: 'metrics', url: 'https://b.example/pads-metrics.properties' }]);
    expect(remarks(warnings)).to.deep.equal([
      `date-not-iso@${lineWith(name, 'startdate')}`,
      `enum-renamed@${lineWith(name, 'status.level')}`,
      `enum-case@${lineWith(name, 'service.registration =')}`,
      `enum-case@${lineWith(name, 'registration.load')}`,
      `enum-case@${lineWith(name, 'install.type')}`,
      `license-url-mismatch@${lineWith(name, 'license.url')}`,
      `key-renamed@${lineWith(name, 'host.provider =')}`,
      `host-incoherent@${lineWith(name, 'server.type')}`,
    ]);
  });

  it('takes the null of a generator for "not given", and a date-time for its day', () => {
    const name = 'nuage.properties';
    const { model, warnings } = accepted(readService(fixture(name)));
    expect(model.guideTechnical).to.equal(undefined);
    expect(model.startDate).to.equal('2024-06-22');
    expect(model.file.dateTime).to.equal('2026-02-11T08:30:00');
    expect(model.software).to.deep.equal({ name: 'Nextcloud' });
    expect(model.unknown).to.deep.equal([
      { key: 'software.license.url', value: 'https://spdx.org/licenses/null.html' },
    ]);
    expect(remarks(warnings)).to.deep.equal([
      `datetime-zone@${lineWith(name, 'file.datetime')}`,
      `null-value@${lineWith(name, 'guide.technical')}`,
      `date-with-time@${lineWith(name, 'startdate')}`,
      `null-value@${lineWith(name, 'license.name')}`,
      `null-value@${lineWith(name, 'license.url')}`,
      `null-value@${lineWith(name, 'source.url')}`,
    ]);
    expect(missing(warnings)).to.include('warning host.name');
  });

  it('reads Latin-1', () => {
    const { model, warnings } = accepted(readService(fixture('video-latin1.properties')));
    expect(model.name).to.equal("Vidéos de l'été");
    expect(remarks(warnings)).to.deep.equal(['latin-1@4']);
  });

  it('reads a byte-order mark and CR LF, and tells the class from the keys', () => {
    const { model, warnings } = accepted(readService(fixture('courriel-bom.properties')));
    expect(model.description).to.equal('Boîtes aux lettres pour les adhérentes et adhérents');
    expect(remarks(warnings)).to.deep.equal(['class-inferred@0', 'byte-order-mark@1']);
  });
});

describe('readMetrics', () => {
  it('reads commas and semicolons, empty items as no value, and trims what has not happened yet', () => {
    const name = 'pads-metrics.properties';
    const { model, warnings } = accepted(readMetrics(fixture(name)));
    expect(model.series).to.deep.equal([
      { path: 'http.visits.humans', year: 2026, step: 'months', values: [null, 73, 33, 10] },
      { path: 'http.hits', year: 2025, step: 'weeks', values: [10, 12.5, null, 14] },
      { path: 'http.hits', year: 2025, step: 'months', values: [120, 130, 128] },
      { path: 'http.errors', year: 2025, step: 'months', values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
      { path: 'service.users', year: 2026, step: 'months', values: [12, null, 15] },
      { path: 'service.users', year: 2025, step: 'year', values: [148] },
      { path: 'service.files.bytes', year: 2026, step: 'months', values: [1073741824, 2147483648] },
    ]);
    expect(model.labels).to.deep.equal([
      { path: 'http.visits.humans', name: 'Visites', description: 'Visites de personnes, robots écartés' },
    ]);
    expect(remarks(warnings)).to.deep.equal([
      `decimal-comma@${lineWith(name, 'http.hits.2025.weeks')}`,
      `too-many-values@${lineWith(name, 'http.errors')}`,
      `bad-number@${lineWith(name, 'beaucoup')}`,
      `key-renamed@${lineWith(name, 'Months')}`,
    ]);
  });

  it('takes a status code in a path for a word, not for a year', () => {
    const text = 'file.class = metrics\nmetrics.http.status.404.2025.months = 1,-0\nmetrics.http.status.404 = 3';
    const { model } = accepted(readMetrics(utf8(text)));
    expect(model.series).to.deep.equal([{ path: 'http.status.404', year: 2025, step: 'months', values: [1, 0] }]);
    expect(model.unknown).to.deep.equal([{ key: 'metrics.http.status.404', value: '3' }]);
  });
});

describe('readChatonsInfos', () => {
  it('tells the four kinds apart', () => {
    const kinds = ['federation', 'organization', 'pads', 'pads-metrics'].map(
      (name) => accepted(readChatonsInfos(fixture(`${name}.properties`))).model.kind,
    );
    expect(kinds).to.deep.equal(['federation', 'organization', 'service', 'metrics']);
    expect(accepted(readFederation(fixture('federation.properties'))).model.subs).to.deep.equal([
      { key: 'bouture', url: 'https://b.example/organization.properties' },
    ]);
  });

  it('refuses what is no such file, with the reason', () => {
    expect(readChatonsInfos(utf8('name = x'))).to.deep.include({ refusal: 'no-class' });
    expect(readChatonsInfos(utf8(''))).to.deep.include({ refusal: 'no-class' });
    expect(readChatonsInfos(utf8('file.class = Device'))).to.deep.equal({
      ok: false,
      refusal: 'unsupported-class',
      details: { value: 'device' },
    });
    expect(readService(fixture('organization.properties'))).to.deep.equal({
      ok: false,
      refusal: 'wrong-class',
      details: { found: 'organization', wanted: 'service' },
    });
    expect(readChatonsInfos(fixture('binary.properties'))).to.deep.include({ refusal: 'binary' });
  });
});
