// In, out and in again: what a file said survives our writers, whatever its shape.
import { expect } from 'chai';
import fc from 'fast-check';
import {
  type ChatonsDocument,
  type ChatonsOrganization,
  INSTALL_TYPES,
  ORGANIZATION_STATUSES,
  ORGANIZATION_TYPES,
  PROVIDER_TYPES,
  REGISTRATION_LOADS,
  REGISTRATIONS,
  SERIES_STEPS,
  SERVER_TYPES,
  SERVICE_STATUSES,
} from '../../../../server/formats/chatonsinfos/model.js';
import { readChatonsInfos } from '../../../../server/formats/chatonsinfos/read.js';
import {
  writeChatonsInfos,
  writeFederation,
  writeOrganization,
} from '../../../../server/formats/chatonsinfos/write.js';
import type { FormatWarning } from '../../../../server/formats/warnings.js';
import { quirkyChatonsInfosFiles } from '../../../support/chatonsinfosServer.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(bytes: Uint8Array): { model: ChatonsDocument; warnings: FormatWarning[] } {
  const result = readChatonsInfos(bytes);
  if (!result.ok) throw new Error(`refused: ${result.refusal}`);
  return result;
}

/** Remarks that the writer cannot be blamed for: the values themselves, not how they are written. */
const ABOUT_VALUES = ['missing', 'unknown-key', 'host-incoherent', 'license-url-mismatch'];

// Any text without control characters; the format has no way to write a blank text, or one that says `null`.
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom("'", '"', '\\', '\n', '<br/>', ' ', ',', ';', 'é', 'n', '=', '#')).map((s) => s.join('')),
  )
  .map((value) => value.replace(/(?!\t|\n)\p{Cc}/gu, '').trim())
  .filter((value) => value !== '' && !/^null$/i.test(value));
const address = fc.webUrl({ withQueryParameters: true, withFragments: true });
const mail = fc.constantFrom('a@b.example', 'équipe+x@écluse.example');
const day = fc
  .date({ min: new Date('1950-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const moment = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 19));
const country = fc.constantFrom('FR', 'BE', 'CH');
const degrees = (limit: number) =>
  fc.integer({ min: -limit * 1e8, max: limit * 1e8 }).map((value) => Number((value / 1e8).toFixed(8)) + 0);
const slug = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,10}$/);
const item = text.map((value) => value.replaceAll(';', ' ').trim()).filter((value) => value !== '');
const links = (url: fc.Arbitrary<string>) => fc.dictionary(slug, url, { maxKeys: 4, noNullPrototype: true });

const file = fc.record({ protocol: text, dateTime: moment, generator: text, url: address }, { requiredKeys: [] });
const path = fc
  .array(fc.stringMatching(/^[a-z0-9]{1,6}$/), { minLength: 1, maxLength: 3 })
  .map((words) => words.join('.'));
const figure = fc.oneof(
  fc.integer({ min: -1e6, max: 1e9 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
);
const values = fc
  .array(fc.option(figure, { nil: null }), { maxLength: 12 })
  .map((all) => all.slice(0, all.findLastIndex((value) => value !== null) + 1));
const series = fc.uniqueArray(
  fc
    .record({ path, year: fc.integer({ min: 1990, max: 2099 }), step: fc.constantFrom(...SERIES_STEPS), values })
    .map((one) => (one.step === 'year' ? { ...one, values: one.values.slice(0, 1).filter((v) => v !== null) } : one)),
  { selector: ({ path: at, year, step }) => `${at} ${year} ${step}`, maxLength: 5 },
);
const labels = fc.uniqueArray(
  fc.oneof(
    fc.record({ path, name: text, description: text }),
    fc.record({ path, name: text }),
    fc.record({ path, description: text }),
  ),
  { selector: (label) => label.path, maxLength: 3 },
);
const common = {
  file,
  subs: fc.uniqueArray(
    fc.record({ key: fc.string({ unit: 'grapheme', minLength: 1 }).filter((key) => key.trim() !== ''), url: address }),
    { selector: (sub) => sub.key, maxLength: 4 },
  ),
  labels,
  series,
  unknown: fc.uniqueArray(
    fc.record({
      key: fc.string({ unit: 'grapheme', minLength: 1 }).map((key) => `x.${key}`),
      value: fc.oneof(text, fc.constantFrom('', ' ', 'null', ' a ', '\t', "'", "''", '"x"')),
    }),
    { selector: ({ key }) => key, maxLength: 4 },
  ),
};

function build<T extends object>(all: fc.Arbitrary<T>, optional: fc.Arbitrary<object>): fc.Arbitrary<T> {
  return fc.tuple(all, optional).map(([required, given]) => ({ ...given, ...required }));
}

const organizationFields = fc.record(
  {
    name: text,
    description: text,
    type: fc.constantFrom(...ORGANIZATION_TYPES),
    statusLevel: fc.constantFrom(...ORGANIZATION_STATUSES),
    statusDescription: text,
    startDate: day,
    endDate: day,
    website: address,
    logo: address,
    contactUrl: address,
    contactEmail: mail,
    legalUrl: address,
    guideTechnical: address,
    guideUser: address,
    ownerName: text,
    ownerWebsite: address,
    ownerLogo: address,
    countryName: text,
    countryCode: country,
    latitude: degrees(90),
    longitude: degrees(180),
    address: text,
  },
  { requiredKeys: [] },
);
const membership = fc
  .record(
    {
      startDate: day,
      endDate: day,
      statusLevel: fc.constantFrom(...ORGANIZATION_STATUSES),
      statusDescription: text,
    },
    { requiredKeys: [] },
  )
  .filter((one) => Object.keys(one).length > 0);
const organization: fc.Arbitrary<ChatonsOrganization> = build(
  fc.record({
    kind: fc.constant('organization' as const),
    ...common,
    memberOf: fc.dictionary(slug, membership, { maxKeys: 3, noNullPrototype: true }),
    socialNetworks: links(address),
    chatrooms: links(fc.oneof(address, fc.constant('xmpp:salon@chat.example?join'))),
    funding: links(address),
  }),
  organizationFields,
);
const federation = build(
  fc.record({
    kind: fc.constant('federation' as const),
    ...common,
    socialNetworks: links(address),
    chatrooms: links(address),
  }),
  fc.record({ name: text, description: text, favicon: address, startDate: day }, { requiredKeys: [] }),
);
const service = build(
  fc.record({
    kind: fc.constant('service' as const),
    ...common,
    software: fc.record(
      {
        name: text,
        website: address,
        licenseName: text,
        licenseUrl: address,
        version: text,
        sourceUrl: address,
        modules: fc.array(item, { minLength: 1, maxLength: 5 }),
      },
      { requiredKeys: [] },
    ),
    host: fc.record(
      {
        name: text,
        description: text,
        serverType: fc.constantFrom(...SERVER_TYPES),
        serverDistribution: text,
        providerType: fc.constantFrom(...PROVIDER_TYPES),
        hypervisor: text,
        countryName: text,
        countryCode: country,
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record(
    {
      name: text,
      description: text,
      startDate: day,
      statusLevel: fc.constantFrom(...SERVICE_STATUSES),
      statusDescription: text,
      registration: fc.constantFrom(...REGISTRATIONS),
      registrationLoad: fc.constantFrom(...REGISTRATION_LOADS),
      installType: fc.constantFrom(...INSTALL_TYPES),
    },
    { requiredKeys: [] },
  ),
);
const metrics = fc.record({ kind: fc.constant('metrics' as const), ...common });
const anyModel: fc.Arbitrary<ChatonsDocument> = fc.oneof(organization, federation, service, metrics);

// Texts as people and generators write them: real keys, legacy keys and typos, in any case, with any separator.
const quirkyKey = fc.oneof(
  fc.constantFrom(
    'organization.name',
    'organization.startDate',
    'organization.startdate',
    'ORGANIZATION.TYPE',
    'organization.type',
    'organization.status.level',
    'organization.geography',
    'organization.technical.url',
    'organization.logo.url',
    'organization.logo',
    'organization.geolocation.latitude',
    'organization.country.code',
    'organization.contact.email',
    'organization.memberof.chatons.startdate',
    'organization.memberof.chatons.status.level',
    'organization.memberof.chatons.other',
    'organization.memberof.Été.startdate',
    'organization.socialnetworks.pixelfeld',
    'organization.socialnetworks.pixelfed',
    'organization.funding.Tipee',
    'organization.chatrooms.irc',
    'file.datetime',
    'subs.pads',
    'subs.Vidéos de l’été',
    'metrics.http.hits.2025.months',
    'metrics.http.hits.2025.Weeks',
    'metrics.http.hits.2025',
    'metrics.http.hits.name',
    'service.status',
    'service.registration',
    'software.licence',
    'software.license.url',
    'software.modules',
    'host.provider',
    'host.server.type',
    'host.provider.type',
    'x.y',
  ),
  fc.string({ unit: 'binary' }),
);
const quirkyValue = fc.oneof(
  fc.constantFrom(
    '',
    'null',
    "''",
    "'https://x.example/'",
    '"deux mots"',
    "L\\'April",
    'a<br/>b',
    'a\\nb\\',
    'caf\\u00e9',
    '\\u00',
    '12/05/2024',
    '2024-06-22T14:03:11',
    '2024-02-30',
    '45,7640',
    '200.5',
    'fr',
    'association',
    'Free',
    'ON',
    'nano',
    'HostedServer',
    ',73,33,10,,',
    '1;2,5;;beaucoup;',
    'https://spdx.org/licenses/null.html',
    'a, b; c;;',
    'bonjour@x.example',
    '#canal',
  ),
  fc.string({ unit: 'binary' }),
);
const quirkyText = fc
  .tuple(
    fc.constantFrom('organization', 'Service', 'METRICS', 'federation'),
    fc.array(fc.tuple(quirkyKey, fc.constantFrom(' = ', '=', ' =', ': '), quirkyValue), { maxLength: 30 }),
    fc.constantFrom('\n', '\r\n', '\r'),
  )
  .map(([kind, lines, end]) => [`file.class=${kind}`, '# [Section]', ...lines.map((parts) => parts.join(''))].join(end))
  .filter((all) => readChatonsInfos(utf8(all)).ok);

const remark = ({ code, key, level }: FormatWarning): string => `${code} ${key ?? ''} ${level}`;

describe('writeChatonsInfos', () => {
  it('writes any model so that it is read back the same, with no remark on how it is written', () => {
    fc.assert(
      fc.property(anyModel, (model) => {
        const again = read(utf8(writeChatonsInfos(model)));
        expect(again.model).to.deep.equal(model);
        expect(again.warnings.filter(({ code }) => !ABOUT_VALUES.includes(code))).to.deep.equal([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('loses nothing of any quirky text, and adds no remark', () => {
    fc.assert(
      fc.property(quirkyText, (quirky) => {
        const first = read(utf8(quirky));
        const second = read(utf8(writeChatonsInfos(first.model)));
        expect(second.model).to.deep.equal(first.model);
        const known = new Set(first.warnings.map(remark));
        expect(second.warnings.map(remark).filter((one) => !known.has(one))).to.deep.equal([]);
      }),
      { numRuns: 2000 },
    );
  });

  for (const [name, bytes] of quirkyChatonsInfosFiles()) {
    if (name === '/binary.properties') continue;
    it(`keeps all that ${name} says`, () => {
      const { model } = read(
        Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('{{base}}', 'https://b.example'), 'latin1'),
      );
      expect(read(utf8(writeChatonsInfos(model))).model).to.deep.equal(model);
    });
  }

  it('has one strict form: sections, ISO days, canonical words, decimal points', () => {
    const model: ChatonsOrganization = {
      kind: 'organization',
      file: { protocol: 'ChatonsInfos-0.5', dateTime: '2026-03-02T18:04:00' },
      name: "L'Écluse Libre",
      description: 'Deux\nlignes',
      type: 'ASSOCIATION',
      startDate: '2024-05-12',
      latitude: 48,
      longitude: -2.5,
      memberOf: { roseau: { startDate: '2024-05-12', statusLevel: 'ACTIVE' } },
      socialNetworks: { mastodon: 'https://social.example/@ecluse' },
      chatrooms: {},
      funding: {},
      subs: [],
      labels: [],
      series: [{ path: 'http.hits', year: 2026, step: 'months', values: [null, 73, 33.5] }],
      unknown: [
        { key: 'organization.mascot', value: 'écluse' },
        { key: 'organization.startDate', value: 'replaced since' },
      ],
    };
    expect(writeOrganization(model, [{ key: 'pads', url: 'https://ecluse.example/pads.properties' }])).to.equal(
      `# [File]
file.class = Organization
file.protocol = ChatonsInfos-0.5
file.datetime = 2026-03-02T18:04:00

# [Organization]
organization.name = L'Écluse Libre
organization.description = Deux\\nlignes
organization.type = ASSOCIATION
organization.startdate = 2024-05-12
organization.geolocation.latitude = 48.0
organization.geolocation.longitude = -2.5

# [Member of]
organization.memberof.roseau.startdate = 2024-05-12
organization.memberof.roseau.status.level = ACTIVE

# [Social networks]
organization.socialnetworks.mastodon = https://social.example/@ecluse

# [Subs]
subs.pads = https://ecluse.example/pads.properties

# [Metrics]
metrics.http.hits.2026.months = ,73,33.5

# [Other keys]
organization.mascot = écluse
`,
    );
  });

  it('writes the references it is given instead of those that were read', () => {
    const { model } = read(utf8('file.class=federation\nsubs.old = https://old.example/'));
    if (model.kind !== 'federation') throw new Error('not a federation');
    expect(writeFederation(model, [{ key: 'new', url: 'https://new.example/' }])).to.equal(
      '# [File]\nfile.class = Federation\n\n# [Subs]\nsubs.new = https://new.example/\n',
    );
    expect(writeFederation(model)).to.include('subs.old = https://old.example/');
  });
});
